"""Decisions at a threshold by group: subjects flagged, found, missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.estimates import Estimate, share_of
from pipeline.results.curve_points import Confusion, WeightedOutcomes
from pipeline.results.documents import Curves, GroupCurves, MetricRecord

PREDICTED_POSITIVE_RATE = "predicted_positive_rate"
NEGATIVE_PREDICTIVE_VALUE = "negative_predictive_value"


@dataclass(frozen=True)
class Decisions:
    """Subjects of a group by decision and outcome.

    Where subjects are weighted, these are no counts but shares of the group's effective number.

    Attributes:
        threshold: Predicted probability from which a subject is flagged.
        found: Flagged, with the outcome.
        false_alarms: Flagged, without it.
        missed: Not flagged, with it.
        spared: Not flagged, without it.
    """

    threshold: float
    found: float
    false_alarms: float
    missed: float
    spared: float

    @property
    def subjects(self) -> float:
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
    points = [*(_decisions(item, curves) for item in curves.confusion), *_along_the_curve(curves)]
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
        for at in (_decisions(item, group),)
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


def _decisions(item: Confusion, group: GroupCurves) -> Decisions:
    rates = item.true_positive_rate, item.false_positive_rate
    if group.weighted and rates[0] is not None and rates[1] is not None:
        return _of_rates(item.decision_threshold, rates[0], rates[1], group.weighted)
    return Decisions(
        item.decision_threshold,
        item.true_positives,
        item.false_positives,
        item.false_negatives,
        item.true_negatives,
    )


def _along_the_curve(curves: GroupCurves) -> list[Decisions]:
    """The points of the ROC curve as counts, without its two ends."""
    if curves.weighted:
        return [
            _of_rates(
                point.threshold,
                point.true_positive_rate,
                point.false_positive_rate,
                curves.weighted,
            )
            for point in curves.roc[1:-1]
        ]
    positives, negatives = curves.positives, curves.subjects - curves.positives
    made = []
    for point in curves.roc[1:-1]:
        found = round(point.true_positive_rate * positives)
        false = round(point.false_positive_rate * negatives)
        made.append(Decisions(point.threshold, found, false, positives - found, negatives - false))
    return made


def _of_rates(
    threshold: float,
    true_positive_rate: float,
    false_positive_rate: float,
    outcomes: WeightedOutcomes,
) -> Decisions:
    positives = outcomes.observed_rate * outcomes.effective_subjects
    negatives = outcomes.effective_subjects - positives
    found, false = true_positive_rate * positives, false_positive_rate * negatives
    return Decisions(threshold, found, false, positives - found, negatives - false)
