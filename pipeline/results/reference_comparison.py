"""The reference models beside the model of a run, on the same subjects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.estimates import Estimate
from pipeline.names import BASE_RATE
from pipeline.results.documents import Metrics, find_overall
from pipeline.results.judged import Judged
from pipeline.results.reference_models import TITLES


@dataclass(frozen=True)
class Beside:
    """A reference model beside the challenger, on all subjects of a task.

    Attributes:
        task: The task.
        model: The reference model.
        auc: Its AUC.
        brier: Its Brier score.
        auc_gain: The challenger's AUC minus its, paired.
        brier_gain: The challenger's Brier score minus its, paired; negative where the challenger
            is better.
    """

    task: str
    model: str
    auc: Estimate
    brier: Estimate
    auc_gain: Estimate
    brier_gain: Estimate


def reference_models(metrics: Metrics) -> list[Beside]:
    """The reference models of each task, in the order of `TITLES`.

    Args:
        metrics: The Evaluator's document; a task that is suppressed has no reference model.
    """
    return [
        Beside(
            task,
            model,
            _overall(metrics, task, "auc", model),
            _overall(metrics, task, "brier", model),
            _overall(metrics, task, "auc", "difference", model),
            _overall(metrics, task, "brier", "difference", model),
        )
        for task in metrics.tasks
        for model in TITLES
        if find_overall(metrics.records, task, "auc", model)
    ]


def simpler_models(metrics: Metrics, margin: float) -> Iterator[Judged]:
    """Says for each task which reference model predicts as well.

    Args:
        metrics: The Evaluator's document.
        margin: By so much the challenger's AUC must exceed that of a reference model.

    Yields:
        A note for each task with such a model: of the best one with features, which predicts better
        where the whole interval of the paired difference says so, and of the base rate where even
        that predicts as well.
    """
    by_task: dict[str, list[Beside]] = {task: [] for task in metrics.tasks}
    for found in reference_models(metrics):
        gain = found.auc_gain.value
        if gain is not None and gain < margin:
            by_task[found.task].append(found)
    for task, simpler in by_task.items():
        if simpler:
            best = max(simpler, key=lambda found: (found.model != BASE_RATE, found.auc.value or 0))
            own = _overall(metrics, task, "auc", "challenger")
            values = {"reference": best.auc.value, "own": own.value}
            rate = next((item for item in simpler if item.model == BASE_RATE), None)
            if rate is not None and rate is not best:
                values["base_rate"] = rate.auc.value
            yield Judged(
                reason="simpler_model",
                task=task,
                versus=best.model,
                limit=margin,
                estimate=best.auc_gain,
                values=values,
            )


def _overall(
    metrics: Metrics, task: str, metric: str, model: str, versus: str | None = None
) -> Estimate:
    found = find_overall(metrics.records, task, metric, model, versus)
    return found.estimate if found else Estimate()
