"""Which metrics the Evaluator computes."""

from __future__ import annotations

from typing import get_args

from pipeline.study.sections import Metric

METRICS: tuple[str, ...] = get_args(Metric)
METRICS_AT_DECISION: tuple[str, ...] = (
    "precision",
    "recall",
    "f1",
    "specificity",
    "false_positive_rate",
    "false_negative_rate",
)
"""Metrics of a decision: they exist at each decision threshold of a task."""

DESCRIPTIONS: tuple[str, ...] = ("observed_rate", "mean_prediction")
"""Reported with the metrics, but not judged."""
