"""The metrics of a model: one registry, read by everything that names a metric.

A new metric is an entry here and a function of its statistic in
`components.evaluator.performance`; study file, Evaluator, pages, boards and notebooks follow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pipeline.metric import Metric, Trials


def _share(
    name: str, title: str, says: str, trials: Trials, ideal: float, computed: bool = True
) -> Metric:
    """A share of subjects at a decision threshold."""
    return Metric(
        name,
        title,
        says,
        decimals=1,
        percent=True,
        ideal=ideal,
        at_decision=True,
        computed=computed,
        judged=computed,
        trials=trials,
    )


def _of_sets(name: str, title: str, says: str, trials: Trials) -> Metric:
    """A share of subjects by their prediction sets."""
    return Metric(name, title, says, decimals=1, percent=True, trials=trials, of_uncertainty=True)


_ALL = (
    Metric(
        "auc",
        "AUC",
        "Probability that a subject with the outcome got a higher prediction than one without. "
        "0.5 is guessing, 1 is perfect ranking.",
        ideal=1.0,
        of_counts=True,
    ),
    Metric(
        "pr_auc",
        "PR AUC",
        "Mean positive predictive value over all sensitivities (average precision). Guessing "
        "reaches the share of subjects with the outcome.",
        ideal=1.0,
        of_counts=True,
    ),
    Metric(
        "brier",
        "Brier score",
        "Mean squared distance of prediction and outcome; 0 is best. It depends on how frequent "
        "the outcome is: compare it within a task only.",
        ideal=0.0,
    ),
    Metric(
        "log_loss",
        "Log loss",
        "How surprising the outcomes are to the model, in nats; 0 is best.",
        highest=math.inf,
        ideal=0.0,
    ),
    Metric(
        "calibration_in_the_large",
        "Mean prediction − observed rate",
        "Above 0 the model predicts more outcomes than occur, below 0 fewer.",
        lowest=-1.0,
        of_counts=True,
        decimals=1,
        percent=True,
        ideal=0.0,
    ),
    Metric(
        "calibration_slope",
        "Calibration slope",
        "1 is ideal. Below 1 predictions are too extreme, above 1 too timid.",
        lowest=-math.inf,
        highest=math.inf,
        decimals=2,
        ideal=1.0,
    ),
    Metric(
        "expected_calibration_error",
        "Calibration error",
        "Mean distance of prediction and observed rate over ten bins of equally many subjects; "
        "0 is best.",
        decimals=1,
        percent=True,
        ideal=0.0,
    ),
    _share(
        "positive_predictive_value",
        "Positive predictive value",
        "Of the subjects predicted to have the outcome, the share that has it.",
        "predicted_positives",
        ideal=1.0,
    ),
    _share(
        "sensitivity",
        "Sensitivity",
        "Of the subjects with the outcome, the share that is predicted to have it.",
        "positives",
        ideal=1.0,
    ),
    Metric(
        "f1",
        "F1",
        "Harmonic mean of positive predictive value and sensitivity.",
        of_counts=True,
        decimals=2,
        ideal=1.0,
        at_decision=True,
    ),
    _share(
        "specificity",
        "Specificity",
        "Of the subjects without the outcome, the share that is predicted not to have it.",
        "negatives",
        ideal=1.0,
    ),
    _share(
        "false_positive_rate",
        "False positive rate",
        "Of the subjects without the outcome, the share that is predicted to have it.",
        "negatives",
        ideal=0.0,
    ),
    _share(
        "false_negative_rate",
        "False negative rate",
        "Of the subjects with the outcome, the share that is predicted not to have it.",
        "positives",
        ideal=0.0,
    ),
    _of_sets(
        "coverage_positive",
        "Coverage with the outcome",
        "Of the subjects with the outcome, the share whose prediction set has it; nominally 90 %.",
        "positives",
    ),
    _of_sets(
        "coverage_negative",
        "Coverage without the outcome",
        "Of the subjects without the outcome, the share whose prediction set has that level; "
        "nominally 90 %.",
        "negatives",
    ),
    _of_sets(
        "single_sets",
        "Sets of one level",
        "Share of subjects whose prediction set has one level: the model decides.",
        "subjects",
    ),
    _of_sets(
        "full_sets",
        "Sets of both levels",
        "Share of subjects whose prediction set has both levels: the model can't tell.",
        "subjects",
    ),
    _of_sets(
        "empty_sets",
        "Empty sets",
        "Share of subjects whose prediction set is empty: unlike those of either level.",
        "subjects",
    ),
    Metric(
        "interval_width",
        "Width of the interval",
        "Mean width of the Venn-Abers interval of the probability, which has no nominal coverage.",
        decimals=1,
        percent=True,
        ideal=0.0,
        of_uncertainty=True,
    ),
    Metric(
        "interval_calibration_error",
        "Calibration error of the interval",
        "Calibration error of the one probability that stands for the interval; 0 is best.",
        decimals=1,
        percent=True,
        ideal=0.0,
        of_uncertainty=True,
    ),
    Metric(
        "observed_rate",
        "Observed rate",
        "Share of subjects with the outcome.",
        decimals=1,
        percent=True,
        judged=False,
        trials="subjects",
    ),
    Metric(
        "mean_prediction",
        "Mean prediction",
        "Mean predicted probability.",
        decimals=1,
        percent=True,
        judged=False,
    ),
    Metric(
        "predicted_positive_rate",
        "Predicted positive rate",
        "Of all subjects, the share that is predicted to have the outcome.",
        decimals=1,
        percent=True,
        at_decision=True,
        computed=False,
        judged=False,
        trials="subjects",
    ),
    _share(
        "negative_predictive_value",
        "Negative predictive value",
        "Of the subjects predicted not to have the outcome, the share that does not have it.",
        "predicted_negatives",
        ideal=1.0,
        computed=False,
    ),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
"""All metrics by name."""

COMPUTED: tuple[str, ...] = tuple(m.name for m in _ALL if m.computed and not m.of_uncertainty)
"""Names of the metrics that the Evaluator computes from predictions; see `OF_UNCERTAINTY`."""

OF_UNCERTAINTY: tuple[str, ...] = tuple(m.name for m in _ALL if m.of_uncertainty)
"""Names of the metrics of intervals and sets."""

JUDGED: tuple[str, ...] = tuple(metric.name for metric in _ALL if metric.judged)
"""Names of the metrics that a study can set thresholds for."""

AT_DECISION: tuple[str, ...] = tuple(metric.name for metric in _ALL if metric.at_decision)
"""Names of the metrics that exist at each decision threshold of a task."""

COMPARED_WITH_REFERENCES: tuple[str, ...] = ("auc", "pr_auc", "brier", "log_loss")
"""Names of the metrics in which the model is compared with the reference models."""

FORMER_NAMES: Mapping[str, str] = {
    "recall": "sensitivity",
    "precision": "positive_predictive_value",
}
"""Current names of metrics by their names in version 0.1.0."""

if TYPE_CHECKING:
    JudgedName = str
else:
    JudgedName = Literal[JUDGED]
    """Type of a metric's name in a threshold, for pydantic."""


def current_name(name: object) -> object:
    """A metric's current name, given it or its name in version 0.1.0.

    Examples:
        >>> current_name("recall"), current_name("auc")
        ('sensitivity', 'auc')
    """
    return FORMER_NAMES.get(name, name) if isinstance(name, str) else name
