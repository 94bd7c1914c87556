"""Metrics of a challenger and reference models, by hand."""

from __future__ import annotations

from typing import Any

from pipeline.results.documents import MetricRecord, Metrics


def record(task: str, metric: str, model: str, value: float, **more: Any) -> MetricRecord:
    return MetricRecord(
        **{
            "task": task,
            "slice": {},
            "metric": metric,
            "decision_threshold": None,
            "model": model,
            "value": value,
            "lower": value - 0.1,
            "upper": value + 0.1,
            "subjects": 100,
            "positives": 40,
            **more,
        }
    )


def metrics_of(task: str, own: float, **aucs: float) -> Metrics:
    """AUC of the challenger and of reference models; Brier scores are all .2."""
    records = [record(task, "auc", "challenger", own), record(task, "brier", "challenger", 0.2)]
    for name, auc in aucs.items():
        records += [
            record(task, "auc", name, auc),
            record(task, "brier", name, 0.2),
            record(task, "auc", "difference", own - auc, versus=name),
            record(task, "brier", "difference", 0.0, versus=name),
        ]
    return Metrics(smallest_group=20, records=tuple(records), suppressed=())
