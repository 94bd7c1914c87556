"""Whether mean predictions agree with the risks by the horizon where follow-up ends before it.

The risk by the horizon comes from the times of the events alone, the mean prediction from a model
and from weighted labels: a model or a weight that ignores censoring predicts too much or too
little, by arm where the arms are followed differently.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.evaluator.comparisons import Suppressed
from pipeline.estimates import Estimate
from pipeline.names import CHALLENGER
from pipeline.results.censoring import ALL_SUBJECTS, CensoredTask
from pipeline.results.documents import Group, Metrics
from pipeline.results.predicted_risks import RISK_OUTCOMES, PredictedRisk, RiskReason

_MEAN = "mean_prediction"


def predicted_risks(
    censoring: Mapping[str, CensoredTask], metrics: Metrics, slicing: str, hidden: Suppressed
) -> tuple[PredictedRisk, ...]:
    """Compares every task's mean prediction with its risk, in all subjects and in each arm.

    Where all subjects are evaluated, the mean prediction agrees if it lies within the risk's
    interval. A test split holds a part of the subjects that the risk is of, so the mean has an
    interval of its own: it agrees if the intervals overlap. A risk from which few censored subjects
    would follow is compared, but not shown.

    Args:
        censoring: Follow-up by task, of all subjects.
        metrics: What may be shown of the metrics.
        slicing: Name of the slicing by arm; empty without one.
        hidden: Suppressed groups by task.

    Returns:
        One for each group of the tasks whose follow-up is not complete, in their order.
    """
    of_part = metrics.evaluation.scheme == "split"
    means = {
        (record.task, record.group): record.estimate
        for record in metrics.records
        if record.metric == _MEAN and record.model == CHALLENGER
    }
    found = []
    for name, task in censoring.items():
        if task.is_complete:
            continue
        shown = task.published(metrics.smallest_group).by_group
        for arm, follow_up in task.by_group.items():
            group: Group = () if arm in (ALL_SUBJECTS, "") else ((slicing, arm),)
            mean = means.get((name, group), Estimate())
            is_small = (follow_up.subjects or 0) < metrics.smallest_group
            reason: RiskReason = (
                "group_too_small"
                if is_small or group in hidden.get(name, {})
                else _reason(follow_up.risk, mean, of_part)
            )
            found.append(
                PredictedRisk(
                    task=name,
                    arm=arm,
                    risk=shown[arm].risk if arm in shown else Estimate(),
                    mean_prediction=mean,
                    is_too_high=_is_too_high(reason, follow_up.risk, mean),
                    outcome=RISK_OUTCOMES[reason],
                    reason=reason,
                )
            )
    return tuple(found)


def _is_too_high(reason: RiskReason, risk: Estimate, mean: Estimate) -> bool | None:
    if reason != "outside_interval":
        return None
    return _value(mean) > _value(risk)


def _reason(risk: Estimate, mean: Estimate, of_part: bool) -> RiskReason:
    if risk.lower is None or risk.upper is None:
        return "no_risk"
    if mean.value is None:
        return "no_prediction"
    low = high = mean.value
    if of_part and mean.lower is not None and mean.upper is not None:
        low, high = mean.lower, mean.upper
    agrees = low <= risk.upper and high >= risk.lower
    return "within_interval" if agrees else "outside_interval"


def _value(found: Estimate) -> float:
    return 0.0 if found.value is None else found.value
