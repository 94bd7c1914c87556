"""One task of an external validation: its curves and its groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.html import charts
from pipeline.html.blocks import Block, Column, Figure, Grid, Paragraph, Table
from pipeline.html.numbers import Value
from pipeline.metrics import OF_UNCERTAINTY
from pipeline.pages.evaluation.clinical_figures import calibration_figure, decision_figure
from pipeline.pages.metrics import metric_column
from pipeline.pages.uncertainty import NO_SETS_OF_MODEL, promise, uncertainty_table
from pipeline.pages.validation_result import ValidationResult
from pipeline.results.clinical_curves import DecisionPoint
from pipeline.results.documents import OVERALL, Group, find_records
from pipeline.results.net_benefits import net_benefits

_OF_GROUPS = ("auc", "observed_rate", "mean_prediction", "calibration_in_the_large")


def task_blocks(result: ValidationResult, task: str) -> list[Block]:
    """Curves of all subjects, metrics and net benefit by group, intervals and sets.

    Args:
        result: The validation's result.
        task: The task.
    """
    figures = Grid(list(_figures(result, task)))
    groups = _groups(result, task)
    if not groups:
        none = Paragraph("No group of this study is large enough to be shown.")
        return [figures, none, *_uncertainty(result, task, groups)]
    rows = [
        [
            " ".join(group[0]),
            *(_of_group(result, task, metric, group) for metric in _OF_GROUPS),
        ]
        for group in groups
    ]
    return [
        figures,
        Table(
            "By group, with 95 % intervals",
            (Column("Group"), *(metric_column(metric) for metric in _OF_GROUPS)),
            rows,
        ),
        *_net_benefits(result, task, groups),
        *_uncertainty(result, task, groups),
    ]


def _uncertainty(result: ValidationResult, task: str, groups: Sequence[Group]) -> list[Block]:
    """What the model's intervals and sets are worth here."""
    if result.record(task, OF_UNCERTAINTY[0]) is None:
        return [Paragraph(NO_SETS_OF_MODEL)]
    named = [(" ".join(group[0]) if group else "overall", group) for group in (OVERALL, *groups)]
    blocks: list[Block] = [
        Paragraph(promise(result.metrics.evaluation)),
        uncertainty_table(named, lambda metric, group: _of_group(result, task, metric, group)),
    ]
    points = result.curves.referral(task)
    return [*blocks, charts.referral_chart(points)] if points else blocks


def _net_benefits(result: ValidationResult, task: str, groups: Sequence[Group]) -> list[Block]:
    """Net benefit at the task's decision thresholds, of all subjects and of each group."""
    found = net_benefits(result.curves, task, result.validation.decision_thresholds.get(task, ()))
    rows = [
        [" ".join(group[0]) if group else "overall", f"{point.threshold:g}", *_benefit(point)]
        for group in (OVERALL, *groups)
        for point in found.get(group, ())
    ]
    if not rows:
        return []
    return [
        Table(
            "Net benefit by group, with 95 % intervals",
            (
                Column("Group"),
                Column("Decision threshold", "end"),
                Column("Net benefit", "end", 4),
                Column("Minus treating all", "end", 4),
            ),
            rows,
            [
                "Net benefit: true positives per subject, minus false positives weighted by the "
                "odds of the threshold (Vickers & Elkin 2006); treating none has 0. Above 0 in the "
                "last column the model is of more use than treating all.",
                "Thresholds that would cut off too few subjects of a group are left out.",
            ],
        )
    ]


def _benefit(point: DecisionPoint) -> tuple[Value, Value]:
    return point.estimate, point.gain_over_all


def _groups(result: ValidationResult, task: str) -> list[Group]:
    found = find_records(result.metrics.records, task, "auc")
    return [record.group for record in found if len(record.group) == 1]


def _of_group(result: ValidationResult, task: str, metric: str, group: Group) -> Value:
    found = find_records(result.metrics.records, task, metric)
    return next((record.estimate for record in found if record.group == group), None)


def _figures(result: ValidationResult, task: str) -> Iterator[Figure]:
    for curve in result.curves.curves:
        if curve.task == task and not curve.slice and curve.model == "challenger":
            if curve.calibration:
                yield calibration_figure([("model", curve)])
            if curve.decision:
                yield decision_figure([("model", curve)])
