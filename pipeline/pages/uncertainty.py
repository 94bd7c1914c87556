"""What page, notebook and card say of intervals and prediction sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipeline.html.blocks import Cell, Column, Table
from pipeline.html.numbers import Value
from pipeline.metrics import METRICS, OF_UNCERTAINTY
from pipeline.pages.metrics import metric_column
from pipeline.results.documents import Group
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.uncertainty import COVERAGE, FEWEST_OF_GROUP

_SHARE = f"{COVERAGE:.0%}".replace("%", " %")

NO_SETS = (
    "This run has no intervals and no prediction sets for this task: too few subjects with, or "
    "without, the outcome to calibrate them on. (Runs of version 0.1.0 have none at all.)"
)

PROMISE = (
    f"A prediction set holds the outcome of {_SHARE} of the subjects with it, and of {_SHARE} of "
    "those without it, if new subjects are like draws from the population of this trial. Of the "
    f"subjects of one group that is so only where at least {FEWEST_OF_GROUP} of them with, or "
    "without, the outcome were there to calibrate sets of its own; of the others the table says "
    "what was measured. The interval promises no share: it is narrow where many subjects have "
    "similar predictions. Another case mix, other sites, later years, or wrong weights where "
    "follow-up ended early break this: then neither set nor interval promises anything until it "
    "is measured there."
)

MEASURED = "Measured on subjects that neither the model nor its intervals and sets were fitted to."

OF_ANOTHER_TRIAL = (
    "The model's intervals and sets were fitted to its own trial, to hold the outcome of "
    f"{_SHARE} of the subjects with it, and of {_SHARE} of those without it. The subjects of this "
    "trial are no draws from that population: nothing was promised of them, and the table says "
    "what was measured."
)
"""What `trial validate` says of them."""

NO_SETS_OF_MODEL = "The model has no intervals and no prediction sets for this task."

OF_SCORED = (
    "Interval and prediction set of each subject are in the file of predictions. They hold what "
    "the model's page says if these subjects are like draws from the population of its trial; "
    "another case mix, other sites or later years break that. No outcome is known here, so nothing "
    "was measured."
)
"""What `trial score` says of them."""

OF_SHIFTED = (
    "These subjects differ from the training data, as said above: do not rely on intervals and "
    "sets before their coverage is measured in such subjects (`trial validate`)."
)
"""What it adds where features differ."""


def promise(plan: EvaluationPlan) -> str:
    """What intervals and sets promise, and what of it the way of evaluation breaks.

    Args:
        plan: How the run evaluates.

    Examples:
        >>> promise(EvaluationPlan(scheme="cross_fit", requested="auto")) == PROMISE
        True
    """
    if plan.scheme == "validate":
        return OF_ANOTHER_TRIAL
    if plan.scheme == "internal_external":
        return f"{PROMISE} {_of_new_groups(plan.by)}"
    return PROMISE


def _of_new_groups(by: str) -> str:
    return (
        f"Here each group (by {by}) was left out in turn, and the intervals and sets of its "
        "subjects were fitted to the other groups, from which it is not drawn: of a new group "
        "nothing is promised, and the table says what was measured in groups that were left out."
    )


def uncertainty_table(
    groups: Iterable[tuple[str, Group]], cell: Callable[[str, Group], Value | Cell]
) -> Table:
    """Coverage and size of the sets, and width of the intervals, by group.

    Args:
        groups: Name and key of each group.
        cell: What is shown of a metric and a group.
    """
    return Table(
        "Prediction sets and intervals, with 95 % intervals of their measures",
        (Column("Group"), *map(metric_column, OF_UNCERTAINTY)),
        [[name, *(cell(metric, group) for metric in OF_UNCERTAINTY)] for name, group in groups],
        [MEASURED, *(f"{METRICS[name].title}: {METRICS[name].says}" for name in OF_UNCERTAINTY)],
    )
