"""Platt scaling per task, shrunk towards the identity if the eval split is small."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

SLOPE_DEVIATION = 0.15
"""Prior standard deviation of the logarithm of the slope around 0."""

INTERCEPT_DEVIATION = 0.25
"""Prior standard deviation of the intercept around 0."""

_STEPS = 50
_TOLERANCE = 1e-8


@dataclasses.dataclass(frozen=True)
class Calibration:
    """A linear function per task, from the model's logit to the calibrated one.

    Attributes:
        slopes: Slope per task; positive, so that the ranking of subjects is kept.
        intercepts: Intercept per task.
    """

    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]

    def __call__(self, logits: NDArray[Any]) -> NDArray[Any]:
        """Calibrated logits `[subjects, tasks]` of logits of the same shape."""
        return np.asarray(self.slopes) * logits + np.asarray(self.intercepts)


def fit_calibration(
    logits: NDArray[Any], labels: NDArray[Any], weights: NDArray[Any]
) -> Calibration:
    """Fits slope and intercept of every task.

    The maximum of the Bernoulli likelihood (Platt 1999, "Probabilistic outputs for support
    vector machines") times a normal prior on the logarithm of the slope and on the intercept, which
    dominates only if there are few subjects. A subject counts with its weight, as if it were there
    so often.

    Args:
        logits: Logits of the eval split, float `[subjects, tasks]`.
        labels: 0 or 1, float `[subjects, tasks]`.
        weights: Weights of the subjects, 0 where the label is unknown, float `[subjects, tasks]`.

    Returns:
        The calibration; the identity for a task without a known label.
    """
    columns = [
        _fit_line(logits[:, task], labels[:, task], weights[:, task])
        for task in range(logits.shape[1])
    ]
    return Calibration(tuple(line[0] for line in columns), tuple(line[1] for line in columns))


def _fit_line(logit: Any, label: Any, weight: Any) -> tuple[float, float]:
    """Newton's method with step halving on log-slope and intercept."""
    logit, label, weight = (np.asarray(values, np.float64) for values in (logit, label, weight))
    point = np.zeros(2)
    loss = _loss(point, logit, label, weight)
    for _ in range(_STEPS):
        step = _newton_step(point, logit, label, weight)
        while (new := _loss(point - step, logit, label, weight)) > loss and (
            np.abs(step).max() > _TOLERANCE
        ):
            step /= 2
        if np.abs(step).max() <= _TOLERANCE:
            break
        point, loss = point - step, new
    return float(np.exp(point[0])), float(point[1])


def _loss(
    point: NDArray[Any], logit: NDArray[Any], label: NDArray[Any], weight: NDArray[Any]
) -> float:
    line = np.exp(point[0]) * logit + point[1]
    prior = (point / (SLOPE_DEVIATION, INTERCEPT_DEVIATION)) ** 2
    return float(weight @ (np.logaddexp(0.0, line) - label * line) + 0.5 * prior.sum())


def _newton_step(
    point: NDArray[Any], logit: NDArray[Any], label: NDArray[Any], weight: NDArray[Any]
) -> NDArray[Any]:
    """Gauss-Newton step: the curvature without the second derivative of the line."""
    scaled = np.exp(point[0]) * logit
    probability = 0.5 * (1.0 + np.tanh(0.5 * (scaled + point[1])))
    jacobian = np.stack([scaled, np.ones_like(scaled)], axis=1)
    precision = np.array([SLOPE_DEVIATION, INTERCEPT_DEVIATION]) ** -2.0
    gradient = jacobian.T @ (weight * (probability - label)) + precision * point
    curvature = (jacobian * (weight * probability * (1.0 - probability))[:, None]).T @ jacobian
    return np.linalg.solve(curvature + np.diag(precision), gradient)
