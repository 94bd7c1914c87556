"""How far single predictions of a task can be trusted."""

from __future__ import annotations

from pipeline.html import charts
from pipeline.html.blocks import Block, Column, Paragraph, Table
from pipeline.html.page import Section
from pipeline.metrics import METRICS, OF_UNCERTAINTY
from pipeline.pages.evaluation import wording
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.metrics import metric_column
from pipeline.pages.uncertainty import MEASURED, NO_SETS, PROMISE
from pipeline.results.documents import OVERALL


def uncertainty_section(result: RunResult, task: str) -> Section:
    """Coverage and size of the sets, width of the intervals, and what leaving subjects gains."""
    title = "How far to trust one prediction"
    if result.record(task, OF_UNCERTAINTY[0]) is None:
        return Section(title, (Paragraph(NO_SETS),))
    blocks: list[Block] = [Paragraph(PROMISE), _table(result, task)]
    points = result.curves.referral(task)
    if points:
        blocks.append(charts.referral_chart(points))
    return Section(title, blocks)


def _table(result: RunResult, task: str) -> Table:
    groups = (OVERALL, *result.groups(task))
    return Table(
        "Prediction sets and intervals, with 95 % intervals of their measures",
        (Column("Group"), *map(metric_column, OF_UNCERTAINTY)),
        [
            (
                wording.group_name(group),
                *(result.judged(task, metric, group) for metric in OF_UNCERTAINTY),
            )
            for group in groups
        ],
        [MEASURED, *(f"{METRICS[name].title}: {METRICS[name].says}" for name in OF_UNCERTAINTY)],
    )
