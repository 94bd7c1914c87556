"""Shows where a model is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from notebooks.results.error_analysis import (
    GroupError,
    TaskErrors,
)
from pipeline.html.blocks import Block, Column, Paragraph, Table
from pipeline.html.charts import ForestRow, Measure, forest_plot
from pipeline.html.numbers import Value
from pipeline.results.group_order import rising
from pipeline.titles import titled

_MOST_ERRORS = 10


def error_blocks(found: TaskErrors | None, titles: Mapping[str, str]) -> Iterator[Block]:
    """Log loss by group, and the groups with more than their share of it.

    Args:
        found: Errors of a task; None where there are too few subjects.
        titles: Titles of the groupings that have one, by name.
    """
    if found is None:
        yield Paragraph("There are too few subjects.")
        return
    rows: list[ForestRow | str] = [ForestRow("overall", found.overall.log_loss)]
    heading = ""
    singles = [item for item in found.groups if len(item.group) == 1]
    names = list(dict.fromkeys(item.group[0][0] for item in singles))
    for item in sorted(singles, key=lambda item: _place(item, names)):
        if item.group[0][0] != heading:
            heading = item.group[0][0]
            rows.append(titled(heading, titles))
        rows.append(ForestRow(item.group[0][1], item.log_loss, item.subjects))
    yield forest_plot(rows, Measure("log loss"), reference=found.overall.log_loss.value)
    worst = sorted(found.groups, key=lambda item: -item.excess)[:_MOST_ERRORS]
    yield Table(
        "Groups with more than their share of the loss",
        [
            Column("Group"),
            Column("Subjects", "end"),
            Column("Share of subjects", "end", 1, percent=True),
            Column("Share of loss", "end", 1, percent=True),
            Column("Observed", "end", 1, percent=True),
            Column("Predicted", "end", 1, percent=True),
            Column("Loss beyond the expected one", "end"),
        ],
        [_error_row(item, titles) for item in worst if item.excess > 0],
        [
            "Loss is highest where outcomes are hard to predict, even by calibrated probabilities: "
            "an interval above 0 in the last column means that they are not calibrated.",
            f"{found.hidden} groups are suppressed: too small, or another would follow from them.",
        ],
    )


def _place(item: GroupError, names: Sequence[str]) -> tuple[int, tuple[float, str]]:
    ((name, value),) = item.group
    return names.index(name), rising(value.removesuffix(" %"))


def _error_row(item: GroupError, titles: Mapping[str, str]) -> list[Value]:
    return [
        ", ".join(f"{titled(name, titles)} {value}" for name, value in item.group),
        item.subjects,
        item.share_of_subjects,
        item.share_of_loss,
        item.observed,
        item.predicted,
        item.unexpected,
    ]
