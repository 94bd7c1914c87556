"""How far apart groups of subjects lie in a metric."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pipeline.documents import Document
from pipeline.estimates import Estimate
from pipeline.results.documents import MetricName, MetricRecord

GAP_METRICS = (
    "auc",
    "calibration_in_the_large",
    "sensitivity",
    "false_positive_rate",
)
"""Metrics whose differences between groups say for whom a model works less well."""

_DETECTABLE = 2.8015852
"""Standard errors of a difference that is found in 4 of 5 samples: z(0.975) + z(0.8)."""

_INTERVAL_WIDTH = 2 * 1.9599640
"""Width of a 95 % interval in standard errors."""


class Gap(Document):
    """Largest difference of a metric between two groups of one slicing.

    Attributes:
        task: The task.
        slicing: By what the groups were formed.
        metric: The metric.
        decision_threshold: None for metrics that need none.
        lowest: Group with the lowest value.
        highest: Group with the highest value.
        value: Highest minus lowest, in the metric's unit; 0 or more.
        lower: Lower end of its 95 % interval; None where a group has no interval.
        upper: Upper end.
        groups: How many groups were compared.
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


def gaps(records: Sequence[MetricRecord], metrics: Collection[str] = GAP_METRICS) -> list[Gap]:
    """Largest gap of the new model in each task, slicing, metric and decision threshold.

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
    """A group beside another one of its slicing.

    Attributes:
        group: The group.
        reference: What it is held against: the largest group of the slicing.
        difference: Group minus reference, in the metric's unit.
        ratio: Group by reference.
        detectable: The smallest difference between the two that would be found in 4 of 5
            samples of this size; None where an interval is missing.
    """

    group: MetricRecord
    reference: MetricRecord
    difference: Estimate
    ratio: Estimate
    detectable: float | None


def contrasts(records: Sequence[MetricRecord]) -> list[Contrast]:
    """Each group beside the largest one of its slicing.

    Args:
        records: Records of one metric and task, each group once; everybody is passed over.

    Returns:
        In the order of the records; groups without a value have none, nor do slicings with
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
            difference=difference(record, reference),
            ratio=ratio(record, reference),
            detectable=detectable_difference(record, reference),
        )
        for members in slicings.values()
        for reference in [max(members, key=lambda member: member.subjects)]
        for record in members
        if record is not reference
    ]


def difference(first: MetricRecord, second: MetricRecord) -> Estimate:
    """First minus second, for two groups without common subjects.

    The two estimates are independent, so the variances on either side, recovered from their
    intervals, add up: the distances from the estimates to the ends add in quadrature (MOVER: Zou
    and Donner, Statistics in Medicine 2008;27:1693-702).

    Returns:
        Without a number where an estimate is missing, without ends where an interval is.
    """
    if first.value is None or second.value is None:
        return Estimate(None)
    value = first.value - second.value
    one, other = _interval(first), _interval(second)
    if one is None or other is None:
        return Estimate(value)
    return Estimate(
        value,
        value - math.hypot(one[0] - one[1], other[2] - other[0]),
        value + math.hypot(one[2] - one[0], other[0] - other[1]),
    )


def ratio(first: MetricRecord, second: MetricRecord) -> Estimate:
    """First by second, two shares of groups without common subjects.

    Its interval is the one of the difference for a ratio (MOVER-R: Donner and Zou, Statistical
    Methods in Medical Research 2012;21:347-59, equation 9), written without cancellation. The
    delta method on the logarithm, which is more usual, has no interval where a share is 0 and
    knows nothing of intervals with unequal sides.

    Returns:
        Without a number where an estimate is missing or the second is 0; the upper end is
        infinite where the second share may be 0; without ends where an interval is missing.
    """
    if first.value is None or not second.value:
        return Estimate(None)
    value = first.value / second.value
    one, other = _interval(first), _interval(second)
    if one is None or other is None:
        return Estimate(value)
    middle = first.value * second.value
    low, high = (_reach(first.value, end) for end in one[1:])
    other_low, other_high = (_reach(second.value, end) for end in other[1:])
    smallest = middle + math.sqrt(max(0.0, middle**2 - low * other_high))
    largest = middle + math.sqrt(max(0.0, middle**2 - high * other_low))
    return Estimate(
        value,
        low / smallest if smallest else 0.0,
        largest / other_low if other_low > 0 else math.inf,
    )


def detectable_difference(first: MetricRecord, second: MetricRecord) -> float | None:
    """Smallest true difference that would be told from none in 4 of 5 samples of this size.

    2.8 standard errors of the difference: a two-sided test at 5 % then has a power of 80 %
    (minimum detectable effect: Bloom, Evaluation Review 1995;19:547-56). The standard errors
    come from the widths of the groups' intervals.
    """
    one, other = _interval(first), _interval(second)
    if one is None or other is None:
        return None
    widths = math.hypot(one[2] - one[1], other[2] - other[1])
    return _DETECTABLE * widths / _INTERVAL_WIDTH


def _reach(share: float, end: float) -> float:
    """`share² − (share − end)²`."""
    return end * (2 * share - end)


def _largest(records: Sequence[MetricRecord]) -> Iterator[Gap]:
    known = [(record.value, record) for record in records if record.value is not None]
    if len(known) < 2:
        return
    (low, lowest), (high, highest) = (
        min(known, key=lambda pair: pair[0]),
        max(known, key=lambda pair: pair[0]),
    )
    found = difference(highest, lowest)
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
    )


def _interval(record: MetricRecord) -> tuple[float, float, float] | None:
    if record.value is None or record.lower is None or record.upper is None:
        return None
    return record.value, record.lower, record.upper
