"""Decisions at a threshold by group: subjects flagged, found, missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.estimates import Estimate, share_of
from pipeline.results.curve_points import Confusion
from pipeline.results.documents import Curves, GroupCurves, MetricRecord

PREDICTED_POSITIVE_RATE = "predicted_positive_rate"
NEGATIVE_PREDICTIVE_VALUE = "negative_predictive_value"


@dataclass(frozen=True)
class Decisions:
    """Subjects of a group by decision and outcome.

    Attributes:
        threshold: Predicted probability from which a subject is flagged.
        found: Flagged, with the outcome.
        false_alarms: Flagged, without it.
        missed: Not flagged, with it.
        spared: Not flagged, without it.
    """

    threshold: float
    found: int
    false_alarms: int
    missed: int
    spared: int

    @property
    def subjects(self) -> int:
        """Number of all subjects."""
        return self.found + self.false_alarms + self.missed + self.spared

    @property
    def predicted_positive_rate(self) -> Estimate:
        """Share of subjects that are flagged."""
        return share_of(self.found + self.false_alarms, self.subjects)

    @property
    def sensitivity(self) -> Estimate:
        """Share of subjects with the outcome that are flagged."""
        return share_of(self.found, self.found + self.missed)

    @property
    def false_positive_rate(self) -> Estimate:
        """Share of subjects without the outcome that are flagged."""
        return share_of(self.false_alarms, self.false_alarms + self.spared)

    @property
    def positive_predictive_value(self) -> Estimate:
        """Share of flagged subjects that have the outcome."""
        return share_of(self.found, self.found + self.false_alarms)

    @property
    def negative_predictive_value(self) -> Estimate:
        """Share of subjects not flagged that do not have the outcome."""
        return share_of(self.spared, self.spared + self.missed)


def decisions_at(curves: GroupCurves, threshold: float) -> Decisions | None:
    """Decisions at a threshold, or at the nearest one that the run evaluated for the group.

    A group's curve has no values between its points, since a number could then concern few
    subjects.

    Args:
        curves: Curves of the group.
        threshold: A probability.

    Returns:
        The decisions with the evaluated threshold; None for a group without a point.
    """
    points = [*map(_decisions, curves.confusion), *_along_the_curve(curves)]
    return min(points, key=lambda point: abs(point.threshold - threshold), default=None)


def decision_records(curves: Curves) -> list[MetricRecord]:
    """Shares of the challenger's decisions that `metrics.json` lacks, as its records.

    Args:
        curves: Curves of the groups shown.

    Returns:
        The predicted positive rate and the negative predictive value of each group at each
        decision threshold, with Wilson's interval.
    """
    return [
        MetricRecord(
            task=group.task,
            slice=group.slice,
            metric=metric,
            decision_threshold=item.decision_threshold,
            model=group.model,
            value=share.value,
            lower=share.lower,
            upper=share.upper,
            subjects=group.subjects,
            positives=group.positives,
        )
        for group in curves.curves
        if group.model == "challenger"
        for item in group.confusion
        for at in (_decisions(item),)
        for metric, share in (
            (PREDICTED_POSITIVE_RATE, at.predicted_positive_rate),
            (NEGATIVE_PREDICTIVE_VALUE, at.negative_predictive_value),
        )
    ]


def evaluated_thresholds(curves: Sequence[GroupCurves]) -> list[float]:
    """Thresholds that a run evaluated for any group, rising, without the ends of the curves."""
    found = {item.decision_threshold for group in curves for item in group.confusion}
    found |= {point.threshold for group in curves for point in group.roc[1:-1]}
    return sorted(found)


def _decisions(item: Confusion) -> Decisions:
    return Decisions(
        item.decision_threshold,
        item.true_positives,
        item.false_positives,
        item.false_negatives,
        item.true_negatives,
    )


def _along_the_curve(curves: GroupCurves) -> list[Decisions]:
    """The points of the ROC curve as counts, without its two ends."""
    positives, negatives = curves.positives, curves.subjects - curves.positives
    made = []
    for point in curves.roc[1:-1]:
        found = round(point.true_positive_rate * positives)
        false = round(point.false_positive_rate * negatives)
        made.append(Decisions(point.threshold, found, false, positives - found, negatives - false))
    return made
