"""Risks by the horizon beside the mean predictions, where follow-up may end before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.html.blocks import Block, Cell, Column, Table
from pipeline.html.numbers import Suppressed, Value
from pipeline.results.censoring import ALL_SUBJECTS, CensoredArm, CensoredTask
from pipeline.results.documents import Group, MetricRecord
from pipeline.study.study import Study

_MEAN = "mean_prediction"


def arm_slicing(study: Study) -> str:
    """Name of the slicing by arm; empty without one."""
    return next((name for name, by in study.slicing.by.items() if by.of == "arm"), "")


def risk_blocks(
    censoring: Mapping[str, CensoredTask],
    titles: Mapping[str, str],
    records: Iterable[MetricRecord],
    slicing: str,
    smallest: int,
) -> list[Block]:
    """The table of risks by task and arm; no block where all follow-up is complete.

    Args:
        censoring: Follow-up by task.
        titles: Titles of the tasks.
        records: Metrics that may be shown.
        slicing: Name of the slicing by arm, empty without one.
        smallest: Fewest subjects that a number is shown for.
    """
    means = {
        (record.task, record.group): record.estimate.value
        for record in records
        if record.metric == _MEAN and record.model == "challenger"
    }
    rows: list[tuple[Value | Cell, ...]] = []
    has_competing = False
    for name, task in censoring.items():
        if task.is_complete:
            continue
        has_competing |= task.has_competing
        public = task.published(smallest)
        found = public.by_group
        for arm in [*found, *public.suppressed]:
            is_arm = arm not in (ALL_SUBJECTS, "")
            group: Group = ((slicing, arm),) if is_arm else ()
            mean = means.get((name, group))
            rows.append((titles.get(name, name), arm or ALL_SUBJECTS, *_row(found.get(arm), mean)))
    return [_table(rows, has_competing, smallest)] if rows else []


def _row(found: CensoredArm | None, mean: float | None) -> tuple[Value | Cell, ...]:
    if found is None:
        return (Suppressed(), Suppressed(), _compared(None, mean), Suppressed(), Suppressed())
    return (
        found.naive,
        found.risk,
        _compared(found, mean),
        round(found.effective),
        f"{found.largest_weight:.1f}",
    )


def _compared(found: CensoredArm | None, mean: float | None) -> Value | Cell:
    """The mean prediction, marked where it lies outside of the risk's interval."""
    if mean is None or found is None or found.risk.lower is None or found.risk.upper is None:
        return mean
    inside = found.risk.lower <= mean <= found.risk.upper
    return Cell(mean, "good" if inside else "warn")


def _table(rows: list[tuple[Value | Cell, ...]], has_competing: bool, smallest: int) -> Table:
    estimate = "Kaplan-Meier"
    if has_competing:
        estimate += ", or Aalen-Johansen with competing events"
    return Table(
        "Risk by the horizon, where follow-up may end before it",
        (
            Column("Task"),
            Column("Arm"),
            Column("With outcome among known labels", "end", 1, percent=True),
            Column("Risk by the horizon", "end", 1, percent=True),
            Column("Mean prediction", "end", 1, percent=True),
            Column("Effective sample size", "end"),
            Column("Largest weight", "end"),
        ),
        rows,
        (
            f"The risk is that of all subjects ({estimate}), with its 95 % interval. Subjects who "
            "were not followed to the horizon are missing among the known labels, so their share "
            "alone is wrong: each is weighted by the inverse probability of being observed.",
            "The mean prediction is that of the evaluated subjects; it is marked where it lies "
            "outside of the interval.",
            f"Arms are not shown in which the follow-up of fewer than {smallest} subjects, but of "
            "some, ended early.",
        ),
    )
