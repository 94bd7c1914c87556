"""Metrics of all subjects, as a run shows them in the terminal."""

from __future__ import annotations

from typing import Any

from pipeline.results.documents import MetricRecord


def overall(
    metric: str,
    value: float | None,
    task: str = "death",
    subjects: int = 1234,
    positives: int = 56,
    **changed: Any,
) -> MetricRecord:
    """A metric of the challenger with the interval from 0.7 to 0.9."""
    content = {
        "task": task,
        "slice": {},
        "metric": metric,
        "decision_threshold": None,
        "model": "challenger",
        "value": value,
        "lower": 0.7,
        "upper": 0.9,
        "subjects": subjects,
        "positives": positives,
        **changed,
    }
    return MetricRecord.model_validate(content)
