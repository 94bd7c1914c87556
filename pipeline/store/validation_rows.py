"""Converts the results of an external validation to rows of the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pipeline.estimates import Estimate
from pipeline.results.documents import Curves, Metrics
from pipeline.results.net_benefits import net_benefits
from pipeline.results.validation import ExternalValidation, ModelUpdate, TaskValidation
from pipeline.store import models
from pipeline.store.rows import (
    NO_THRESHOLD,
    Row,
    Rows,
    calibration_rows,
    group_columns,
    metric_rows,
    suppressed_rows,
)

OVER_ALL = "net_benefit_over_all"


def validation_rows(
    run: str, validation: ExternalValidation, metrics: Metrics, curves: Curves
) -> Rows:
    """Rows of what ExternalValidation and the Evaluator found.

    A validated model is no model of the study's runs: it has no row in `models`, and what was
    demanded of it is on the validation's page alone.

    Args:
        run: Id of the run.
        validation: The validation.
        metrics: The Evaluator's metrics of all groups that may be shown.
        curves: Its curves of the same groups.
    """
    found = [*_net_benefits(curves, validation)]
    for task in validation.tasks:
        found += _of_task(task)
    return {
        models.Validation: [
            {
                "run": run,
                "study": validation.study,
                "model_study": validation.model.study,
                "model": validation.model.id,
                "model_fingerprint": validation.model.fingerprint,
                "subjects": validation.subjects,
            }
        ],
        models.ValidationEstimate: [{"run": run, **row} for row in found],
        models.Metric: metric_rows(run, metrics),
        models.CalibrationBin: list(calibration_rows(run, curves)),
        models.SuppressedGroup: suppressed_rows(run, metrics),
    }


def _net_benefits(curves: Curves, validation: ExternalValidation) -> Iterator[Row]:
    """The net benefit at the decision thresholds of the tasks, of all subjects and of groups."""
    for task, thresholds in validation.decision_thresholds.items():
        for group, points in net_benefits(curves, task, thresholds).items():
            for point in points:
                found = {"net_benefit": point.estimate, OVER_ALL: point.gain_over_all}
                for measure, estimate in found.items():
                    yield _row(task, measure, estimate, point.threshold, group=dict(group))


def _of_task(task: TaskValidation) -> Iterator[Row]:
    if task.observed_to_expected.value is not None:
        yield _row(task.task, "observed_to_expected", task.observed_to_expected)
    for update in task.updates:
        yield from _of_update(task.task, update)


def _of_update(task: str, update: ModelUpdate) -> Iterator[Row]:
    found = {
        "intercept": update.intercept,
        "slope": update.slope,
        "log_loss_gain": update.log_loss_gain,
        "brier_gain": update.brier_gain,
    }
    for measure, estimate in found.items():
        if estimate is not None:
            yield _row(task, measure, estimate, method=update.method)
    for gain in update.net_benefit_gains:
        yield _row(task, "net_benefit_gain", gain.gain, gain.decision_threshold, update.method)


def _row(
    task: str,
    measure: str,
    estimate: Estimate,
    decision_threshold: float = NO_THRESHOLD,
    method: str = "",
    group: Mapping[str, str] = MappingProxyType({}),
) -> Row:
    return {
        "task": task,
        **group_columns(group),
        "measure": measure,
        "method": method,
        "decision_threshold": decision_threshold,
        "value": estimate.value,
        "lower": estimate.lower,
        "upper": estimate.upper,
    }
