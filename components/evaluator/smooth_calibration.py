"""Smoothed calibration curve of a group, with a pointwise 95 % band.

Logistic regression of the outcome on a natural (restricted) cubic spline of the prediction's
logit, by statsmodels with patsy's `cr`: one of the flexible calibration curves of Van Calster et
al. (J Clin Epidemiol 2016;74:167-76), the other being loess (Austin and Steyerberg, Stat Med
2014;33:517-35), which has no band on the scale of logits. The band is Wald's on that scale. It is
of subjects, not of the models' training.

Three knots, or four where a hundred subjects have the outcome and as many do not, at the quantiles
of Harrell (Regression Modeling Strategies, 2015, table 2.3). They are taken of the means of the
calibration bins, since a quantile of the predictions is the prediction of a subject. For the same
reason the curve reaches from the mean prediction of the lowest bin to that of the highest one. The
fit runs on the histogram of logits that the calibration slope is fitted to; weighted subjects make
a weighted fit, with the sandwich for a band.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluator.performance import (
    is_separated,
    logit_histogram,
    squares_in_logit_histogram,
)
from components.evaluator.score_table import ScoreTable
from pipeline.estimates import NORMAL_95
from pipeline.log_odds import log_odds
from pipeline.results.clinical_curves import SmoothPoint
from pipeline.results.curve_points import CalibrationBin
from pipeline.results.outcomes import LEAST_EVENTS

POINTS = 30
"""Points of a curve, equally spaced on the scale of logits."""

SUBJECTS_OF_FOUR_KNOTS = 100
_QUANTILES = {3: (0.10, 0.50, 0.90), 4: (0.05, 0.35, 0.65, 0.95)}
_FEWEST_BINS = 3
_LEAST_GAP = 1e-3
"""Smallest distance of two knots, in logits: closer ones would make a spline of a step."""

_FloatArray = NDArray[np.float64]


def smooth_calibration(
    table: ScoreTable, bins: Sequence[CalibrationBin]
) -> tuple[SmoothPoint, ...]:
    """Fits the curve of a group.

    Args:
        table: Predictions and outcomes of its subjects.
        bins: Its calibration bins.

    Returns:
        Points with rising predictions; none if there are fewer than three bins, their predictions
        are equal, fewer than ten subjects (by their effective number) have, or have not, the
        outcome, or no finite fit exists.
    """
    rarer = min(table.effective_positives, table.effective_negatives)
    if len(bins) < _FEWEST_BINS or rarer < LEAST_EVENTS:
        return ()
    knots = _knots(bins, 4 if rarer >= SUBJECTS_OF_FOUR_KNOTS else 3)
    if np.any(np.diff(knots) < _LEAST_GAP) or is_separated(table):
        return ()
    return _fitted(table, knots, np.linspace(*_ends(bins), POINTS))


def _fitted(table: ScoreTable, knots: _FloatArray, grid: _FloatArray) -> tuple[SmoothPoint, ...]:
    # Imported on use: they take a second to load.
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    logit, count, positive = logit_histogram(table)
    outcomes = np.column_stack([positive, count - positive])
    # Making columns takes longer than the fit: both at once.
    columns, at_grid = np.split(_spline(np.concatenate([logit, grid]), knots), [len(logit)])
    try:
        fit = sm.GLM(outcomes, columns, family=sm.families.Binomial()).fit()
    except (PerfectSeparationError, np.linalg.LinAlgError):
        return ()
    linear = at_grid @ fit.params
    covariance = fit.cov_params() if table.sums is None else _sandwich(fit, columns, table)
    variance = np.einsum("ij,jk,ik->i", at_grid, covariance, at_grid)
    if not (fit.converged and np.all(np.isfinite(linear)) and np.all(variance >= 0)):
        return ()
    reach = NORMAL_95 * np.sqrt(variance)
    rates = (_rate(values).tolist() for values in (grid, linear, linear - reach, linear + reach))
    return tuple(
        SmoothPoint(prediction=prediction, observed_rate=rate, lower=lower, upper=upper)
        for prediction, rate, lower, upper in zip(*rates, strict=True)
    )


def _sandwich(fit: Any, columns: _FloatArray, table: ScoreTable) -> _FloatArray:
    """Covariance of the coefficients of a fit to weighted subjects.

    The variance that the model claims takes a weight for a number of subjects: the sandwich does
    not (White H. Econometrica 1982;50:1-25; Binder DA. Int Stat Rev 1983;51:279-92).
    """
    rate = np.asarray(fit.fittedvalues)
    negative, positive = squares_in_logit_histogram(table)
    scores = positive * (1 - rate) ** 2 + negative * rate**2
    bread = np.asarray(fit.cov_params())
    return np.asarray(bread @ (columns.T * scores) @ columns @ bread)


def _spline(x: _FloatArray, knots: _FloatArray) -> _FloatArray:
    """Columns of a natural cubic spline, linear beyond the outer knots; `[n, knots]`."""
    from patsy import dmatrix

    # The columns include the intercept.
    formula = "cr(x, knots=inner, lower_bound=low, upper_bound=high) - 1"
    places = {"inner": knots[1:-1], "low": knots[0], "high": knots[-1]}
    return np.asarray(dmatrix(formula, {"x": x, **places}), np.float64)


def _knots(bins: Sequence[CalibrationBin], number: int) -> _FloatArray:
    """Knots on the scale of logits, at quantiles of the subjects' bins."""
    logit = _logit_of(bins)
    subjects = np.array([item.subjects for item in bins], np.float64)
    middle = (np.cumsum(subjects) - subjects / 2) / subjects.sum()
    return np.interp(_QUANTILES[number], middle, logit)


def _ends(bins: Sequence[CalibrationBin]) -> tuple[float, float]:
    logit = _logit_of(bins)
    return float(logit[0]), float(logit[-1])


def _logit_of(bins: Sequence[CalibrationBin]) -> _FloatArray:
    return log_odds(np.array([item.mean_prediction for item in bins], np.float64))


def _rate(logit: _FloatArray) -> _FloatArray:
    return np.asarray(1 / (1 + np.exp(-logit)))
