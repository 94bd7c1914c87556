"""Limits of the results in small groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from notebooks.fairness.group_results import TaskGroups, group_name, task_groups
from notebooks.opened_run import OpenedRun
from notebooks.shown import Shown, show_sections
from pipeline.html.blocks import Block, Bullets, Cell, Column, Notice, Paragraph, Table
from pipeline.html.numbers import has_interval, number
from pipeline.html.page import Section
from pipeline.metrics import METRICS
from pipeline.pages.evaluation.wording import not_shown_sentence, values_text
from pipeline.results.documents import MetricRecord
from pipeline.results.fairness import Contrast

_RATES = ("sensitivity", "false_positive_rate")
MOST_OF_THE_POSSIBLE = 0.5
"""Width of a share's interval from which it is uninformative."""

_LEVEL = 0.05


@dataclass(frozen=True)
class Detectable:
    """The smallest detectable differences between groups of one slicing.

    Attributes:
        slicing: The slicing.
        best: The pair of groups with the smallest detectable difference.
        worst: The pair with the largest one.
    """

    slicing: str
    best: Contrast
    worst: Contrast


def limits(run: OpenedRun) -> Shown:
    """What can't be concluded about small groups, from the run's own numbers."""
    return show_sections(
        *(Section(groups.title, tuple(_blocks(groups))) for groups in task_groups(run))
    )


def wide(records: Sequence[MetricRecord]) -> list[MetricRecord]:
    """Records of shares whose interval spans at least half of the range, or is missing."""
    return [
        record
        for record in records
        if record.lower is None
        or record.upper is None
        or record.upper - record.lower >= MOST_OF_THE_POSSIBLE
    ]


def detectable(contrasts: Sequence[Contrast]) -> list[Detectable]:
    """The smallest detectable differences by slicing.

    Args:
        contrasts: Groups of some slicings compared with the largest of each, for one metric.

    Returns:
        In the order of the contrasts; slicings without an interval are excluded.
    """
    found: dict[str, list[tuple[float, Contrast]]] = {}
    for contrast in contrasts:
        if contrast.detectable is not None:
            slicing = " × ".join(contrast.group.slicing)
            found.setdefault(slicing, []).append((contrast.detectable, contrast))
    return [
        Detectable(
            slicing,
            min(members, key=lambda member: member[0])[1],
            max(members, key=lambda member: member[0])[1],
        )
        for slicing, members in found.items()
    ]


def excluding_zero(contrasts: Sequence[Contrast]) -> int:
    """How many differences have an interval without 0."""
    return sum(
        has_interval(contrast.difference)
        and not (contrast.difference.lower or 0) <= 0 <= (contrast.difference.upper or 0)
        for contrast in contrasts
    )


def _blocks(groups: TaskGroups) -> Iterator[Block]:
    threshold = next(iter(groups.decision_thresholds), None)
    if threshold is None or not groups.groups:
        yield Paragraph("No group is shown for this task.")
        return
    yield from (_wide(groups, metric, threshold) for metric in _RATES)
    contrasts = [
        contrast
        for metric in _RATES
        for contrast in groups.contrasts(metric, groups.groups, threshold)
    ]
    yield _detectable_table(groups, threshold)
    yield Bullets(
        [
            f"{len(contrasts)} differences are shown here (sensitivity and false positive "
            f"rate, each group compared with the largest of its slicing). If none were real, "
            f"about {_LEVEL * len(contrasts):.0f} of the intervals would still exclude 0 by "
            f"chance; {excluding_zero(contrasts)} do.",
            "Precision depends on the number of events: sensitivity is estimated from a group's "
            "subjects with the outcome, not from all its subjects.",
            "A gap that is not detected may still be as large as its interval allows.",
            *([sentence] if (sentence := not_shown_sentence(groups.result, groups.task)) else []),
        ]
    )


def _wide(groups: TaskGroups, metric: str, threshold: float) -> Block:
    records = groups.of_groups(metric, groups.groups, threshold)
    found = wide(records)
    title = METRICS[metric].title
    at = f"at the threshold {threshold:g}"
    if not found:
        return Notice(
            "neutral",
            f"{title} {at}: every group has an informative interval",
            f"The 95 % intervals of all {len(records)} groups span less than half of the possible "
            "range.",
        )
    return Notice(
        "warn",
        f"{title} {at}: {len(found)} of {len(records)} groups have no informative interval",
        "Their 95 % interval spans at least half of the possible range, or is missing.",
        [_describe_group(record, metric) for record in found],
    )


def _describe_group(record: MetricRecord, metric: str) -> str:
    basis = (
        f"{record.positives} with the outcome"
        if metric == "sensitivity"
        else f"{record.subjects} subjects"
    )
    if record.lower is None or record.upper is None:
        return f"{group_name(record.group)} ({basis}): no interval"
    ends = (number(end, 0, percent=True) for end in (record.lower, record.upper))
    return f"{group_name(record.group)} ({basis}): {' to '.join(ends)}"


def _detectable_table(groups: TaskGroups, threshold: float) -> Table:
    rows = [
        (
            found.slicing,
            METRICS[metric].title,
            _pair(found.best),
            found.best.detectable,
            _pair(found.worst),
            Cell(found.worst.detectable, "warn")
            if (found.worst.detectable or 0) >= MOST_OF_THE_POSSIBLE
            else found.worst.detectable,
        )
        for metric in _RATES
        for found in detectable(groups.contrasts(metric, groups.groups, threshold))
    ]
    return Table(
        f"Smallest detectable difference, at the threshold {threshold:g}",
        (
            Column("Groups by"),
            Column("Measure"),
            Column("Most precise pair"),
            Column("Smallest difference", "end", 0, percent=True),
            Column("Least precise pair"),
            Column("Smallest difference", "end", 0, percent=True),
        ),
        rows,
        (
            "In percentage points. A true difference of this size is detected in 4 "
            "of 5 trials of this size (two-sided test at 5 %, power 80 %; Bloom 1995); smaller "
            "ones are usually missed.",
        ),
    )


def _pair(contrast: Contrast) -> str:
    group, reference = (
        values_text(record.group) for record in (contrast.group, contrast.reference)
    )
    return f"{group} and {reference}"
