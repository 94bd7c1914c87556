"""Risks by the horizon beside the mean predictions, where follow-up may end before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.html.blocks import Block, Cell, Column, Table
from pipeline.html.numbers import Suppressed, Value
from pipeline.html.palette import Tone
from pipeline.results.censoring import ALL_SUBJECTS, CensoredArm, CensoredTask
from pipeline.results.outcomes import Outcome
from pipeline.results.predicted_risks import PredictedRisk
from pipeline.titles import titled

_AGREES: Mapping[Outcome, tuple[str, Tone]] = {
    "passes": ("yes", "good"),
    "fails": ("no", "warn"),
    "not_judged": ("not judged", "muted"),
}


def risk_blocks(
    censoring: Mapping[str, CensoredTask],
    titles: Mapping[str, str],
    risks: Iterable[PredictedRisk],
    smallest: int,
) -> list[Block]:
    """The table of risks by task and arm; no block where all follow-up is complete.

    Args:
        censoring: Follow-up by task.
        titles: Titles of the tasks.
        risks: What the Evaluator decided of the mean predictions.
        smallest: Fewest subjects that a number is shown for.
    """
    compared = {(item.task, item.arm): item for item in risks}
    rows: list[tuple[Value | Cell, ...]] = []
    has_competing = False
    for name, task in censoring.items():
        if task.is_complete:
            continue
        has_competing |= task.has_competing
        public = task.published(smallest)
        found = public.by_group
        for arm in [*found, *public.suppressed]:
            row = _row(found.get(arm), compared.get((name, arm)))
            rows.append((titled(name, titles), arm or ALL_SUBJECTS, *row))
    return [_table(rows, has_competing, smallest)] if rows else []


def _row(found: CensoredArm | None, compared: PredictedRisk | None) -> tuple[Value | Cell, ...]:
    predicted = _predicted(compared)
    if found is None:
        return (Suppressed(), Suppressed(), *predicted, Suppressed(), Suppressed())
    return (
        found.naive,
        found.risk,
        *predicted,
        round(found.effective),
        f"{found.largest_weight:.1f}",
    )


def _predicted(compared: PredictedRisk | None) -> tuple[Value | Cell, Value | Cell]:
    """The mean prediction, and whether it agrees with the risk."""
    if compared is None:
        return None, None
    return compared.mean_prediction.value, Cell(*_AGREES[compared.outcome])


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
            Column("Agrees"),
            Column("Effective sample size", "end"),
            Column("Largest weight", "end"),
        ),
        rows,
        (
            f"The risk is that of all subjects ({estimate}), with its 95 % interval. Subjects who "
            "were not followed to the horizon are missing among the known labels, so their share "
            "alone is wrong: each is weighted by the inverse probability of being observed.",
            "The mean prediction is that of the evaluated subjects. It agrees if it lies within "
            "the interval or, on a test split, if its own interval overlaps it.",
            f"Arms are not shown in which the follow-up of fewer than {smallest} subjects, but of "
            "some, ended early.",
        ),
    )
