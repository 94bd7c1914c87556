"""Validates a registered model on this machine."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from pipeline.config import Settings
from pipeline.html.numbers import estimate
from pipeline.results.documents import Metrics, Verdict, read_result
from pipeline.results.registration import Registration
from pipeline.results.validation import ExternalValidation, TaskValidation, UpdateMethod
from pipeline.runners.local.display import print_words, results_table
from pipeline.runners.local.outcome import RunOutcome
from pipeline.runners.local.run import LocalRun, run_graph
from pipeline.study.slicing_titles import study_titles
from pipeline.validation_config import ModelChoice, resolve_validation

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

_GAINS = "Gain in log loss of simple updates, cross-fitted, with 95 % interval"
_SHOWN = ("metrics", "validation", "page")


def validate(
    settings: Settings, choice: ModelChoice, update: UpdateMethod | None = None
) -> RunOutcome:
    """Runs the pipeline of an external validation.

    Args:
        settings: The choices that a run of the pipeline has as well.
        choice: The registered model.
        update: How the model is updated; None registers no updated model.

    Returns:
        The outcome; a failure of a stage is shown, recorded and logged, not raised.

    Raises:
        OSError: A file or folder can't be used before the first stage.
    """
    return run_graph(
        lambda run_id: resolve_validation(settings, choice, run_id),
        functools.partial(_LocalValidation, update),
        settings.root,
    )


class _LocalValidation(LocalRun):
    """A validation whose settings are resolved."""

    page_stage = "ExternalValidation"
    beside = ()

    def __init__(self, update: UpdateMethod | None, *resolved: Any) -> None:
        super().__init__(*resolved)
        self._update = update

    def create_pipeline(self) -> Pipeline:
        """The graph."""
        from pipeline.validation_pipeline import create_validation_pipeline

        return create_validation_pipeline(self._config, self._update)

    def show(
        self, outputs: Mapping[str, Mapping[str, str]], page: Path, verdict: Verdict
    ) -> dict[str, Path]:
        """Shows metrics, what updates would gain, and paths."""
        del verdict
        folder = Path(outputs["TrialEvaluator"]["verdict"])
        validation = Path(outputs["ExternalValidation"]["validation"])
        paths = {
            "metrics": folder / "metrics.json",
            "verdict": folder / "verdict.json",
            "validation": validation / "validation.json",
            "page": page,
        }
        found = read_result(ExternalValidation, str(validation))
        metrics = read_result(Metrics, str(folder))
        console = self._console
        console.print()
        titles = study_titles(self._config.study)
        table = results_table(metrics.records, console.width, metrics.evaluation, titles)
        print_words(console, table)
        for warning in found.warnings:
            print_words(console, f"[yellow]{escape(warning)}[/yellow]")
        console.print(f"[bold]{_GAINS}[/bold]")
        for task in found.tasks:
            for line in _update_lines(task, titles.task(task.task)):
                print_words(console, escape(line))
        console.print()
        for name in _SHOWN:
            console.print(f"{name:<10} {escape(str(paths[name]))}")
        if "UpdatedModel" in outputs:
            updated = read_result(Registration, outputs["UpdatedModel"]["updated"]).entry
            assert updated is not None
            paths["updated"] = Path(updated.model_uri)
            print_words(console, f"updated    {escape(updated.model_uri)} (not the champion)")
        return paths


def _update_lines(task: TaskValidation, title: str) -> Iterator[str]:
    for method in task.not_fitted:
        yield f"  {title}, {method.replace('_', ' ')}: not fitted, {task.why_not_fitted}"
    for update in task.updates:
        name = update.method.replace("_", " ")
        yield f"  {title}, {name}: {estimate(update.log_loss_gain, 4)}"
