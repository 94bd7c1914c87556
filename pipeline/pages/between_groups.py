"""The spread of a model's performance between groups that it did not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.estimates import Estimate
from pipeline.html.blocks import Block, Column, Table
from pipeline.html.numbers import MISSING, number
from pipeline.metrics import METRICS
from pipeline.results.between_groups import BetweenGroups
from pipeline.results.documents import Metrics


def between_groups_blocks(metrics: Metrics, titles: Mapping[str, str]) -> list[Block]:
    """The summary over groups; nothing where there is none.

    Args:
        metrics: The Evaluator's metrics.
        titles: Each task's title.
    """
    found = metrics.between_groups
    if not found:
        return []
    by = metrics.evaluation.by
    return [
        Table(
            f"In groups by {by} that the models never saw",
            (
                Column("Task"),
                Column("Metric"),
                Column("Groups", "end"),
                Column("Lowest to highest", "end"),
                Column("Mean over groups (95 %)", "end"),
                Column("In a new group (95 %)", "end"),
            ),
            [
                (
                    titles[item.task],
                    METRICS[item.metric].title,
                    item.groups,
                    _range(item, item.lowest, item.highest),
                    _mean(item),
                    _range(item, item.new_lower, item.new_upper),
                )
                for item in found
            ],
            _notes(found),
        )
    ]


def _mean(item: BetweenGroups) -> str:
    if item.mean is None:
        return MISSING
    found = Estimate(item.mean, item.lower, item.upper)
    return f"{_number(item, found.value)} ({_range(item, found.lower, found.upper)})"


def _range(item: BetweenGroups, lower: float | None, upper: float | None) -> str:
    if lower is None or upper is None:
        return MISSING
    return f"{_number(item, lower)} to {_number(item, upper)}"


def _number(item: BetweenGroups, value: float | None) -> str:
    term = METRICS[item.metric]
    return number(value, term.decimals, term.percent)


def _notes(found: Sequence[BetweenGroups]) -> list[str]:
    notes = [
        "In a new group: where the metric of a group that was not in the trial would lie in 95 of "
        "100 cases (prediction interval of a random-effects model, Riley et al., BMJ "
        "2011;342:d549); it needs three groups.",
    ]
    if any(item.left_out for item in found):
        notes.append(
            "Groups that are not shown, or whose metric has no interval, are not in the summary."
        )
    return notes
