"""Comparisons: one limit of a threshold, applied to one group of a task, with its outcome."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.evaluator.coarse import GroupResolution
from components.evaluator.intervals import enough_events
from components.evaluator.named_groups import is_merged
from components.evaluator.records import Record, number_or_none
from pipeline.estimates import Estimate
from pipeline.results.documents import OVERALL, Group, ModelRole
from pipeline.results.judged import Judged, is_of_champion
from pipeline.results.outcomes import OUTCOMES, ComparisonReason, Origin, Outcome
from pipeline.results.suppress import SuppressionReason
from pipeline.study.sections import Side, Threshold

RecordKey = tuple[str, Group, str, float | None, ModelRole, str | None]
Suppressed = Mapping[str, Mapping[Group, SuppressionReason]]
"""Suppressed groups of each task, with the reason."""

_OF_SIZE: frozenset[ComparisonReason] = frozenset({"too_few_subjects", "group_too_small"})
"""Reasons that the smallest group decides."""


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
        smallest_group: Fewest subjects that a group is shown for.
        shown: The judged record as it is shown; None if there is none or the group is suppressed.
    """

    application: Application
    side: Side
    limit: float
    value: float | None
    reason: ComparisonReason
    smallest_group: int
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

    @property
    def judged(self) -> Judged:
        """What the verdict says of it."""
        of = self.application
        beyond = self.shown if self.reason == "beyond_limit" else None
        return Judged(
            reason=self.reason,
            task=of.task,
            slice=dict(of.group),
            metric=of.threshold.metric,
            decision_threshold=of.decision_threshold,
            model=of.model,
            versus=of.threshold.reference,
            origin=of.origin,
            side=self.side,
            limit=self.limit,
            holds=of.threshold.holds,
            strict=of.threshold.strict,
            estimate=beyond.shown().estimate if beyond else Estimate(),
            smallest_group=self.smallest_group
            if self.reason in _OF_SIZE and not is_merged(of.group)
            else None,
        )

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON-like content."""
        of = self.application
        told = self.judged.model_dump(exclude_defaults=True)
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
            **{key: told[key] for key in ("estimate", "smallest_group") if key in told},
        }


def compare(
    application: Application,
    found: Record | None,
    suppression: SuppressionReason | None,
    smallest_group: int,
    has_champion: bool,
    groups: GroupResolution,
) -> Iterator[Comparison]:
    """Compares a metric with each limit of a threshold.

    A group that is suppressed to protect another group is large enough and is judged, but the
    comparison holds neither its value nor any digit of it. The exact value is judged also where
    it is shown at the resolution of its group.

    Args:
        application: The threshold and what it is applied to.
        found: The record of the metric, if there is one.
        suppression: Reason why the group is suppressed; None if it is shown.
        smallest_group: Fewest subjects that a group is shown for.
        has_champion: Whether a champion was scored.
        groups: How the numbers of groups are shown.
    """
    shown = groups.record(found) if found and suppression is None else None
    for side, limit in application.threshold.limits:
        judged = _judged_value(application.threshold, found, side)
        reason = _reason_against(application, found, suppression, has_champion)
        if reason is None:
            within = _is_within(application.threshold, judged, side, limit)
            reason = "within_limit" if within else "beyond_limit"
        compared = reason in ("within_limit", "beyond_limit")
        yield Comparison(
            application=application,
            side=side,
            limit=limit,
            value=number_or_none(_judged_value(application.threshold, shown, side))
            if compared
            else None,
            reason=reason,
            smallest_group=smallest_group,
            shown=shown,
        )


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
