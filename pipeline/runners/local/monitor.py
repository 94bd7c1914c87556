"""Follows the predictions of a study's champion on this machine."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from pipeline.config import Settings
from pipeline.estimates import fixed, interval_text
from pipeline.html.numbers import count
from pipeline.monitoring.expected import ASSUMES
from pipeline.monitoring_config import resolve_monitoring
from pipeline.pages.monitoring import NOTHING_YET, WATCHED
from pipeline.results.documents import read_result
from pipeline.results.monitoring import MonitoredMetric, MonitoredValue, Monitoring
from pipeline.runners.local.display import print_words
from pipeline.runners.local.outcome import RunOutcome
from pipeline.runners.local.run import LocalRun, run_graph
from pipeline.titles import title_or_name

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

_SHOWN: tuple[tuple[MonitoredMetric, str], ...] = (
    ("expected_auc", "expected AUC"),
    ("auc", "observed AUC"),
    ("calibration_in_the_large", "mean prediction − observed rate"),
)


@dataclass(frozen=True)
class Monitored:
    """How a monitoring ended.

    Attributes:
        outcome: The outcome of the run.
        found: What it found; None where it did not finish.
    """

    outcome: RunOutcome
    found: Monitoring | None


def monitor(settings: Settings, registry: str | None, prediction_log: str) -> Monitored:
    """Runs the pipeline of a monitoring.

    Args:
        settings: The choices that a run of the pipeline has as well.
        registry: Root of the registry; the one below the root of the run, where None.
        prediction_log: Address of the prediction log.

    Returns:
        The outcome; a failure of a stage is shown, recorded and logged, not raised.

    Raises:
        OSError: A file or folder can't be used before the first stage.
    """
    outcome = run_graph(
        functools.partial(_resolving, settings, registry, prediction_log),
        _LocalMonitoring,
        settings.root,
    )
    document = outcome.paths.get("monitoring")
    found = read_result(Monitoring, str(document.parent)) if document else None
    return Monitored(outcome, found)


def _resolving(settings: Settings, registry: str | None, log: str, run_id: str) -> Any:
    return resolve_monitoring(settings, registry, run_id, log)


class _LocalMonitoring(LocalRun):
    """A monitoring whose settings are resolved."""

    page_stage = "Monitor"

    def create_pipeline(self) -> Pipeline:
        """The graph."""
        from pipeline.monitoring_pipeline import create_monitoring_pipeline

        return create_monitoring_pipeline(self._config)

    def end(
        self, outputs: Mapping[str, Mapping[str, str]], page: Path, paths: Mapping[str, Path]
    ) -> RunOutcome:
        """Shows the newest period of each task, the alarms and paths."""
        folder = outputs["Monitor"]["monitoring"]
        written = {"monitoring": Path(folder) / "monitoring.json", "page": page}
        for line in lines(read_result(Monitoring, folder)):
            print_words(self._console, line)
        for name, path in written.items():
            self._console.print(f"{name:<11} {escape(str(path))}")
        return RunOutcome(self._run, "done", {**paths, **written})


def lines(found: Monitoring) -> Iterator[str]:
    """What the terminal shows, with rich's markup.

    Args:
        found: What was found.
    """
    yield ""
    yield f"champion {escape(found.model.id)}, by {found.period}"
    if not found.periods:
        yield f"  {NOTHING_YET}"
    tasks = dict.fromkeys(value.task for value in found.values)
    for task in tasks:
        yield from _of_task(found, task)
    if tasks:
        yield f"  {ASSUMES}"
    for feature in found.outside_training:
        yield (
            f"  [yellow]![/yellow] {escape(feature)} leaves the range of training: the expected "
            "performance may be far off"
        )
    for alarm in found.fired:
        since = f" since the week of {alarm.since}" if alarm.since else ""
        yield f"  [red]alarm[/red] {WATCHED[alarm.kind]}{since}: {escape(alarm.reason)}"
    if found.alarms and not found.fired:
        yield "  no alarm"
    yield ""


def _of_task(found: Monitoring, task: str) -> Iterator[str]:
    """The newest period that shows a number, for each number."""
    scored = found.series(task, "scored")
    title = escape(title_or_name(task, found.task_titles.get(task)))
    if scored:
        last = scored[-1]
        yield f"  {title}: {count(round(last.value))} subjects from {last.period_start} on"
    for metric, name in _SHOWN:
        if series := found.series(task, metric):
            yield f"    {name} {_text(series[-1])}"


def _text(value: MonitoredValue) -> str:
    before = value.reference_estimate
    text = f"{fixed(value.value)}{interval_text(value.estimate)}"
    if before.value is None:
        return f"{text}, from {value.period_start} on"
    evaluation = f"{fixed(before.value)}{interval_text(before)}"
    return f"{text}, from {value.period_start} on; in the evaluation {evaluation}"
