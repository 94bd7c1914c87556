"""How far single predictions of a task can be trusted."""

from __future__ import annotations

from pipeline.html import charts
from pipeline.html.blocks import Block, Paragraph
from pipeline.html.page import Section
from pipeline.metrics import OF_UNCERTAINTY
from pipeline.pages.evaluation import wording
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.uncertainty import NO_SETS, promise, uncertainty_table
from pipeline.results.documents import OVERALL


def uncertainty_section(result: RunResult, task: str) -> Section:
    """Coverage and size of the sets, width of the intervals, and what leaving subjects gains."""
    title = "How far to trust one prediction"
    if result.record(task, OF_UNCERTAINTY[0]) is None:
        return Section(title, (Paragraph(NO_SETS),))
    groups = [(wording.group_name(group), group) for group in (OVERALL, *result.groups(task))]
    blocks: list[Block] = [
        Paragraph(promise(result.metrics.evaluation)),
        uncertainty_table(groups, lambda metric, group: result.judged(task, metric, group)),
    ]
    points = result.curves.referral(task)
    if points:
        blocks.append(charts.referral_chart(points))
    return Section(title, blocks)
