"""What a metric is called and what it says, the same on every page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricTerm:
    """A metric in words.

    Attributes:
        title: Its name.
        says: What it says, a sentence for who is no statistician.
        decimals: Digits after the point.
        percent: Whether it is a share that is shown in percent.
    """

    title: str
    says: str
    decimals: int = 3
    percent: bool = False


METRICS: dict[str, MetricTerm] = {
    "auc": MetricTerm(
        "AUC",
        "Probability that a subject with the outcome got a higher prediction than one without. "
        "0.5 is guessing, 1 is perfect ranking.",
    ),
    "pr_auc": MetricTerm(
        "PR AUC",
        "Mean precision over all recalls. Guessing reaches the share of subjects with the outcome.",
    ),
    "brier": MetricTerm(
        "Brier score",
        "Mean squared distance of prediction and outcome; 0 is best. It depends on how frequent "
        "the outcome is: compare it within a task only.",
    ),
    "log_loss": MetricTerm(
        "Log loss", "How surprising the outcomes are to the model, in nats; 0 is best."
    ),
    "calibration_in_the_large": MetricTerm(
        "Mean prediction − observed rate",
        "Above 0 the model predicts more outcomes than occur, below 0 fewer.",
        decimals=1,
        percent=True,
    ),
    "calibration_slope": MetricTerm(
        "Calibration slope",
        "1 is ideal. Below 1 predictions are too extreme, above 1 too timid.",
        decimals=2,
    ),
    "expected_calibration_error": MetricTerm(
        "Calibration error",
        "Mean distance of prediction and observed rate over ten bins of equally many subjects; "
        "0 is best.",
        decimals=1,
        percent=True,
    ),
    "observed_rate": MetricTerm(
        "Observed rate", "Share of subjects with the outcome.", decimals=1, percent=True
    ),
    "mean_prediction": MetricTerm(
        "Mean prediction", "Mean predicted probability.", decimals=1, percent=True
    ),
    "precision": MetricTerm(
        "Precision",
        "Of the subjects predicted to have the outcome, the share that has it.",
        decimals=1,
        percent=True,
    ),
    "recall": MetricTerm(
        "Recall",
        "Of the subjects with the outcome, the share that is predicted to have it (sensitivity).",
        decimals=1,
        percent=True,
    ),
    "f1": MetricTerm("F1", "Harmonic mean of precision and recall.", decimals=2),
    "specificity": MetricTerm(
        "Specificity",
        "Of the subjects without the outcome, the share that is predicted not to have it.",
        decimals=1,
        percent=True,
    ),
    "false_positive_rate": MetricTerm(
        "False positive rate",
        "Of the subjects without the outcome, the share that is predicted to have it.",
        decimals=1,
        percent=True,
    ),
    "false_negative_rate": MetricTerm(
        "False negative rate",
        "Of the subjects with the outcome, the share that is predicted not to have it.",
        decimals=1,
        percent=True,
    ),
    "predicted_positive_rate": MetricTerm(
        "Predicted positive rate",
        "Of all subjects, the share that is predicted to have the outcome.",
        decimals=1,
        percent=True,
    ),
    "negative_predictive_value": MetricTerm(
        "Negative predictive value",
        "Of the subjects predicted not to have the outcome, the share that does not have it.",
        decimals=1,
        percent=True,
    ),
}
"""By the metric's name in study files and in `metrics.json`, and two that follow from them."""
