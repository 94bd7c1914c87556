"""Records the outcomes of a later data cut on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from pipeline.config import Settings
from pipeline.html.numbers import count
from pipeline.outcomes_config import resolve_outcomes
from pipeline.results.documents import read_result
from pipeline.results.recorded_outcomes import RecordedOutcomes, TaskOutcomes
from pipeline.runners.local.display import print_words
from pipeline.runners.local.outcome import RunOutcome
from pipeline.runners.local.run import LocalRun, run_graph

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline


def record_outcomes(
    settings: Settings, prediction_log: str, registry: str | None = None
) -> RunOutcome:
    """Runs the pipeline that records outcomes.

    Args:
        settings: The choices that a run of the pipeline has as well.
        prediction_log: Address of the prediction log.
        registry: Root of the registry; the one below the root of the run, where None.

    Returns:
        The outcome; a failure of a stage is shown, recorded and logged, not raised.

    Raises:
        OSError: A file or folder can't be used before the first stage.
    """
    return run_graph(
        lambda run_id: resolve_outcomes(settings, run_id, prediction_log, registry),
        _LocalRecording,
        settings.root,
    )


class _LocalRecording(LocalRun):
    """A recording whose settings are resolved."""

    page_stage = "OutcomeLog"

    def create_pipeline(self) -> Pipeline:
        """The graph."""
        from pipeline.outcomes_pipeline import create_outcomes_pipeline

        return create_outcomes_pipeline(self._config)

    def end(
        self, outputs: Mapping[str, Mapping[str, str]], page: Path, paths: Mapping[str, Path]
    ) -> RunOutcome:
        """Shows counts and paths."""
        summary = outputs["OutcomeLog"]["summary"]
        written = {"summary": Path(summary) / "outcomes.json", "page": page}
        self._show(read_result(RecordedOutcomes, summary))
        for name, path in written.items():
            self._console.print(f"{name:<8} {escape(str(path))}")
        return RunOutcome(self._run, "done", {**paths, **written})

    def _show(self, recorded: RecordedOutcomes) -> None:
        console = self._console
        console.print()
        smallest = recorded.smallest_group
        print_words(
            console,
            f"{_shown(recorded.subjects, smallest)} subjects, "
            f"{_shown(recorded.predicted, smallest)} with predictions in the prediction log "
            f"(rounded down to a multiple of {smallest})",
        )
        for task in recorded.tasks:
            print_words(console, f"  {escape(task.title)}: {_counts(task, smallest)}")
        print_words(console, recorded.what_was_added)
        console.print()


def _counts(task: TaskOutcomes, smallest: int) -> str:
    numbers = {
        "scored": task.scored,
        "known before the prediction": task.after,
        "censored": task.censored,
        "unknown": task.unknown,
    }
    return ", ".join(f"{_shown(number, smallest)} {what}" for what, number in numbers.items())


def _shown(number: int | None, smallest: int) -> str:
    return f"fewer than {smallest}" if number is None else count(number)
