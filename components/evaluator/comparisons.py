"""Comparisons: one limit of a threshold, applied to one group of a task, with its outcome."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.evaluator.intervals import enough_events
from components.evaluator.records import Record, group_text, is_of_champion, number_or_none
from pipeline.names import BASE_RATE, CHAMPION
from pipeline.results.documents import OVERALL, Group, ModelRole
from pipeline.results.outcomes import LEAST_EVENTS, OUTCOMES, ComparisonReason, Origin, Outcome
from pipeline.results.suppress import SuppressionReason
from pipeline.study.sections import Side, Threshold

RecordKey = tuple[str, Group, str, float | None, ModelRole, str | None]
Suppressed = Mapping[str, Mapping[Group, SuppressionReason]]
"""Suppressed groups of each task, with the reason."""

_BEYOND: Mapping[tuple[Side, str], str] = {
    ("at_least", "point"): "below",
    ("at_least", "bound"): "lower bound below",
    ("at_most", "point"): "above",
    ("at_most", "bound"): "upper bound above",
    ("at_least", "overlap"): "interval wholly below",
    ("at_most", "overlap"): "interval wholly above",
}
"""Description of a value beyond its limit, by side and `holds`."""

_EXPLANATIONS: Mapping[ComparisonReason, str] = {
    "within_limit": "",
    "no_value": "has no value (for example, because all subjects have the same outcome, or no "
    "prediction reaches the decision threshold)",
    "no_interval": "has no confidence interval, but the threshold applies to it",
    "too_few_subjects": "can't be judged: fewer than {smallest_group} subjects have a known "
    "outcome",
    "too_few_events": f"can't be judged: fewer than {LEAST_EVENTS} subjects with the outcome, or "
    "without it",
    "group_too_small": "is not judged: fewer than {smallest_group} subjects have a known outcome",
    "no_champion": "is not judged: no champion was scored",
    "no_reference": "can't be judged: the reference model was not fitted",
}
"""Reasons as the end of a sentence; `beyond_limit` has numbers, see `_beyond`."""

_OF_UNSEEN = "of the subjects that neither model was trained, stopped or calibrated on, fewer than"
_EXPLANATIONS_OF_CHAMPION: Mapping[ComparisonReason, str] = {
    "too_few_subjects": f"can't be judged: {_OF_UNSEEN} {{smallest_group}} have a known outcome",
    "too_few_events": f"can't be judged: {_OF_UNSEEN} {LEAST_EVENTS} have the outcome, or are "
    "without it",
    "group_too_small": f"is not judged: {_OF_UNSEEN} {{smallest_group}} have a known outcome",
}
"""The same of comparisons with the champion, which may be on a part of the subjects."""

_NOT_SHOWN: Mapping[tuple[str, str | None], str] = {
    ("auc", None): "that it ranks subjects better than guessing is not shown",
    ("auc", CHAMPION): "that it ranks subjects about as well as the champion is not shown",
    ("brier", BASE_RATE): "that it predicts better than the arm's rate of the outcome is not shown",
    ("calibration_in_the_large", None): "its predictions are too high or too low on the whole",
    ("calibration_slope", None): "its predictions are too extreme (below 1) or too timid (above 1)",
}
"""What a default that fails means, by metric and the model that it is compared with."""


@dataclass(frozen=True)
class Application:
    """A threshold applied to one group of one task, for one model.

    Attributes:
        number: Place of the threshold among those of the study file and, after them, the defaults;
            from 0.
        origin: Whether the study file demands it or it is a default.
        threshold: The threshold.
        task: The task.
        group: The group of subjects.
        decision_threshold: For metrics of decisions.
        model: The model whose metric is judged.
    """

    number: int
    origin: Origin
    threshold: Threshold
    task: str
    group: Group
    decision_threshold: float | None
    model: ModelRole

    @property
    def is_of_champion(self) -> bool:
        """Whether the judged metric is of the subjects on which the champion is compared."""
        return is_of_champion(self.model, self.threshold.reference)

    @property
    def key(self) -> RecordKey:
        """Key of the record that is judged."""
        metric, versus = self.threshold.metric, self.threshold.reference
        return self.task, self.group, metric, self.decision_threshold, self.model, versus

    @property
    def subject(self) -> str:
        """The judged metric, as the beginning of a sentence."""
        measure: str = self.threshold.metric
        if self.decision_threshold is not None:
            measure += f" at decision threshold {self.decision_threshold:g}"
        if self.model == "difference":
            other = (self.threshold.versus or "").replace("_", " ")
            measure = f"difference of {measure} to the {other}"
        if self.model == "champion":
            measure += " of the champion"
        place = f"in slice {group_text(self.group)}" if self.group else "overall"
        return f"{self.task}: {measure} {place}"


@dataclass(frozen=True)
class Comparison:
    """A limit of a threshold, compared with a metric of a group.

    Attributes:
        application: The threshold and what it is applied to.
        side: On which side of the limit the metric passes.
        limit: The limit.
        value: The judged value: the point estimate or the bound of its interval; None if it is
            missing or the group is suppressed.
        reason: Reason of the outcome.
        message: A sentence for people; empty if the comparison passes.
        shown: The judged record; None if there is none or the group is suppressed.
    """

    application: Application
    side: Side
    limit: float
    value: float | None
    reason: ComparisonReason
    message: str
    shown: Record | None

    @property
    def outcome(self) -> Outcome:
        """Whether the metric passes, fails or is not judged."""
        return OUTCOMES[self.reason]

    @property
    def decides(self) -> bool:
        """Whether the blessing depends on it: the champion's own metrics do not decide."""
        return self.application.model != "champion"

    @property
    def refuses(self) -> bool:
        """Whether the model is refused because of it."""
        return self.decides and self.outcome == "fails"

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON-like content."""
        of = self.application
        return {
            "threshold": of.number,
            "origin": of.origin,
            "model": of.model,
            "versus": of.threshold.reference,
            "task": of.task,
            "slice": dict(of.group),
            "metric": of.threshold.metric,
            "decision_threshold": of.decision_threshold,
            "side": self.side,
            "limit": self.limit,
            "holds": of.threshold.holds,
            "strict": of.threshold.strict,
            "value": self.value,
            "outcome": self.outcome,
            "reason": self.reason,
            "message": self.message,
        }


def compare(
    application: Application,
    found: Record | None,
    suppression: SuppressionReason | None,
    smallest_group: int,
    has_champion: bool,
) -> Iterator[Comparison]:
    """Compares a metric with each limit of a threshold.

    A group that is suppressed to protect another group is large enough and is judged, but the
    comparison holds neither its value nor any digit of it.

    Args:
        application: The threshold and what it is applied to.
        found: The record of the metric, if there is one.
        suppression: Reason why the group is suppressed; None if it is shown.
        smallest_group: Fewest subjects that a group is shown for.
        has_champion: Whether a champion was scored.
    """
    shown = found if suppression is None else None
    for side, limit in application.threshold.limits:
        judged = _judged_value(application.threshold, found, side)
        reason = _reason_against(application, found, suppression, has_champion)
        if reason is None:
            within = _is_within(application.threshold, judged, side, limit)
            reason = "within_limit" if within else "beyond_limit"
        compared = reason in ("within_limit", "beyond_limit")
        explanation = (
            _beyond(application, shown, judged, side, limit)
            if reason == "beyond_limit"
            else _explanation(application, reason).format(smallest_group=smallest_group)
        )
        yield Comparison(
            application=application,
            side=side,
            limit=limit,
            value=number_or_none(judged) if compared and shown else None,
            reason=reason,
            message=f"{application.subject} {explanation}" if explanation else "",
            shown=shown,
        )


def _explanation(application: Application, reason: ComparisonReason) -> str:
    if application.is_of_champion and reason in _EXPLANATIONS_OF_CHAMPION:
        return _EXPLANATIONS_OF_CHAMPION[reason]
    return _EXPLANATIONS[reason]


def _reason_against(
    application: Application,
    found: Record | None,
    suppression: SuppressionReason | None,
    has_champion: bool,
) -> ComparisonReason | None:
    """The reason why no value can be compared with a limit; None if one can."""
    reference = application.threshold.reference
    if application.model != "challenger" and not reference and not has_champion:
        return "no_champion"
    if suppression == "too_small" or (found is None and application.is_of_champion):
        return "too_few_subjects" if application.group == OVERALL else "group_too_small"
    if found is None:
        return "no_reference" if reference else "no_value"
    if not enough_events(application.threshold.metric, found.positives, found.negatives):
        return "too_few_events"
    if math.isnan(found.value):
        return "no_value"
    ends = found.lower, found.upper
    if application.threshold.holds != "point" and not all(map(math.isfinite, ends)):
        return "no_interval"
    return None


def _judged_value(threshold: Threshold, found: Record | None, side: Side) -> float:
    if found is None:
        return math.nan
    if threshold.holds == "point":
        return found.value
    return found.lower if (side == "at_least") == (threshold.holds == "bound") else found.upper


def _is_within(threshold: Threshold, judged: float, side: Side, limit: float) -> bool:
    if judged == limit:
        return not threshold.strict
    return (judged > limit) == (side == "at_least")


def _beyond(
    application: Application, shown: Record | None, judged: float, side: Side, limit: float
) -> str:
    threshold = application.threshold
    where = _BEYOND[side, threshold.holds] + (" or at" if threshold.strict else "")
    if shown is None:
        return f"is {where} {limit:g} (suppressed: a smaller group's numbers would follow)"
    meaning = _NOT_SHOWN.get((threshold.metric, threshold.versus))
    means = f": {meaning}" if meaning and application.origin == "default" else ""
    digits = _digits(judged, limit)
    value = f"{shown.value:z.{digits}g}"
    if math.isfinite(shown.lower) and math.isfinite(shown.upper):
        value += f" ({shown.lower:z.{digits}g} to {shown.upper:z.{digits}g})"
    return f"is {value}, {where} {limit:g}{means}"


def _digits(value: float, limit: float) -> int:
    """Three significant digits, or as many as distinguish the value from its limit."""
    if value == limit:
        return 3
    for digits in range(3, 17):
        if float(f"{value:.{digits}g}") != limit:
            return digits
    return 17
