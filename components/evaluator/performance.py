"""Metrics of ranking, calibration and decisions, computed from a score table.

Every function returns not-a-number if its metric is undefined for the given subjects (for example,
the area under a curve if all subjects have the same outcome) or if a prediction is not a number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from components.evaluator.logistic_slope import logistic_slopes
from components.evaluator.score_table import ScoreTable
from pipeline.log_odds import clip_probability, log_odds

CALIBRATION_BINS = 10
LOGIT_BINS_PER_UNIT = 128
"""Bins per unit of the logit in the histogram to which the calibration slope is fitted."""

_FloatArray = NDArray[np.float64]


class HasDecisions(Protocol):
    """Predictions and outcomes of subjects, by which decisions can be counted."""

    def confusion(self, threshold: float) -> tuple[float, float, float, float]:
        """True positives, false positives, true negatives and false negatives."""


def auc(table: ScoreTable) -> float:
    """Area under the ROC curve.

    The probability that a subject with the outcome has a higher prediction than one without, ties
    counted as one half (Mann-Whitney).
    """
    if not (table.valid and table.positives and table.negatives):
        return math.nan
    below = np.cumsum(table.negative) - table.negative
    wins = float(np.sum(table.positive * (below + table.negative / 2)))
    return wins / (table.positives * table.negatives)


def pr_auc(table: ScoreTable) -> float:
    """Area under the curve of positive predictive value by sensitivity: average precision.

    The mean of the positive predictive value at each distinct prediction, weighted by the gain in
    sensitivity there, without interpolation, as scikit-learn's `average_precision_score`.
    """
    if not (table.valid and table.positives):
        return math.nan
    true = np.cumsum(table.positive[::-1])
    precision = true / np.cumsum(table.count[::-1])
    return float(np.sum(precision * table.positive[::-1]) / table.positives)


def brier(table: ScoreTable) -> float:
    """Brier score: mean squared difference between prediction and outcome."""
    if not table.valid:
        return math.nan
    p = table.probability
    return float(np.sum(table.positive * (1 - p) ** 2 + table.negative * p**2) / table.subjects)


def log_loss(table: ScoreTable) -> float:
    """Mean negative log-likelihood in nats; predictions are clipped to 1e-7 from 0 and 1."""
    if not table.valid:
        return math.nan
    p = clip_probability(table.probability)
    total = np.sum(table.positive * np.log(p) + table.negative * np.log1p(-p))
    return float(-total / table.subjects)


def observed_rate(table: ScoreTable) -> float:
    """Share of subjects with the outcome."""
    return table.positives / table.subjects if table.subjects else math.nan


def mean_prediction(table: ScoreTable) -> float:
    """Mean predicted probability."""
    if not table.valid:
        return math.nan
    return float(np.sum(table.count * table.probability) / table.subjects)


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
    return float(calibration_slopes([table])[0])


def calibration_slopes(tables: Sequence[ScoreTable]) -> _FloatArray:
    """Calibration slopes of several tables, each as `calibration_slope`; float64 `[tables]`."""
    slopes = np.full(len(tables), np.nan)
    fitted = [place for place, table in enumerate(tables) if _has_slope(table)]
    if fitted:
        histograms = [logit_histogram(tables[place]) for place in fitted]
        columns = (_padded(column) for column in zip(*histograms, strict=True))
        slopes[fitted] = logistic_slopes(*columns)
    return slopes


def _has_slope(table: ScoreTable) -> bool:
    return bool(table.valid and table.positives and table.negatives) and not is_separated(table)


def _padded(rows: Sequence[_FloatArray]) -> _FloatArray:
    """Rows of different lengths, filled up with zeros; float64 `[rows, longest]`."""
    filled = np.zeros((len(rows), max(map(len, rows))))
    for place, row in enumerate(rows):
        filled[place, : len(row)] = row
    return filled


def logit_histogram(table: ScoreTable) -> tuple[_FloatArray, _FloatArray, _FloatArray]:
    """Subjects by the logit of their prediction, for fits whose cost must not grow with them.

    Returns:
        Mean logit, subjects and subjects with the outcome of each bin that is not empty, float64
        `[bins]`; 128 bins per unit, logits rise.
    """
    logit = log_odds(table.probability)
    bins = np.floor(logit * LOGIT_BINS_PER_UNIT).astype(np.int64)
    bins -= bins[0]
    count: _FloatArray = np.bincount(bins, weights=table.count).astype(np.float64)
    filled = count > 0
    count = count[filled]
    positive: _FloatArray = np.bincount(bins, weights=table.positive)[filled].astype(np.float64)
    mean = np.bincount(bins, weights=table.count * logit)[filled] / count
    return mean, count, positive


def expected_calibration_error(table: ScoreTable) -> float:
    """Mean distance between prediction and observed rate over ten bins of equally many subjects.

    Subjects with the same prediction stay together, in the bin of their middle rank. Naeini et
    al., AAAI 2015, with bins of equal counts.
    """
    if not table.valid:
        return math.nan
    middle = np.cumsum(table.count) - table.count / 2
    bins = np.floor(middle * CALIBRATION_BINS / table.subjects).astype(np.int64)
    predicted = np.bincount(bins, weights=table.count * table.probability)
    observed = np.bincount(bins, weights=table.positive)
    return float(np.sum(np.abs(predicted - observed)) / table.subjects)


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
