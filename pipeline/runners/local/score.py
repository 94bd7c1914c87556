"""Scores subjects with a registered model on this machine."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from pipeline.config import RunConfig, Settings
from pipeline.html.numbers import count
from pipeline.results.documents import read_result
from pipeline.results.scored_output import write_scored
from pipeline.results.scoring import FLAG_TITLES, Scoring
from pipeline.runners.local.display import print_words
from pipeline.runners.local.outcome import RunOutcome
from pipeline.runners.local.run import LocalRun, run_graph
from pipeline.scoring_config import resolve_scoring

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

PREDICTIONS_FILE = "predictions.parquet"
_SHOWN = ("predictions", "summary", "page")


@dataclass(frozen=True)
class ScoringChoice:
    """The user's choices beside those of every run.

    Attributes:
        model: The model, see `pipeline.scoring_config.chosen_model`; None for the champion.
        registry: Root of the registry; the one below the root of the run, where None.
        out: File of the predictions; one beside the run's records, where None and there is no log.
        with_subject: Whether the file has the original key of each subject.
        prediction_log: Address of the prediction log, in place of a file; empty for a file.
    """

    model: str | None = None
    registry: str | None = None
    out: Path | None = None
    with_subject: bool = False
    prediction_log: str = ""


def score(settings: Settings, choice: ScoringChoice) -> RunOutcome:
    """Runs the pipeline of a scoring.

    Args:
        settings: The choices that a run of the pipeline has as well.
        choice: The other ones.

    Returns:
        The outcome; a failure of a stage is shown, recorded and logged, not raised.

    Raises:
        OSError: A file or folder can't be used before the first stage.
    """
    chosen: dict[str, str] = {}

    def resolving(run_id: str) -> RunConfig:
        config, chosen["model"] = resolve_scoring(
            settings, choice.model, choice.registry, run_id, choice.prediction_log
        )
        return config

    return run_graph(resolving, functools.partial(_LocalScoring, chosen, choice), settings.root)


class _LocalScoring(LocalRun):
    """A scoring whose settings are resolved."""

    page_stage = "BatchScoring"

    def __init__(self, chosen: Mapping[str, str], choice: ScoringChoice, *resolved: Any) -> None:
        super().__init__(*resolved)
        self._chosen = chosen
        self._choice = choice

    def create_pipeline(self) -> Pipeline:
        """The graph."""
        from pipeline.scoring_pipeline import create_scoring_pipeline

        return create_scoring_pipeline(self._config, self._chosen["model"])

    def end(
        self, outputs: Mapping[str, Mapping[str, str]], page: Path, paths: Mapping[str, Path]
    ) -> RunOutcome:
        """Writes the file of predictions, if they are not in the log; shows counts and paths."""
        stage = outputs["BatchScoring"]
        written = {"summary": Path(stage["summary"]) / "scoring.json", "page": page}
        if not self._choice.prediction_log:
            written["predictions"] = (self._choice.out or page.parent / PREDICTIONS_FILE).resolve()
            write_scored(stage["scored"], written["predictions"], self._subjects())
        self._show(read_result(Scoring, stage["summary"]))
        shown = {"predictions": f"added to {self._choice.prediction_log}"} | written
        for name in _SHOWN:
            self._console.print(f"{name:<11} {escape(str(shown[name]))}")
        return RunOutcome(self._run, "done", {**paths, **written})

    def _subjects(self) -> Mapping[str, str] | None:
        if not self._choice.with_subject:
            return None
        from pipeline.runners.local.subject_names import subject_names

        config = self._config
        return subject_names(config.study, str(config.data_root), config.subject_key)

    def _show(self, found: Scoring) -> None:
        few = f"fewer than {found.smallest_group}"
        console = self._console
        console.print()
        subjects = few if found.subjects is None else count(found.subjects)
        print_words(
            console, f"{subjects} subjects, predicted by the model {escape(found.model.id)}"
        )
        for task in found.tasks:
            mean = "too few to show" if task.mean is None else f"{task.mean:.1%}"
            print_words(console, f"  {escape(task.title)}: mean predicted risk {mean}")
        for flag in found.flags:
            about = f" ({escape(flag.about)})" if flag.about else ""
            number = few if flag.subjects is None else count(flag.subjects)
            print_words(console, f"  [yellow]![/yellow] {FLAG_TITLES[flag.flag]}{about}: {number}")
        for item in found.skew:
            if item.severity == "warn":
                print_words(console, f"  [yellow]![/yellow] {escape(item.message)}")
        console.print()
