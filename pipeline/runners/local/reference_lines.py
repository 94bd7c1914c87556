"""The reference models of a run on a terminal."""

from __future__ import annotations

from rich.text import Text

from pipeline.estimates import Estimate, fixed, interval_text
from pipeline.names import BASE_RATE
from pipeline.results.documents import Metrics, find_overall
from pipeline.results.reference_comparison import Beside, reference_models
from pipeline.results.reference_models import (
    GRADIENT_BOOSTING,
    RANDOM_FOREST,
    RIDGE,
)
from pipeline.runners.local.task_table import GAP, TaskTable
from pipeline.titles import NAMES, Titles

_SHORT = {
    BASE_RATE: "base rate",
    RIDGE: "ridge",
    RANDOM_FOREST: "forest",
    GRADIENT_BOOSTING: "boosting",
}


def reference_lines(metrics: Metrics, width: int = 80, titles: Titles = NAMES) -> Text | None:
    """AUC of the model and of the reference models: a line for each task, or two on few columns.

    Below each task is the paired difference to the best reference model.

    Args:
        metrics: The Evaluator's document.
        width: Columns of the terminal.
        titles: Titles of the study's tasks.

    Returns:
        The text; None where no reference model was evaluated.
    """
    found = {(item.task, item.model): item for item in reference_models(metrics)}
    models = [model for model in _SHORT if any(key[1] == model for key in found)]
    if not models:
        return None
    heads = ["this model", *(_SHORT[model] for model in models)]
    cells = {titles.task(task): _cells(metrics, task, models, found) for task in metrics.tasks}
    table = TaskTable(heads, cells, width)
    return Text("\n").join(
        [
            Text("AUC beside simpler models, on the same subjects", style="bold"),
            Text(table.heading, style="bold"),
            *(
                Text(f"{table.line(titles.task(task))}{_difference_to_best(task, models, found)}")
                for task in metrics.tasks
            ),
        ]
    )


def _difference_to_best(task: str, models: list[str], found: dict[tuple[str, str], Beside]) -> str:
    """A line with the difference to the reference model of the greatest AUC; empty without one."""
    beside = [found[task, model] for model in models if (task, model) in found]
    known = [item for item in beside if item.auc.value is not None]
    if not known:
        return ""
    best = max(known, key=lambda item: item.auc.value or 0.0)
    return f"\n{GAP}difference to {_SHORT[best.model]}: {_with_interval(best.auc_gain)}"


def _with_interval(found: Estimate) -> str:
    if found.value is None:
        return "–"
    interval = interval_text(found, signed=True) or " (no interval)"
    return f"{fixed(found.value, signed=True)}{interval}"


def _cells(
    metrics: Metrics, task: str, models: list[str], found: dict[tuple[str, str], Beside]
) -> list[str]:
    own = find_overall(metrics.records, task, "auc")
    beside = [found.get((task, model)) for model in models]
    estimates = [own and own.estimate, *(item and item.auc for item in beside)]
    values = [item.value if item else None for item in estimates]
    return ["–" if value is None else fixed(value) for value in values]
