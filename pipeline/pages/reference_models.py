"""The model beside simpler models, as pages show it."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.html.blocks import Cell, Column, Table
from pipeline.html.numbers import Value, count
from pipeline.metrics import METRICS
from pipeline.pages.metrics import metric_column
from pipeline.results.documents import Metrics, find_overall
from pipeline.results.reference_comparison import reference_models
from pipeline.results.reference_models import TITLES
from pipeline.titles import titled

_NOTES = (
    "The reference models are evaluated on the same subjects, with the same features. The "
    "differences are paired: the model's number minus that of the reference model.",
    "Base rate of the arm: every subject of an arm gets the share of the outcome in the training "
    "subjects of that arm. A model that is no better has learned nothing from the features.",
)


def reference_table(metrics: Metrics, titles: Mapping[str, str]) -> Table | None:
    """AUC and Brier score of the model and of the reference models, for all subjects.

    Args:
        metrics: The Evaluator's document.
        titles: Each task's title.

    Returns:
        The table; None where no reference model was evaluated.
    """
    found = reference_models(metrics)
    if not found:
        return None
    rows: list[list[Value | Cell]] = []
    for task, title in titles.items():
        beside = [item for item in found if item.task == task]
        if not beside:
            continue
        own = [find_overall(metrics.records, task, metric) for metric in ("auc", "brier")]
        auc, brier = (record.estimate if record else None for record in own)
        rows.append([title, "This model", auc, None, brier, None])
        rows += [
            ["", TITLES[item.model], item.auc, item.auc_gain, item.brier, item.brier_gain]
            for item in beside
        ]
    return Table(
        "This model beside simpler models, with 95 % intervals",
        (
            Column("Task"),
            Column("Model"),
            metric_column("auc"),
            Column("Gain in AUC", "end", METRICS["auc"].decimals),
            metric_column("brier"),
            Column("Difference of Brier scores", "end", METRICS["brier"].decimals),
        ),
        rows,
        (*_NOTES, *_fitted(metrics)),
    )


def _fitted(metrics: Metrics) -> list[str]:
    """On how many subjects the models were fitted, in how many repeats; each number once."""
    of = metrics.evaluation.repeats
    by_subjects: dict[int, dict[int, list[str]]] = {}
    for name, fit in metrics.reference_models.items():
        repeats = by_subjects.setdefault(fit.most_subjects, {})
        repeats.setdefault(fit.repeats, []).append(titled(name, TITLES))
    return [
        _fitted_on(subjects, {repeats: ", ".join(names) for repeats, names in found.items()}, of)
        for subjects, found in by_subjects.items()
    ]


def _fitted_on(subjects: int, models: Mapping[int, str], of: int) -> str:
    """A sentence on models that were fitted on equally many subjects; by number of repeats."""
    fewer = {
        names: f"in {count(repeats)} of {count(of)} repeats"
        for repeats, names in models.items()
        if repeats < of
    }
    text = f"{', '.join(models.values())}: fitted on {count(subjects)} subjects at most"
    if len(models) == 1:
        text = ", ".join([text, *fewer.values()])
    else:
        text = "; ".join([text, *(f"{names} {repeats}" for names, repeats in fewer.items())])
    return f"{text}.".capitalize()
