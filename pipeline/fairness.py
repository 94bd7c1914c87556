"""How far apart groups of subjects lie in a metric."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pipeline.documents import Document
from pipeline.results import MetricRecord

_GAP_METRICS = (
    "auc",
    "calibration_in_the_large",
    "recall",
    "false_positive_rate",
)
"""Metrics whose differences between groups say for whom a model works less well."""


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
    metric: str
    decision_threshold: float | None
    lowest: str
    highest: str
    value: float
    lower: float | None
    upper: float | None
    groups: int


def gaps(records: Sequence[MetricRecord]) -> list[Gap]:
    """Largest gap of the new model in each task, slicing, metric and decision threshold.

    Args:
        records: Records of the groups that may be shown.

    Returns:
        Gaps in the order of the records; slicings with fewer than two groups have none.
    """
    found: dict[tuple[object, ...], list[MetricRecord]] = {}
    for record in records:
        if record.slice and record.metric in _GAP_METRICS and record.model == "challenger":
            key = record.task, record.slicing, record.metric, record.decision_threshold
            found.setdefault(key, []).append(record)
    return [gap for group in found.values() for gap in _largest(group)]


def _interval_of_difference(
    highest: MetricRecord, lowest: MetricRecord
) -> tuple[float, float] | tuple[None, None]:
    """95 % interval of the difference of two groups without common subjects.

    The two estimates are independent, so the distances from the estimates to the ends of their
    intervals add in quadrature (MOVER: Zou and Donner, Statistics in Medicine 2008;27:1693-702).

    Returns:
        Lower end, upper end; None where an estimate or interval is missing.
    """
    high, low = _interval(highest), _interval(lowest)
    if high is None or low is None:
        return None, None
    value = high[0] - low[0]
    return (
        value - math.hypot(high[0] - high[1], low[2] - low[0]),
        value + math.hypot(high[2] - high[0], low[0] - low[1]),
    )


def _largest(records: Sequence[MetricRecord]) -> Iterator[Gap]:
    known = [(record.value, record) for record in records if record.value is not None]
    if len(known) < 2:
        return
    (low, lowest), (high, highest) = (
        min(known, key=lambda pair: pair[0]),
        max(known, key=lambda pair: pair[0]),
    )
    lower, upper = _interval_of_difference(highest, lowest)
    yield Gap(
        task=highest.task,
        slicing=highest.slicing,
        metric=highest.metric,
        decision_threshold=highest.decision_threshold,
        lowest=lowest.group_text,
        highest=highest.group_text,
        value=high - low,
        lower=lower,
        upper=upper,
        groups=len(known),
    )


def _interval(record: MetricRecord) -> tuple[float, float, float] | None:
    if record.value is None or record.lower is None or record.upper is None:
        return None
    return record.value, record.lower, record.upper
