"""Statistics of the accuracy benchmark: discrimination, calibration, paired differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

CONFIDENCE = 0.95
ECE_BINS = 10
_SMALLEST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences.

    Attributes:
        mean: Over the divisions.
        lower: Lower limit of its interval; None with a single division.
        upper: Upper limit.
    """

    mean: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class CalibrationCheck:
    """Calibration of probabilities.

    Attributes:
        subjects: Predictions that were checked.
        events: Positive labels among them.
        slope: Of a logistic regression of the label on the predicted log odds; below 1, the
            predictions are too extreme (Cox 1958, "Two further applications of a model for
            binary regression").
        intercept: Of the same regression.
        ece: Expected calibration error: mean over bins of equally many predictions of the
            distance between mean prediction and share of events.
    """

    subjects: int
    events: int
    slope: float
    intercept: float
    ece: float


def auc(
    labels: NDArray[Any], probabilities: NDArray[Any], weights: NDArray[Any] | None = None
) -> float:
    """Area under the ROC curve of labels, probabilities and weights `[subjects]`."""
    return float(roc_auc_score(labels, probabilities, sample_weight=weights))


def brier(
    labels: NDArray[Any], probabilities: NDArray[Any], weights: NDArray[Any] | None = None
) -> float:
    """Mean squared distance of probabilities from labels, with weights; each `[subjects]`."""
    return float(brier_score_loss(labels, probabilities, sample_weight=weights))


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], test_to_train: float
) -> Difference:
    """Mean difference with a 95 % interval that allows for overlapping divisions.

    The divisions share subjects, so that their differences are not independent and the usual
    variance of a mean is too small: corrected resampled t-test (Nadeau and Bengio 2003,
    "Inference for the generalization error").

    Args:
        ours: A metric in each division.
        theirs: The same metric of another model in the same divisions.
        test_to_train: Size of the test split relative to the train split.

    Returns:
        The mean of ours - theirs and its interval.
    """
    found = [mine - other for mine, other in zip(ours, theirs, strict=True)]
    mean = fmean(found)
    if len(found) < 2:
        return Difference(mean, None, None)
    error = stdev(found) * math.sqrt(1 / len(found) + test_to_train)
    reach = error * float(stats.t.ppf((1 + CONFIDENCE) / 2, len(found) - 1))
    return Difference(mean, mean - reach, mean + reach)


def check_calibration(
    labels: NDArray[Any], probabilities: NDArray[Any], weights: NDArray[Any] | None = None
) -> CalibrationCheck:
    """Validates labels, probabilities and weights `[subjects]`."""
    inside = np.clip(probabilities, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    log_odds = np.log(inside) - np.log1p(-inside)
    line = LogisticRegression(penalty=None, tol=1e-8, max_iter=1000)
    line.fit(log_odds[:, np.newaxis], labels, sample_weight=weights)
    return CalibrationCheck(
        subjects=len(labels),
        events=int(labels.sum()),
        slope=float(line.coef_[0, 0]),
        intercept=float(line.intercept_[0]),
        ece=expected_calibration_error(labels, probabilities, weights),
    )


def expected_calibration_error(
    labels: NDArray[Any], probabilities: NDArray[Any], weights: NDArray[Any] | None = None
) -> float:
    """Calibration error over ten bins of equally many of the `[subjects]`."""
    own = np.ones(len(labels)) if weights is None else weights.astype(np.float64)
    bins = np.array_split(np.argsort(probabilities, kind="stable"), ECE_BINS)
    gaps = [abs(float(own[rows] @ (probabilities[rows] - labels[rows]))) for rows in bins]
    return float(sum(gaps) / own.sum())


def best_model(means: Mapping[str, float], *, higher_is_better: bool) -> str:
    """Name of the model with the best mean."""
    return (max if higher_is_better else min)(means, key=lambda name: means[name])
