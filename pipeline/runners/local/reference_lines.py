"""The reference models of a run on a terminal."""

from __future__ import annotations

from rich.text import Text

from pipeline.estimates import Estimate
from pipeline.results.documents import OVERALL, Metrics, find_records
from pipeline.results.reference_comparison import Beside, reference_models
from pipeline.results.reference_models import (
    BASE_RATE,
    GRADIENT_BOOSTING,
    RANDOM_FOREST,
    RIDGE,
)

_SHORT = {
    BASE_RATE: "base rate",
    RIDGE: "ridge",
    RANDOM_FOREST: "forest",
    GRADIENT_BOOSTING: "boosting",
}
_GAP = "  "


def reference_lines(metrics: Metrics, width: int = 80) -> Text | None:
    """AUC of the model and of the reference models: a line for each task, or two on few columns.

    Below each task is the paired difference to the best reference model.

    Args:
        metrics: The Evaluator's document.
        width: Columns of the terminal.

    Returns:
        The text; None where no reference model was evaluated.
    """
    found = {(item.task, item.model): item for item in reference_models(metrics)}
    models = [model for model in _SHORT if any(key[1] == model for key in found)]
    if not models:
        return None
    heads = ["this model", *(_SHORT[model] for model in models)]
    cells = {task: _cells(metrics, task, models, found) for task in metrics.tasks}
    widths = [max(map(len, column)) for column in zip(heads, *cells.values(), strict=True)]
    names = max(map(len, ["task", *cells]))
    above = names + sum(widths) + len(_GAP) * len(widths) > width

    def line(name: str, values: list[str]) -> str:
        numbers = _GAP.join(value.rjust(wide) for value, wide in zip(values, widths, strict=True))
        return f"{name}\n{_GAP}{numbers}" if above else f"{name.ljust(names)}{_GAP}{numbers}"

    return Text("\n").join(
        [
            Text("AUC beside simpler models, on the same subjects", style="bold"),
            Text(line("task", heads), style="bold"),
            *(
                Text(f"{line(task, values)}{_difference_to_best(task, models, found)}")
                for task, values in cells.items()
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
    return f"\n{_GAP}difference to {_SHORT[best.model]}: {_with_interval(best.auc_gain)}"


def _with_interval(found: Estimate) -> str:
    if found.value is None:
        return "–"
    if found.lower is None or found.upper is None:
        return f"{found.value:+.3f} (no interval)"
    return f"{found.value:+.3f} ({found.lower:+.3f} to {found.upper:+.3f})"


def _cells(
    metrics: Metrics, task: str, models: list[str], found: dict[tuple[str, str], Beside]
) -> list[str]:
    own = next(
        (
            record.estimate
            for record in find_records(metrics.records, task, "auc")
            if record.group == OVERALL
        ),
        Estimate(),
    )
    beside = [found.get((task, model)) for model in models]
    estimates = [own, *(item.auc if item else Estimate() for item in beside)]
    return ["–" if item.value is None else f"{item.value:.3f}" for item in estimates]
