"""Which features move a task's predictions, and which pairs the model uses together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.estimates import Estimate
from pipeline.html.blocks import Block, Column, Details, Paragraph, Table
from pipeline.html.charts import Bar, Measure, bar_chart
from pipeline.html.numbers import count
from pipeline.results.evaluation_plan import EvaluationPlan
from pipeline.results.importance import Importance
from pipeline.titles import titled

_MOST = 15
NO_IMPORTANCE = "The features' contributions are not shown: they were measured on too few subjects."


def importance_blocks(
    importance: Importance | None,
    task: str,
    smallest: int,
    plan: EvaluationPlan,
    titles: Mapping[str, str],
) -> list[Block]:
    """A figure of the features and a table of the pairs.

    Args:
        importance: What the Trainer measured; None in a document of an earlier release.
        task: The task.
        smallest: Fewest subjects that a number is shown for.
        plan: How the model was evaluated: under `split` contributions are of the eval split.
        titles: Titles of features by name; a feature without one is shown by its name.
    """
    if importance is None or task not in importance.tasks:
        return []
    if not importance.is_shown(smallest):
        return [Paragraph(NO_IMPORTANCE)]
    found = importance.tasks[task]
    whose = "training subjects" if plan.out_of_fold else "subjects of the eval split"
    features = list(found.features.items())
    further = len(features) - _MOST
    left_out = f" {count(further)} further features move them less." if further > 0 else ""
    figure = bar_chart(
        [Bar(titled(name, titles), Estimate(size)) for name, size in features[:_MOST]],
        Measure("mean size of the contribution to the log odds", 2),
        "Which features move the predictions: mean size of their contributions over "
        f"{count(importance.subjects)} {whose}, whichever the direction. They say what the model "
        f"uses, not what causes the outcome.{left_out}",
    )
    shown: list[Block] = [figure]
    if titles:
        shown.append(_in_numbers(features, titles))
    if not found.pairs:
        nothing = "The model uses no two features together: their effects add up."
        return [*shown, Paragraph(nothing)]
    pairs = Table(
        "Features that the model uses together",
        (Column("Features"), Column("Mean size of what they do together, log odds", "end", 2)),
        [
            (
                f"{titled(pair.first, titles)} and {titled(pair.second, titles)}",
                pair.size,
            )
            for pair in found.pairs
        ],
        (
            "What both do together and neither does alone, over "
            f"{count(importance.paired)} {whose}; the strongest {len(found.pairs)} pairs.",
        ),
    )
    return [*shown, pairs]


def _in_numbers(features: Sequence[tuple[str, float]], titles: Mapping[str, str]) -> Details:
    """All features with the names that the model, its documents and its signatures have."""
    table = Table(
        "Features with their names",
        (
            Column("Feature"),
            Column("Name"),
            Column("Mean size of the contribution, log odds", "end"),
        ),
        [(titled(name, titles), name, size) for name, size in features],
    )
    return Details("All features in numbers, with their names", (table,))
