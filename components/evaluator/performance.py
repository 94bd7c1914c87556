"""Metrics of ranking, calibration and decisions, computed from a score table.

A subject counts with its weight (`pipeline.weights`): a metric is the same as if each subject were
in the table as often as its weight says, and does not depend on the scale of the weights.

Every function returns not-a-number if its metric is undefined for the given subjects (for example,
the area under a curve if all subjects have the same outcome) or if a prediction is not a number.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from components.evaluator.logistic_slope import logistic_slopes
from components.evaluator.score_table import ScoreTable
from pipeline.log_odds import clip_probability, log_odds

CALIBRATION_BINS = 10
LOGIT_BINS_PER_UNIT = 128
"""Bins per unit of the logit in the histogram to which the calibration slope is fitted."""

_ROUNDING = 1e-9
_FloatArray = NDArray[np.float64]


class HasDecisions(Protocol):
    """Predictions and outcomes of subjects, by which decisions can be counted."""

    def confusion(self, threshold: float) -> tuple[float, float, float, float]:
        """Weight of true positives, false positives, true negatives and false negatives."""


def auc(table: ScoreTable) -> float:
    """Area under the ROC curve.

    The probability that a subject with the outcome has a higher prediction than one without, ties
    counted as one half (Mann-Whitney); a pair has the product of its weights (Uno H, et al. J Am
    Stat Assoc 2007;102:527-37).
    """
    if not (table.valid and table.positives and table.negatives):
        return math.nan
    below = np.cumsum(table.negative_weight) - table.negative_weight
    wins = float(np.sum(table.positive_weight * (below + table.negative_weight / 2)))
    return wins / (table.all_positive * table.all_negative)


def pr_auc(table: ScoreTable) -> float:
    """Area under the curve of positive predictive value by sensitivity: average precision.

    The mean of the positive predictive value at each distinct prediction, weighted by the gain in
    sensitivity there, without interpolation, as scikit-learn's `average_precision_score`.
    """
    if not (table.valid and table.positives):
        return math.nan
    true = np.cumsum(table.positive_weight[::-1])
    precision = true / np.cumsum(table.weight[::-1])
    return float(np.sum(precision * table.positive_weight[::-1]) / table.all_positive)


def brier(table: ScoreTable) -> float:
    """Brier score: mean squared difference between prediction and outcome."""
    if not table.valid:
        return math.nan
    p = table.probability
    error = table.positive_weight * (1 - p) ** 2 + table.negative_weight * p**2
    return float(np.sum(error) / table.everyone)


def log_loss(table: ScoreTable) -> float:
    """Mean negative log-likelihood in nats; predictions are clipped to 1e-7 from 0 and 1."""
    if not table.valid:
        return math.nan
    p = clip_probability(table.probability)
    total = np.sum(table.positive_weight * np.log(p) + table.negative_weight * np.log1p(-p))
    return float(-total / table.everyone)


def observed_rate(table: ScoreTable) -> float:
    """Share of subjects with the outcome."""
    return table.all_positive / table.everyone if table.subjects else math.nan


def mean_prediction(table: ScoreTable) -> float:
    """Mean predicted probability."""
    if not table.valid:
        return math.nan
    return float(np.sum(table.weight * table.probability) / table.everyone)


def calibration_in_the_large(table: ScoreTable) -> float:
    """Mean prediction minus observed rate; above 0 the model predicts too much."""
    return mean_prediction(table) - observed_rate(table)


def calibration_slope(table: ScoreTable) -> float:
    """Slope of a logistic regression of the outcome on the logit of the prediction.

    Cox's logistic recalibration, with a free intercept. 1 is ideal, below 1 the predictions are
    too extreme. The fit runs on a histogram of the logits with 128 bins per unit, each at the
    mean logit of its subjects, which keeps its cost constant; the error against the fit on the
    rows is below 0.001. Not a number if the outcomes are separated, where no finite slope exists.
    """
    if not (table.valid and table.positives and table.negatives) or is_separated(table):
        return math.nan
    x, count, positive = logit_histogram(table)
    return float(logistic_slopes(x[None], count[None], positive[None])[0])


def logit_histogram(table: ScoreTable) -> tuple[_FloatArray, _FloatArray, _FloatArray]:
    """Subjects by the logit of their prediction, for fits whose cost must not grow with them.

    Returns:
        Mean logit, weight of the subjects and weight of those with the outcome of each bin that is
        not empty, float64 `[bins]`; 128 bins per unit, logits rise.
    """
    logit = log_odds(table.probability)
    bins = logit_bins(logit)
    bins -= bins[0]
    count: _FloatArray = np.bincount(bins, weights=table.weight).astype(np.float64)
    filled = count > 0
    count = count[filled]
    positive = _sums(bins, table.positive_weight)[filled]
    mean = np.bincount(bins, weights=table.weight * logit)[filled] / count
    return mean, count, positive


def squares_in_logit_histogram(table: ScoreTable) -> tuple[_FloatArray, _FloatArray]:
    """Sums of squared weights in the bins of `logit_histogram`.

    Returns:
        Of the subjects without and of those with the outcome, float64 `[bins]`; of a table without
        weights their numbers.
    """
    bins = logit_bins(log_odds(table.probability))
    bins -= bins[0]
    filled = np.bincount(bins, weights=table.weight) > 0
    negative, positive = (
        (table.sums.negative_squares, table.sums.positive_squares)
        if table.sums
        else (table.negative, table.positive)
    )
    return _sums(bins, negative)[filled], _sums(bins, positive)[filled]


def logit_bins(logit: _FloatArray) -> NDArray[np.int64]:
    """Bin of each logit, counted from 0."""
    return np.asarray(np.floor(logit * LOGIT_BINS_PER_UNIT).astype(np.int64))


def _sums(bins: NDArray[np.int64], values: NDArray[Any]) -> _FloatArray:
    return np.bincount(bins, weights=values).astype(np.float64)


def expected_calibration_error(table: ScoreTable) -> float:
    """Mean distance between prediction and observed rate over ten bins of equally many subjects.

    Weighted subjects make bins of equal weight. Subjects with the same prediction stay together, in
    the bin of their middle rank. Naeini et al., AAAI 2015, with bins of equal counts.
    """
    if not table.valid:
        return math.nan
    middle = np.cumsum(table.weight) - table.weight / 2
    bins = calibration_bins(middle, table.everyone)
    predicted = np.bincount(bins, weights=table.weight * table.probability)
    observed = np.bincount(bins, weights=table.positive_weight)
    return float(np.sum(np.abs(predicted - observed)) / table.everyone)


def calibration_bins(middle: NDArray[Any], everyone: float) -> NDArray[np.int64]:
    """Bin of equal weight by the middle rank of the subjects with a prediction.

    Args:
        middle: Weight of those with lower predictions, and half of their own; `[n]`.
        everyone: Weight of all.
    """
    # A middle on the edge of a bin stays there, however its weights are rounded.
    place = middle * CALIBRATION_BINS / everyone + _ROUNDING
    return np.minimum(np.floor(place).astype(np.int64), CALIBRATION_BINS - 1)


def positive_predictive_value(decisions: HasDecisions, threshold: float) -> float:
    """Share of subjects with the outcome among those predicted to have it."""
    true, false, _, _ = decisions.confusion(threshold)
    return _ratio(true, true + false)


def sensitivity(decisions: HasDecisions, threshold: float) -> float:
    """Share of subjects with the outcome that are predicted to have it."""
    true, _, _, missed = decisions.confusion(threshold)
    return _ratio(true, true + missed)


def f1(decisions: HasDecisions, threshold: float) -> float:
    """Harmonic mean of positive predictive value and sensitivity."""
    true, false, _, missed = decisions.confusion(threshold)
    return _ratio(2 * true, 2 * true + false + missed)


def specificity(decisions: HasDecisions, threshold: float) -> float:
    """Share of subjects without the outcome that are predicted not to have it."""
    _, false, spared, _ = decisions.confusion(threshold)
    return _ratio(spared, spared + false)


def false_positive_rate(decisions: HasDecisions, threshold: float) -> float:
    """Share of subjects without the outcome that are predicted to have it."""
    _, false, spared, _ = decisions.confusion(threshold)
    return _ratio(false, spared + false)


def false_negative_rate(decisions: HasDecisions, threshold: float) -> float:
    """Share of subjects with the outcome that are predicted not to have it."""
    true, _, _, missed = decisions.confusion(threshold)
    return _ratio(missed, true + missed)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def is_separated(table: ScoreTable) -> bool:
    """Whether a threshold of the prediction separates the outcomes, so that no fit is finite."""
    score = table.score
    positive, negative = score[table.positive > 0], score[table.negative > 0]
    return bool(negative[-1] <= positive[0] or positive[-1] <= negative[0])
