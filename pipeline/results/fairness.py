"""Differences and ratios of a metric between groups of subjects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pipeline.documents import Document
from pipeline.estimates import (
    Estimate,
    detectable_difference,
    independent_difference,
    independent_ratio,
)
from pipeline.results.documents import MetricName, MetricRecord

GAP_METRICS = (
    "auc",
    "calibration_in_the_large",
    "sensitivity",
    "false_positive_rate",
)
"""Metrics whose differences between groups show where a model performs worse."""


class Gap(Document):
    """Largest difference of a metric between two groups of one slicing.

    Attributes:
        task: The task.
        slicing: The slicing that forms the groups.
        metric: The metric.
        decision_threshold: None for metrics that need none.
        lowest: Group with the lowest value, in words.
        highest: Group with the highest value, in words.
        lowest_slice: Its value by slicing; empty in documents of earlier versions.
        highest_slice: Likewise.
        value: Highest minus lowest, in the metric's unit; 0 or more.
        lower: Lower bound of its 95 % interval; None if a group has no interval.
        upper: Upper bound.
        groups: Number of groups compared.
    """

    task: str
    slicing: tuple[str, ...]
    metric: MetricName
    decision_threshold: float | None
    lowest: str
    highest: str
    value: float
    lower: float | None
    upper: float | None
    groups: int
    lowest_slice: dict[str, str] = {}
    highest_slice: dict[str, str] = {}

    @property
    def estimate(self) -> Estimate:
        """The difference with its interval."""
        return Estimate(self.value, self.lower, self.upper)


def gaps(records: Sequence[MetricRecord], metrics: Collection[str] = GAP_METRICS) -> list[Gap]:
    """Largest gap of the challenger by task, slicing, metric and decision threshold.

    Args:
        records: Records of the groups that may be shown.
        metrics: Metrics that are compared.

    Returns:
        Gaps in the order of the records; slicings with fewer than two groups have none.
    """
    found: dict[tuple[object, ...], list[MetricRecord]] = {}
    for record in records:
        if record.slice and record.metric in metrics and record.model == "challenger":
            key = record.task, record.slicing, record.metric, record.decision_threshold
            found.setdefault(key, []).append(record)
    return [gap for group in found.values() for gap in _largest(group)]


@dataclass(frozen=True)
class Contrast:
    """Comparison of a group with another one of its slicing.

    Attributes:
        group: The group.
        reference: The group that it is compared with: the largest of the slicing.
        difference: Group minus reference, in the metric's unit.
        ratio: Group divided by reference.
        detectable: The smallest difference between the two that would be detected in 4 of 5 samples
            of this size; None if an interval is missing.
    """

    group: MetricRecord
    reference: MetricRecord
    difference: Estimate
    ratio: Estimate
    detectable: float | None


def contrasts(records: Sequence[MetricRecord]) -> list[Contrast]:
    """Compares each group with the largest one of its slicing.

    Args:
        records: Records of one metric and task, each group once; the overall record is ignored.

    Returns:
        Contrasts in the order of the records; none for groups without a value and for slicings with
        fewer than two groups.
    """
    slicings: dict[tuple[str, ...], list[MetricRecord]] = {}
    for record in records:
        if record.slice and record.value is not None:
            slicings.setdefault(record.slicing, []).append(record)
    return [
        Contrast(
            group=record,
            reference=reference,
            difference=independent_difference(record.estimate, reference.estimate),
            ratio=independent_ratio(record.estimate, reference.estimate),
            detectable=detectable_difference(record.estimate, reference.estimate),
        )
        for members in slicings.values()
        for reference in [max(members, key=lambda member: member.subjects)]
        for record in members
        if record is not reference
    ]


def _largest(records: Sequence[MetricRecord]) -> Iterator[Gap]:
    known = [(record.value, record) for record in records if record.value is not None]
    if len(known) < 2:
        return
    (low, lowest), (high, highest) = (
        min(known, key=lambda pair: pair[0]),
        max(known, key=lambda pair: pair[0]),
    )
    found = independent_difference(highest.estimate, lowest.estimate)
    yield Gap(
        task=highest.task,
        slicing=highest.slicing,
        metric=highest.metric,
        decision_threshold=highest.decision_threshold,
        lowest=lowest.group_text,
        highest=highest.group_text,
        value=high - low,
        lower=found.lower,
        upper=found.upper,
        groups=len(known),
        lowest_slice=lowest.slice,
        highest_slice=highest.slice,
    )
