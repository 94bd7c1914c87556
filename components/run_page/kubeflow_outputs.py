"""Artifacts that Kubeflow shows on a run's page: tables of metrics, curves, a summary.

Kubeflow reads metadata of artifacts of its own types, in the form that kfp's `Metrics` and
`ClassificationMetrics` give them (kfp/dsl/types/artifact_types.py), and the file of a `Markdown`
artifact (frontend/src/components/viewers/MetricsVisualizations.tsx).
"""

from __future__ import annotations

import math
import re
from typing import Any

from pipeline.html.numbers import text_of
from pipeline.metrics import METRICS
from pipeline.pages.evaluation import wording
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.results.documents import OVERALL
from pipeline.results.scheme_words import scheme_notes
from pipeline.results.task_verdicts import WORDS

_WITH_INTERVAL = ("auc",)
_IN_SUMMARY = ("auc", "brier", "calibration_slope", "expected_calibration_error")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~])")


def metrics_metadata(result: RunResult, task: str) -> dict[str, float]:
    """Metrics of a task for Kubeflow's table.

    Args:
        result: The run's result.
        task: The task.

    Returns:
        Numbers by name, without undefined ones, since metadata must be numbers.
    """
    blessed = result.verdict.of_task(task).verdict == "blessed"
    numbers: dict[str, float | None] = {"blessed": float(blessed)}
    for record in result.metrics.records:
        if (record.task, record.group, record.model) != (task, OVERALL, "challenger"):
            continue
        name = record.metric
        if record.decision_threshold is not None:
            name += f"_at_{record.decision_threshold:g}"
        numbers["subjects"] = record.subjects
        numbers["positives"] = record.positives
        numbers[name] = record.value
        if record.metric in _WITH_INTERVAL:
            numbers[f"{name}_lower"] = record.lower
            numbers[f"{name}_upper"] = record.upper
    return {
        name: float(value)
        for name, value in numbers.items()
        if value is not None and math.isfinite(value)
    }


def classification_metadata(result: RunResult, task: str) -> dict[str, Any]:
    """The ROC curve of a task, and its confusion matrix at the lowest decision threshold.

    Args:
        result: The run's result.
        task: The task.

    Returns:
        `confidenceMetrics` and `confusionMatrix`, each only if it exists.
    """
    curves = result.curves_of(task, "challenger")
    metadata: dict[str, Any] = {}
    if curves and curves.roc:
        metadata["confidenceMetrics"] = [
            {
                "confidenceThreshold": point.threshold,
                "recall": point.true_positive_rate,
                "falsePositiveRate": point.false_positive_rate,
            }
            for point in curves.roc
        ]
    if curves and curves.confusion:
        counted = curves.confusion[0]
        positive = f"with outcome (predicted: {counted.decision_threshold:g} or more)"
        metadata["confusionMatrix"] = {
            "annotationSpecs": [
                {"displayName": "without outcome"},
                {"displayName": positive},
            ],
            "rows": [
                {"row": [counted.true_negatives, counted.false_positives]},
                {"row": [counted.false_negatives, counted.true_positives]},
            ],
        }
    return metadata


def summary_markdown(result: RunResult) -> str:
    """The decision and the main numbers, in Markdown."""
    reasons = [f"- {_plain(text)}" for text in result.reason_texts()]
    notes = [
        f"- {_plain(note)}"
        for note in (
            *scheme_notes(result.metrics, result.titles),
            *result.verdict.note_texts(result.titles),
        )
    ]
    titles = [
        "Task",
        "Verdict",
        "Subjects",
        "With outcome",
        *(METRICS[m].title for m in _IN_SUMMARY),
    ]
    rows = [
        [
            _plain(task.title),
            WORDS[result.verdict.of_task(name).verdict],
            text_of(result.subjects(name)),
            text_of(result.positives(name)),
            *(
                text_of(result.estimate(name, m), METRICS[m].decimals, METRICS[m].percent)
                for m in _IN_SUMMARY
            ),
        ]
        for name, task in result.settings.tasks.items()
    ]
    table = [_line(titles), _line(["---", "---", *["---:"] * (len(titles) - 2)]), *map(_line, rows)]
    paragraphs = [
        f"# {_plain(result.settings.title)}",
        f"**{wording.decision(result)}.** {_plain(wording.decision_sentence(result))}",
        "\n".join(reasons),
        _plain(wording.basis(result)),
        "\n".join(table),
        "\n".join(notes),
        _plain(wording.registration_sentence(result)),
    ]
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
