"""Consequences of a decision threshold for each group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from notebooks.fairness.group_results import OVERALL_NAME, TaskGroups, group_name, task_groups
from notebooks.opened_run import OpenedRun
from notebooks.shown import Shown, show_sections
from pipeline.errors import UserError
from pipeline.estimates import Estimate
from pipeline.html.blocks import Block, Column, Details, Figure, Grid, Paragraph, Table
from pipeline.html.charts import Measure, StepCurve, step_curves
from pipeline.html.numbers import Value
from pipeline.html.page import Section
from pipeline.metrics import METRICS
from pipeline.pages.evaluation.wording import values_text
from pipeline.pages.metrics import metric_column
from pipeline.results.decisions import Decisions, decisions_at, evaluated_thresholds
from pipeline.results.documents import OVERALL, Group

_SHARES = (
    "predicted_positive_rate",
    "sensitivity",
    "false_positive_rate",
    "positive_predictive_value",
)
_DRAWN = ("sensitivity", "predicted_positive_rate")
_THOUSAND = 1000
_MOST_CURVES = 5


def consequences(run: OpenedRun, thresholds: Mapping[str, float] | None = None) -> Shown:
    """Consequences of a decision threshold, and of all evaluated ones.

    Args:
        run: The run.
        thresholds: Decision threshold by task; the default is the first one of the study file.

    Raises:
        UserError: A task is not the run's, or a threshold is no probability.
    """
    found = task_groups(run)
    chosen = dict(thresholds or {})
    _check(chosen, [groups.task for groups in found])
    return show_sections(
        *(
            Section(groups.title, tuple(_blocks(groups, chosen.get(groups.task))))
            for groups in found
        )
    )


def _check(chosen: Mapping[str, float], tasks: Sequence[str]) -> None:
    for task, threshold in chosen.items():
        if task not in tasks:
            raise UserError(f"thresholds: unknown task {task!r}. This run has: {', '.join(tasks)}.")
        if not 0 < threshold < 1:
            raise UserError(
                f"thresholds: {task} has {threshold!r}; expected a probability between 0 and 1."
            )


def _blocks(groups: TaskGroups, threshold: float | None) -> Iterator[Block]:
    overall = groups.curves.get(OVERALL)
    if overall is None:
        yield Paragraph("No group is large enough to be shown.")
        return
    at = threshold if threshold is not None else next(iter(groups.decision_thresholds), None)
    if at is not None:
        yield _at(groups, at)
    figures = [figure for members in groups.by_slicing for figure in _along(groups, members)]
    yield Grid(figures)
    points = [
        point
        for place in evaluated_thresholds([overall])
        if (point := decisions_at(overall, place)) is not None
    ]
    yield Details(
        "Every threshold that the run evaluated for all subjects",
        (
            Table(
                "All subjects, by threshold",
                (Column("Threshold"), *_COLUMNS),
                [(f"{point.threshold:g}", *_consequences(point)) for point in points],
            ),
        ),
    )


_COLUMNS = (
    Column(f"Of {_THOUSAND}: flagged", "end"),
    Column("found", "end"),
    Column("missed", "end"),
    Column("false alarms", "end"),
    *map(metric_column, _SHARES),
)


def _at(groups: TaskGroups, threshold: float) -> Table:
    rows: list[tuple[Value, ...]] = []
    for group in (OVERALL, *groups.groups):
        point = decisions_at(groups.curves[group], threshold) if group in groups.curves else None
        if point is not None:
            rows.append(
                (
                    group_name(group),
                    groups.subjects(group),
                    f"{point.threshold:g}",
                    *_consequences(point),
                )
            )
    return Table(
        f"If a prediction of {threshold:g} or more is acted on",
        (Column("Group"), Column("Subjects", "end"), Column("Evaluated at", "end"), *_COLUMNS),
        rows,
        (
            f"Counts are of {_THOUSAND} subjects like those of the group: flagged is who would be "
            "acted on, found and missed are those with the outcome, false alarms those without it "
            "that are flagged.",
            "Only the thresholds that the run evaluated for a group are known: "
            "each row states its own. Decision thresholds of the study file are "
            "evaluated for every group. Intervals are Wilson's of 95 %.",
        ),
    )


def _consequences(point: Decisions) -> tuple[Value, ...]:
    counts = (
        point.found + point.false_alarms,
        point.found,
        point.missed,
        point.false_alarms,
    )
    return (
        *(round(_THOUSAND * number / point.subjects) for number in counts),
        *(getattr(point, share) for share in _SHARES),
    )


def _along(groups: TaskGroups, members: Sequence[Group]) -> Iterator[Figure]:
    drawn = sorted(
        (group for group in members if group in groups.curves and len(_points(groups, group)) > 1),
        key=lambda group: -groups.curves[group].subjects,
    )[:_MOST_CURVES]
    if not drawn:
        return
    slicing = members[0][0][0]
    for metric in _DRAWN:
        term = METRICS[metric]
        yield step_curves(
            [_curve(groups, group, metric) for group in members if group in drawn],
            Measure(term.title, term.decimals, term.percent),
            "threshold",
            f"{term.title} by threshold, by {slicing}. A curve steps where the run evaluated it; "
            "between two steps the true value lies between their levels.",
        )


def _points(groups: TaskGroups, group: Group) -> list[Decisions]:
    curves = groups.curves[group]
    found = (decisions_at(curves, at) for at in evaluated_thresholds([curves]))
    return [point for point in found if point is not None]


def _curve(groups: TaskGroups, group: Group, metric: str) -> StepCurve:
    points = _points(groups, group)
    return StepCurve(
        values_text(group) or OVERALL_NAME,
        [point.threshold for point in points],
        [Estimate(getattr(point, metric).value) for point in points],
    )
