"""Ridge logistic regression of all tasks: initial weights of the model's linear path."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from trainer.arms import arms_of
from trainer.arrays import Arrays
from trainer.endpoint.arrays import MOST_CURVATURE, cross_entropies, errors
from trainer.model import Encoding

MAX_ROWS = 50_000
"""Largest number of subjects for the regression; training continues on all of them."""

ARM_PENALTY = 1.0 / 2.5**2
"""Penalty of an arm's weight: a normal prior with a standard deviation of 2.5 around the intercept.
Gelman et al. 2008, "A weakly informative default prior distribution for logistic and other
regression models", give this scale to the weight of a binary column. It counts as a sixth of a
subject, which leaves the effect of an arm as it is observed, and keeps that of an arm without
events finite."""

_INTERCEPT_PENALTY = 1e-4
_ITERATIONS = 300
_LEAST_REST = 1e-3
_NO_VARIANCE = 1e-12


@dataclasses.dataclass(frozen=True)
class LinearStart:
    """Weights of the linear path.

    Attributes:
        numbers: float64 `[numbers, tasks]`.
        codes: float64 `[codes, tasks]`.
        bias: float64 `[tasks]`.
    """

    numbers: NDArray[Any]
    codes: NDArray[Any]
    bias: NDArray[Any]


def fit_linear(
    train: Arrays, encoding: Encoding, penalty: float | NDArray[np.float64]
) -> LinearStart:
    """Maximises the penalised likelihood of each task.

    A subject counts with its weight, as if it were there so often: the penalty has the scale of one
    subject of weight 1.

    Args:
        train: Subjects to fit on; the first `MAX_ROWS` of them are used.
        encoding: Their shape.
        penalty: Multiplies half the squared norm of a task's weights; the intercept is not
            penalised, and the arms by `ARM_PENALTY` at most, so that the mean prediction of each
            arm is its rate. One for all tasks, or float64 `[tasks]`.

    Returns:
        The weights.
    """
    subjects = train.head(MAX_ROWS)
    design = design_matrix(subjects, encoding)
    with_ones = sparse.hstack([design, np.ones((len(subjects), 1))], format="csr")
    ridge = _penalties(penalty, encoding)
    found = _minimise(with_ones, subjects.labels, subjects.weights, ridge)
    return LinearStart(
        numbers=found[: encoding.numbers],
        codes=found[encoding.numbers : -1],
        bias=found[-1],
    )


def choose_penalties(
    train: Arrays, encoding: Encoding, penalties: Sequence[float]
) -> NDArray[np.float64]:
    """Chooses the penalty of each task by leave-one-out error on the same subjects.

    The error is that of ridge regression on the labels, which has a closed form for all penalties
    at once (Allen 1974, PRESS, with the hat matrix of weighted least squares): a subject is left
    out with all of its weight. At the base rate, its penalty divided by the variance of the label
    is that of the logistic regression to second order. Intercept and arms are not penalised: the
    error is that of deviations from the mean of a subject's arm (Frisch & Waugh 1933). The largest
    penalty should leave nothing but the arms, for features that say no more.

    Args:
        train: Subjects to fit on; the first `MAX_ROWS` of them are used.
        encoding: Their shape.
        penalties: Penalties as `fit_linear` takes them.

    Returns:
        float64 `[tasks]`; the largest penalty for a task with one kind of known label.
    """
    subjects = train.head(MAX_ROWS)
    design = design_matrix(subjects, encoding).toarray()
    arms = arms_of(subjects.categories, encoding.arms)
    return np.array(
        [
            _penalty(design, subjects.labels[:, task], subjects.weights[:, task], arms, penalties)
            for task in range(len(encoding.tasks))
        ]
    )


def _penalty(
    design: NDArray[np.float64],
    labels: NDArray[Any],
    weights: NDArray[Any],
    arms: NDArray[np.int64],
    penalties: Sequence[float],
) -> float:
    known = weights > 0
    outcome, weight = (values[known].astype(np.float64) for values in (labels, weights))
    if not len(outcome):
        return max(penalties)
    arm = arms[known]
    deviation = _within_arms(outcome[:, None], weight, arm)[:, 0]
    variance = float(weight @ deviation**2) / float(weight.sum())
    if variance < _NO_VARIANCE:
        return max(penalties)
    # Weighted least squares are those of rows times the roots of their weights.
    root = np.sqrt(weight)
    centred = _within_arms(design[known], weight, arm) * root[:, None]
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    target = deviation * root
    projected = left.T @ target
    of_arm = weight / np.bincount(arm, weight)[arm]
    errors = []
    for penalty in penalties:
        shrink = values**2 / (values**2 + penalty / variance)
        leverage = (left**2) @ shrink + of_arm
        residual = target - left @ (shrink * projected)
        errors.append(float(np.sum((residual / np.maximum(1.0 - leverage, _LEAST_REST)) ** 2)))
    return float(penalties[int(np.argmin(errors))])


def _within_arms(
    columns: NDArray[np.float64], weight: NDArray[np.float64], arm: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Columns `[subjects, columns]` less the weighted mean of each subject's arm."""
    found = columns.astype(np.float64)
    for number in np.unique(arm):
        inside = arm == number
        found[inside] -= np.average(columns[inside], axis=0, weights=weight[inside])
    return found


def _penalties(penalty: float | NDArray[np.float64], encoding: Encoding) -> NDArray[np.float64]:
    """Penalty of every weight, the intercept last: float64 `[numbers + codes + 1, tasks]`."""
    shape = (encoding.numbers + encoding.codes + 1, len(encoding.tasks))
    found = np.broadcast_to(np.asarray(penalty, np.float64), shape).copy()
    arms = encoding.numbers + np.array(encoding.arms, int)
    found[arms] = np.minimum(found[arms], ARM_PENALTY)
    found[-1] = _INTERCEPT_PENALTY
    return found


def design_matrix(arrays: Arrays, encoding: Encoding) -> sparse.csr_matrix:
    """Columns of a linear model: the numbers, and one column for each code.

    Args:
        arrays: Subjects.
        encoding: Their shape.

    Returns:
        float64 `[subjects, numbers + codes]`.
    """
    rows, features = arrays.categories.shape
    codes = sparse.csr_matrix(
        (
            np.ones(rows * features),
            arrays.categories.ravel(),
            np.arange(rows + 1) * features,
        ),
        shape=(rows, encoding.codes),
    )
    numbers = sparse.csr_matrix(arrays.numbers.astype(np.float64))
    return sparse.hstack([numbers, codes], format="csr")


def _minimise(
    design: sparse.csr_matrix,
    labels: NDArray[Any],
    weights: NDArray[Any],
    ridge: NDArray[np.float64],
) -> NDArray[Any]:
    """Weights `[columns, tasks]`; the tasks' losses add up, so one minimisation fits them all."""
    shape = (design.shape[1], labels.shape[1])
    transposed = design.T.tocsr()
    # Penalties differ by a factor of a million: in units of its curvature every weight is alike.
    curvature = ridge + MOST_CURVATURE * (design.multiply(design).T @ weights)
    scale = 1.0 / np.sqrt(np.maximum(curvature, _INTERCEPT_PENALTY))

    def objective(flat: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        point = scale * flat.reshape(shape)
        logits = design @ point
        loss = np.sum(weights * cross_entropies(logits, labels))
        error = weights * errors(logits, labels)
        gradient = transposed @ error + ridge * point
        return float(loss + 0.5 * np.sum(ridge * point**2)), (scale * gradient).ravel()

    found = optimize.minimize(
        objective,
        np.zeros(shape).ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _ITERATIONS, "maxcor": 20, "ftol": 1e-10, "gtol": 1e-5},
    )
    return scale * found.x.reshape(shape)
