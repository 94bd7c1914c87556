"""Platt scaling per task, shrunk towards the identity if the eval split is small."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.arms import arms_of
from trainer.arrays import Arrays
from trainer.endpoint.arrays import cross_entropies, curvatures, errors

SLOPE_DEVIATION = 0.15
"""Prior standard deviation of the logarithm of the slope around 0."""

INTERCEPT_DEVIATION = 0.25
"""Prior standard deviation of the intercept, and of what an arm adds to it, around 0."""

_STEPS = 50
_TOLERANCE = 1e-8
_FEWEST_ARMS = 2


@dataclasses.dataclass(frozen=True)
class Calibration:
    """A linear function per task, from the model's logit to the calibrated one.

    Attributes:
        slopes: Slope per task; positive, so that the ranking of subjects of an arm is kept.
        intercepts: Intercept per task.
        of_arms: Added for the subjects of an arm: per arm, per task; empty where nothing is.
    """

    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    of_arms: tuple[tuple[float, ...], ...] = ()

    def __call__(self, logits: NDArray[Any], arms: NDArray[np.int64] | None = None) -> NDArray[Any]:
        """Calibrated logits of logits of the same shape.

        Args:
            logits: float `[subjects, tasks]`.
            arms: Arm of each subject, int `[subjects]`; not read where nothing is added for arms.
        """
        line = np.asarray(self.slopes) * logits + np.asarray(self.intercepts)
        return line + np.asarray(self.of_arms)[arms] if self.of_arms else line

    @property
    def arm_logits(self) -> NDArray[np.float64]:
        """What `of_arms` adds before the line: float64 `[arms, tasks]`, or 0."""
        return np.asarray(self.of_arms or 0.0) / np.asarray(self.slopes)

    def without_arms(self) -> Calibration:
        """The line alone, for a model whose logits hold `arm_logits` already."""
        return Calibration(self.slopes, self.intercepts)


@dataclasses.dataclass(frozen=True)
class _Subjects:
    """Subjects of one task: `arm` holds a column for each arm that is calibrated."""

    logit: NDArray[np.float64]
    label: NDArray[np.float64]
    weight: NDArray[np.float64]
    mean: NDArray[np.float64]
    arm: NDArray[np.float64]

    def line(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated logits at log-slope, intercept, and what each arm adds."""
        slope = np.exp(point[0])
        return self.mean + slope * (self.logit - self.mean) + point[1] + self.arm @ point[2:]


def calibrate(logits: NDArray[Any], subjects: Arrays, arms: Sequence[int]) -> Calibration:
    """Fits the calibration of subjects whose arms have these codes, see `fit_calibration`."""
    of_subjects = arms_of(subjects.categories, arms)
    return fit_calibration(logits, subjects.labels, subjects.weights, of_subjects, len(arms))


def fit_calibration(
    logits: NDArray[Any],
    labels: NDArray[Any],
    weights: NDArray[Any],
    arms: NDArray[np.int64] | None = None,
    count: int = 0,
) -> Calibration:
    """Fits slope and intercept of every task, and what each arm adds.

    The maximum of the Bernoulli likelihood (Platt 1999, "Probabilistic outputs for support
    vector machines") times a normal prior on the logarithm of the slope and on the intercept, which
    dominates only if there are few subjects. A subject counts with its weight, as if it were there
    so often.

    Where there are two arms or more, each has an intercept of its own, shrunk towards the common
    one, and the slope is that of deviations from the arm's mean logit: a model that is too sure
    gives way to the rate of the subject's arm, not to the rate of all (recalibration in groups
    after Steyerberg 2019, "Clinical prediction models", chapter 20).

    Args:
        logits: Logits of the eval split, float `[subjects, tasks]`.
        labels: 0 or 1, float `[subjects, tasks]`.
        weights: Weights of the subjects, 0 where the label is unknown, float `[subjects, tasks]`.
        arms: Arm of each subject, int `[subjects]`.
        count: Number of arms, those without a subject too; 0 without arms.

    Returns:
        The calibration; the identity for a task without a known label.
    """
    if arms is None or not count:
        arms, count = np.zeros(len(logits), np.int64), 0
    fits = [
        _fit_line(logits[:, task], labels[:, task], weights[:, task], arms, count)
        for task in range(logits.shape[1])
    ]
    of_arms = np.stack([of_arm for _, _, of_arm in fits], axis=1) if count else np.zeros((0, 0))
    return Calibration(
        tuple(slope for slope, _, _ in fits),
        tuple(intercept for _, intercept, _ in fits),
        tuple(map(tuple, of_arms.tolist())),
    )


def _fit_line(
    logit: Any, label: Any, weight: Any, arms: NDArray[np.int64], count: int
) -> tuple[float, float, NDArray[np.float64]]:
    """Slope, intercept, and what is added for each arm: float64 `[count]`."""
    logit, label, weight = (np.asarray(values, np.float64) for values in (logit, label, weight))
    present = np.unique(arms[weight > 0])
    means = np.zeros(max(count, 1))
    if len(present) >= _FEWEST_ARMS:
        known = weight > 0
        means[:] = np.average(logit[known], weights=weight[known])
        for arm in present:
            inside = known & (arms == arm)
            means[arm] = np.average(logit[inside], weights=weight[inside])
    else:
        present = present[:0]
    columns = (arms[:, np.newaxis] == present).astype(np.float64)
    point = _maximum(_Subjects(logit, label, weight, means[arms], columns))
    slope = float(np.exp(point[0]))
    added = (1.0 - slope) * means
    added[present] += point[2:]
    return slope, float(point[1]), added[:count]


def _maximum(subjects: _Subjects) -> NDArray[np.float64]:
    """Newton's method with step halving on log-slope, intercept, and what each arm adds."""
    deviations = np.full(2 + subjects.arm.shape[1], INTERCEPT_DEVIATION)
    deviations[0] = SLOPE_DEVIATION
    point = np.zeros(len(deviations))
    loss = _loss(point, subjects, deviations)
    for _ in range(_STEPS):
        step = _newton_step(point, subjects, deviations)
        while (new := _loss(point - step, subjects, deviations)) > loss and (
            np.abs(step).max() > _TOLERANCE
        ):
            step /= 2
        if np.abs(step).max() <= _TOLERANCE:
            break
        point, loss = point - step, new
    return point


def _loss(
    point: NDArray[np.float64], subjects: _Subjects, deviations: NDArray[np.float64]
) -> float:
    line = subjects.line(point)
    likelihood = subjects.weight @ cross_entropies(line, subjects.label)
    return float(likelihood + 0.5 * np.sum((point / deviations) ** 2))


def _newton_step(
    point: NDArray[np.float64], subjects: _Subjects, deviations: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Gauss-Newton step: the curvature without the second derivative of the line."""
    scaled = np.exp(point[0]) * (subjects.logit - subjects.mean)
    line = subjects.line(point)
    jacobian = np.column_stack([scaled, np.ones_like(scaled), subjects.arm])
    precision = deviations**-2.0
    gradient = jacobian.T @ (subjects.weight * errors(line, subjects.label)) + precision * point
    curvature = (jacobian * (subjects.weight * curvatures(line))[:, None]).T @ jacobian
    return np.linalg.solve(curvature + np.diag(precision), gradient)
