"""Rates, gaps, calibration and intersections of groups for the fairness notebook.

All numbers come from `metrics.json` and `curves.json`, TFMA's result without suppressed groups;
TFMA's own files hold groups of any size and are not read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from notebooks.fairness.group_results import TaskGroups, group_name, task_groups
from notebooks.opened_run import OpenedRun
from notebooks.shown import Shown, show_sections
from pipeline.estimates import Estimate, independent_ratio
from pipeline.html.blocks import Block, Column, Details, Figure, Grid, Paragraph, Table
from pipeline.html.charts import (
    CalibrationCurve,
    ForestRow,
    Measure,
    calibration_curve,
    forest_plot,
    heat_map,
)
from pipeline.html.numbers import Suppressed, Value, estimate, number, text_of
from pipeline.html.page import Section
from pipeline.metrics import METRICS
from pipeline.pages.evaluation.wording import not_shown_sentence, values_text
from pipeline.pages.metrics import metric_column, metric_title
from pipeline.results.decisions import NEGATIVE_PREDICTIVE_VALUE, PREDICTED_POSITIVE_RATE
from pipeline.results.documents import OVERALL, Group, MetricRecord
from pipeline.results.fairness import Contrast, Gap, gaps
from pipeline.results.group_order import rising

_RATES = (
    "sensitivity",
    "specificity",
    "positive_predictive_value",
    NEGATIVE_PREDICTIVE_VALUE,
    PREDICTED_POSITIVE_RATE,
    "false_positive_rate",
    "false_negative_rate",
)
_DRAWN_RATES = ("sensitivity", "false_positive_rate", PREDICTED_POSITIVE_RATE)
_COMPARED_RATES = (
    PREDICTED_POSITIVE_RATE,
    "sensitivity",
    "false_positive_rate",
    "positive_predictive_value",
)
_COMPARED = ("auc", "calibration_in_the_large", *_COMPARED_RATES)
_CALIBRATION = ("calibration_in_the_large", "calibration_slope", "expected_calibration_error")
_MOST_CURVES = 5
_SIZE_COLUMNS = (Column("Group"), Column("Subjects", "end"), Column("With outcome", "end"))

_CHOSEN = (
    "The two groups of a row are those that differ most: with many groups a "
    "difference is expected by chance, and the interval, which ignores the selection, is "
    "too narrow."
)
_INDEPENDENT = (
    "The groups of a slicing share no subject, so that their variances add up: intervals of "
    "differences by MOVER (Zou and Donner 2008), of ratios by MOVER-R (Donner and Zou 2012). They "
    "are not adjusted for the number of comparisons."
)


def rates(run: OpenedRun) -> Shown:
    """AUC and rates at the decision thresholds of each task, by slicing."""
    return _by_task(run, _rates)


def between_groups(run: OpenedRun) -> Shown:
    """Differences and ratios between groups."""
    return _by_task(run, _between_groups)


def calibration(run: OpenedRun) -> Shown:
    """Calibration by group."""
    return _by_task(run, _calibration)


def intersections(run: OpenedRun) -> Shown:
    """Groups by pairs of slicings."""
    return _by_task(run, _intersections)


def ratio_text(found: Estimate) -> str:
    """A ratio with its interval, which may have no upper limit or be undefined."""
    if found.value is None:
        return "by 0: undefined"
    if found.lower is not None and found.upper == math.inf:
        return f"{number(found.value, 2)} ({number(found.lower, 2)} to ∞)"
    return estimate(found, 2)


def _by_task(run: OpenedRun, blocks: Callable[[TaskGroups], Iterator[Block]]) -> Shown:
    return show_sections(
        *(Section(groups.title, tuple(blocks(groups))) for groups in task_groups(run))
    )


def _rates(groups: TaskGroups) -> Iterator[Block]:
    if not groups.single:
        yield Paragraph("No group is large enough to be shown.")
        return
    yield groups.forest("auc", groups.single, caption=METRICS["auc"].says)
    for place, threshold in enumerate(groups.decision_thresholds):
        blocks: list[Block] = [*_rate_plots(groups, threshold), _rate_table(groups, threshold)]
        if place == 0:
            yield from blocks
        else:
            yield Details(f"The same at the threshold {threshold:g}", blocks)
    sentence = not_shown_sentence(groups.result, groups.task)
    if sentence:
        yield Paragraph(sentence)


def _rate_plots(groups: TaskGroups, threshold: float) -> list[Figure]:
    return [
        groups.forest(metric, groups.single, threshold, METRICS[metric].says)
        for metric in _DRAWN_RATES
    ]


def _rate_table(groups: TaskGroups, threshold: float) -> Table:
    return Table(
        f"Rates where a prediction of {threshold:g} or more counts as the outcome",
        (*_SIZE_COLUMNS, *map(metric_column, _RATES)),
        [
            (
                *_sizes(groups, group),
                *(groups.estimate(metric, group, threshold) for metric in _RATES),
            )
            for group in (OVERALL, *groups.single)
        ],
        ("With 95 % intervals.",),
    )


def _sizes(groups: TaskGroups, group: Group) -> tuple[str, int | Suppressed, int | Suppressed]:
    return group_name(group), groups.subjects(group), groups.positives(group)


def _between_groups(groups: TaskGroups) -> Iterator[Block]:
    if not groups.single:
        yield Paragraph("No two groups are large enough to be compared.")
        return
    for threshold in groups.decision_thresholds[:1]:
        for metric in _DRAWN_RATES:
            yield _difference_plot(groups, metric, threshold)
    yield from _largest_gaps(groups, groups.single, "Largest gap between two groups")
    for threshold in groups.decision_thresholds:
        yield Details(
            f"Every group compared with the largest of its slicing, at the threshold {threshold:g}",
            (_contrast_table(groups, threshold),),
        )


def _difference_plot(groups: TaskGroups, metric: str, threshold: float) -> Figure:
    rows: list[ForestRow | str] = []
    heading = ""
    for contrast in groups.contrasts(metric, groups.single, threshold):
        slicing = (
            f"{contrast.group.slicing[0]}, compared with {values_text(contrast.reference.group)}"
        )
        if slicing != heading:
            heading = slicing
            rows.append(slicing)
        rows.append(
            ForestRow(
                values_text(contrast.group.group), contrast.difference, contrast.group.subjects
            )
        )
    title = metric_title(metric, threshold)
    return forest_plot(
        rows,
        Measure(f"{title}: difference, percentage points", 1, percent=True),
        f"{title}: difference to the largest group of the slicing. An interval that holds "
        "0 is no proof of equality.",
        reference=0.0,
    )


def _largest_gaps(groups: TaskGroups, members: Sequence[Group], caption: str) -> Iterator[Block]:
    thresholds = groups.decision_thresholds
    yield _gap_table(groups, members, (None, *thresholds[:1]), caption)
    for threshold in thresholds[1:]:
        yield Details(
            f"The same at the threshold {threshold:g}",
            (_gap_table(groups, members, (threshold,), caption),),
        )


def _gap_table(
    groups: TaskGroups, members: Sequence[Group], at: Sequence[float | None], caption: str
) -> Table:
    records = [
        record
        for metric in _COMPARED
        for threshold in at
        for record in groups.of_groups(metric, members, threshold)
    ]
    return Table(
        caption,
        (
            Column("Groups by"),
            Column("Measure"),
            Column("Lowest"),
            Column("Highest"),
            Column("Difference (95 %)", "end"),
            Column("Ratio (95 %)", "end"),
        ),
        [_gap_row(gap, records) for gap in gaps(records, _COMPARED)],
        (_CHOSEN, _INDEPENDENT, "The ratio is the highest divided by the lowest; for shares only."),
    )


def _gap_row(gap: Gap, records: Sequence[MetricRecord]) -> tuple[Value, ...]:
    def member(name: str) -> MetricRecord:
        return next(
            record
            for record in records
            if (record.slicing, record.metric, record.decision_threshold, record.group_text)
            == (gap.slicing, gap.metric, gap.decision_threshold, name)
        )

    term = METRICS[gap.metric]
    lowest, highest = member(gap.lowest), member(gap.highest)
    return (
        " × ".join(gap.slicing),
        metric_title(gap.metric, gap.decision_threshold),
        f"{values_text(lowest.group)}: {text_of(lowest.value, term.decimals, term.percent)}",
        f"{values_text(highest.group)}: {text_of(highest.value, term.decimals, term.percent)}",
        text_of(gap.estimate, term.decimals, term.percent),
        ratio_text(independent_ratio(highest.estimate, lowest.estimate))
        if gap.metric in _COMPARED_RATES
        else None,
    )


def _contrast_table(groups: TaskGroups, threshold: float) -> Table:
    found = [
        contrast
        for metric in _COMPARED_RATES
        for contrast in groups.contrasts(metric, groups.single, threshold)
    ]
    return Table(
        "Differences and ratios",
        (
            Column("Measure"),
            Column("Group"),
            Column("Beside"),
            Column("Difference (95 %)", "end", 1, percent=True),
            Column("Ratio (95 %)", "end"),
            Column("Smallest detectable difference", "end", 1, percent=True),
        ),
        [_contrast_row(contrast) for contrast in found],
        (
            _INDEPENDENT,
            "The last column: a true difference of this size is detected "
            "in 4 of 5 trials of this size (two-sided, 5 %; Bloom 1995).",
        ),
    )


def _contrast_row(contrast: Contrast) -> tuple[Value, ...]:
    return (
        METRICS[contrast.group.metric].title,
        group_name(contrast.group.group),
        values_text(contrast.reference.group),
        contrast.difference,
        ratio_text(contrast.ratio),
        contrast.detectable,
    )


def _calibration(groups: TaskGroups) -> Iterator[Block]:
    if not groups.single:
        yield Paragraph("No group is large enough to be shown.")
        return
    yield groups.forest(
        "calibration_in_the_large",
        groups.single,
        caption=METRICS["calibration_in_the_large"].says,
    )
    yield Grid([figure for members in groups.by_slicing for figure in _curves(groups, members)])
    yield Table(
        "Calibration by group",
        (*_SIZE_COLUMNS, *map(metric_column, ("observed_rate", "mean_prediction", *_CALIBRATION))),
        [
            (
                *_sizes(groups, group),
                *(
                    groups.estimate(metric, group)
                    for metric in ("observed_rate", "mean_prediction", *_CALIBRATION)
                ),
            )
            for group in (OVERALL, *groups.single)
        ],
        [f"{METRICS[metric].title}: {METRICS[metric].says}" for metric in _CALIBRATION],
    )


def _curves(groups: TaskGroups, members: Sequence[Group]) -> Iterator[Figure]:
    drawn = [
        group for group in members if group in groups.curves and groups.curves[group].calibration
    ]
    if not drawn:
        return
    largest = sorted(drawn, key=lambda group: -groups.curves[group].subjects)[:_MOST_CURVES]
    left_out = len(drawn) - len(largest)
    yield calibration_curve(
        [
            CalibrationCurve(values_text(group), groups.curves[group].calibration)
            for group in drawn
            if group in largest
        ],
        f"Calibration by {' × '.join(name for name, _ in members[0])}: on the dotted line "
        "predicted and observed rates are equal. The bars count the subjects of the first group."
        + (f" The {left_out} smallest groups are not drawn." if left_out else ""),
    )


def _intersections(groups: TaskGroups) -> Iterator[Block]:
    if not groups.pairs:
        yield Paragraph("No group by pairs of slicings is shown for this task.")
        return
    threshold = next(iter(groups.decision_thresholds), None)
    for slicing in groups.pairs:
        if threshold is not None:
            yield Grid([_crossed(groups, slicing, metric, threshold) for metric in _DRAWN_RATES])
    every = [group for members in groups.pairs.values() for group in members]
    yield from _largest_gaps(groups, every, "Largest gap between two groups by pairs of slicings")
    for at in groups.decision_thresholds:
        yield Details(f"All numbers at the threshold {at:g}", (_pair_table(groups, every, at),))
    sentence = not_shown_sentence(groups.result, groups.task)
    if sentence:
        yield Paragraph(sentence)


def _crossed(groups: TaskGroups, slicing: tuple[str, ...], metric: str, threshold: float) -> Figure:
    known = [
        group
        for group in (*groups.pairs[slicing], *groups.not_shown)
        if tuple(name for name, _ in group) == slicing
    ]
    rows, columns = (sorted({group[place][1] for group in known}, key=rising) for place in range(2))
    term = METRICS[metric]
    title = metric_title(metric, threshold)
    return heat_map(
        rows,
        columns,
        [
            [_cell(groups, slicing, (row, column), metric, threshold) for column in columns]
            for row in rows
        ],
        Measure(title, term.decimals, term.percent),
        f"{title} by {slicing[0]} (rows) and {slicing[1]} (columns).",
    )


def _cell(
    groups: TaskGroups,
    slicing: tuple[str, ...],
    values: tuple[str, str],
    metric: str,
    threshold: float,
) -> float | Suppressed | None:
    group = tuple(zip(slicing, values, strict=True))
    if group in groups.not_shown:
        return groups.result.not_shown(groups.task, group)
    return groups.estimate(metric, group, threshold).value


def _pair_table(groups: TaskGroups, every: Sequence[Group], threshold: float) -> Table:
    return Table(
        f"Groups by pairs of slicings, at the threshold {threshold:g}",
        (*_SIZE_COLUMNS, *map(metric_column, _COMPARED_RATES), metric_column(_CALIBRATION[0])),
        [
            (
                *_sizes(groups, group),
                *(groups.estimate(metric, group, threshold) for metric in _COMPARED_RATES),
                groups.estimate(_CALIBRATION[0], group),
            )
            for group in every
        ],
    )
