"""Slopes of logistic regressions of outcomes on one number, many at a time.

The slope is refitted for each model, slice, repeat and jackknife sample: one iteration for all
repeats costs about as much as for one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MOST_STEPS = 50
_MOST_HALVINGS = 20
_CONVERGED = 1e-9
"""Relative step of the slope below which a fit has converged; above rounding error."""
_FloatArray = NDArray[np.float64]


def logistic_slopes(x: _FloatArray, count: _FloatArray, positive: _FloatArray) -> _FloatArray:
    """Fits an intercept and a slope to each row, by Newton's method with halved steps.

    Args:
        x: The number; float64 `[fits, n]`.
        count: Subjects at each, 0 in places that a fit does not use; float64 `[fits, n]`.
        positive: Subjects with the outcome at each; float64 `[fits, n]`. Each fit has some with
            and some without.

    Returns:
        The slopes, float64 `[fits]`; not-a-number where the iteration does not converge.
    """
    rate = positive.sum(axis=1) / count.sum(axis=1)
    beta = np.stack([np.log(rate / (1 - rate)), np.zeros(len(x))])
    slope = np.full(len(x), np.nan)
    likelihood = _log_likelihood(x, count, positive, beta)
    open_ = np.arange(len(x))
    for _ in range(_MOST_STEPS):
        step, solvable = _newton_step(x, count, positive, beta)
        moved, reached, rises = _search(x, count, positive, beta, step, likelihood)
        # Where no step raises the likelihood the fit is at its maximum, to rounding error.
        at_maximum = solvable & ~rises
        slope[open_[at_maximum]] = beta[1, at_maximum]
        done = np.abs(step[1]) <= _CONVERGED * np.maximum(1.0, np.abs(moved[1]))
        converged = solvable & rises & done
        slope[open_[converged]] = moved[1, converged]
        left = solvable & rises & ~done
        if not left.any():
            break
        open_, x, count, positive = open_[left], x[left], count[left], positive[left]
        beta, likelihood = moved[:, left], reached[left]
    return slope


def _newton_step(
    x: _FloatArray, count: _FloatArray, positive: _FloatArray, beta: _FloatArray
) -> tuple[_FloatArray, NDArray[np.bool_]]:
    """The step of intercepts and slopes `[2, fits]`, and where the information is not singular."""
    fitted = 1 / (1 + np.exp(-(beta[0][:, None] + beta[1][:, None] * x)))
    residual = positive - count * fitted
    weight = count * fitted * (1 - fitted)
    total, first = weight.sum(axis=1), (weight * x).sum(axis=1)
    second = (weight * x * x).sum(axis=1)
    determinant = total * second - first * first
    solvable = determinant > 1e-12 * total * second
    divisor = np.where(solvable, determinant, 1.0)
    gradient = residual.sum(axis=1), (residual * x).sum(axis=1)
    step = np.stack(
        [
            (second * gradient[0] - first * gradient[1]) / divisor,
            (total * gradient[1] - first * gradient[0]) / divisor,
        ]
    )
    return step, solvable


def _search(
    x: _FloatArray,
    count: _FloatArray,
    positive: _FloatArray,
    beta: _FloatArray,
    step: _FloatArray,
    likelihood: _FloatArray,
) -> tuple[_FloatArray, _FloatArray, NDArray[np.bool_]]:
    """Halves steps until the likelihood does not fall.

    Returns:
        Intercepts and slopes `[2, fits]`, their log-likelihoods, and whether a step was found.
    """
    moved = beta + step
    reached = _log_likelihood(x, count, positive, moved)
    falls = ~(reached >= likelihood)
    share = 1.0
    for _ in range(_MOST_HALVINGS - 1):
        if not falls.any():
            break
        share /= 2
        moved[:, falls] = beta[:, falls] + share * step[:, falls]
        reached[falls] = _log_likelihood(x[falls], count[falls], positive[falls], moved[:, falls])
        falls = ~(reached >= likelihood)
    return moved, reached, ~falls


def _log_likelihood(
    x: _FloatArray, count: _FloatArray, positive: _FloatArray, beta: _FloatArray
) -> _FloatArray:
    linear = beta[0][:, None] + beta[1][:, None] * x
    terms: _FloatArray = positive * linear - count * np.logaddexp(0, linear)
    return terms.sum(axis=1)
