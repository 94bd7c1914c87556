"""How far single predictions of a task can be trusted."""

from __future__ import annotations

from pipeline.html import charts
from pipeline.html.blocks import Block, Column, Paragraph, Table
from pipeline.html.page import Section
from pipeline.metrics import METRICS, OF_UNCERTAINTY
from pipeline.pages.evaluation import wording
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.metrics import metric_column
from pipeline.results.documents import OVERALL

_ABSENT = (
    "This run has no intervals and no prediction sets for this task: too few subjects with, or "
    "without, the outcome to calibrate them on. (Runs of version 0.1.0 have none at all.)"
)
_ASSUMPTION = (
    "A prediction set holds the outcome of 90 % of the subjects with it, and of 90 % of those "
    "without it, if new subjects are like draws from the population of this trial. Of the "
    "subjects of one group that is so only where the group was large enough to calibrate sets "
    "of its own; of the others the table says what was measured. Another case mix, other sites, "
    "later years, or wrong weights where follow-up ended early break this: then neither set nor "
    "interval promises anything until it is measured there."
)
_MEASURED = "Measured on subjects that neither the model nor its intervals and sets were fitted to."


def uncertainty_section(result: RunResult, task: str) -> Section:
    """Coverage and size of the sets, width of the intervals, and what leaving subjects gains."""
    title = "How far to trust one prediction"
    if result.record(task, OF_UNCERTAINTY[0]) is None:
        return Section(title, (Paragraph(_ABSENT),))
    blocks: list[Block] = [Paragraph(_ASSUMPTION), _table(result, task)]
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
        [_MEASURED, *(f"{METRICS[name].title}: {METRICS[name].says}" for name in OF_UNCERTAINTY)],
    )
