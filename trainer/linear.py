"""Ridge logistic regression of all tasks: initial weights of the model's linear path."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from trainer.arrays import Arrays
from trainer.model import Encoding

MAX_ROWS = 50_000
"""Largest number of subjects for the regression; training continues on all of them."""

_INTERCEPT_PENALTY = 1e-4
_ITERATIONS = 300
_LEAST_REST = 1e-3


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
            penalised. One for all tasks, or float64 `[tasks]`.

    Returns:
        The weights.
    """
    subjects = train.head(MAX_ROWS)
    design = design_matrix(subjects, encoding)
    with_ones = sparse.hstack([design, np.ones((len(subjects), 1))], format="csr")
    found = _minimise(with_ones, subjects.labels, subjects.weights, penalty)
    return LinearStart(
        numbers=found[: encoding.numbers],
        codes=found[encoding.numbers : -1],
        bias=found[-1],
    )


def choose_penalties(
    train: Arrays, encoding: Encoding, candidates: Sequence[float]
) -> NDArray[np.float64]:
    """Chooses the penalty of each task by leave-one-out error on the same subjects.

    The error is that of ridge regression on the labels, which has a closed form for all penalties
    at once (Allen 1974, PRESS, with the hat matrix of weighted least squares): a subject is left
    out with all of its weight. At the base rate, its penalty divided by the variance of the label
    is that of the logistic regression to second order. The intercept is not penalised.

    Args:
        train: Subjects to fit on; the first `MAX_ROWS` of them are used.
        encoding: Their shape.
        candidates: Penalties as `fit_linear` takes them.

    Returns:
        float64 `[tasks]`; the largest candidate for a task with one kind of known label.
    """
    subjects = train.head(MAX_ROWS)
    design = design_matrix(subjects, encoding).toarray()
    return np.array(
        [
            _penalty(design, subjects.labels[:, task], subjects.weights[:, task], candidates)
            for task in range(len(encoding.tasks))
        ]
    )


def _penalty(
    design: NDArray[np.float64],
    labels: NDArray[Any],
    weights: NDArray[Any],
    candidates: Sequence[float],
) -> float:
    known = weights > 0
    outcome, weight = (values[known].astype(np.float64) for values in (labels, weights))
    total = float(weight.sum())
    mean = float(weight @ outcome) / total if total else 0.0
    variance = float(weight @ (outcome - mean) ** 2) / total if total else 0.0
    if not variance:
        return max(candidates)
    # Weighted least squares are those of rows times the roots of their weights.
    root = np.sqrt(weight)
    rows = design[known]
    centred = (rows - (rows * weight[:, None]).sum(axis=0) / total) * root[:, None]
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    target = (outcome - mean) * root
    projected = left.T @ target
    errors = []
    for candidate in candidates:
        shrink = values**2 / (values**2 + candidate / variance)
        leverage = (left**2) @ shrink + weight / total
        residual = target - left @ (shrink * projected)
        errors.append(float(np.sum((residual / np.maximum(1.0 - leverage, _LEAST_REST)) ** 2)))
    return float(candidates[int(np.argmin(errors))])


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
    penalty: float | NDArray[np.float64],
) -> NDArray[Any]:
    """Weights `[columns, tasks]`; the tasks' losses add up, so one minimisation fits them all."""
    shape = (design.shape[1], labels.shape[1])
    ridge = np.tile(np.atleast_1d(penalty), (shape[0], 1))
    ridge[-1] = _INTERCEPT_PENALTY
    transposed = design.T.tocsr()

    def objective(flat: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        point = flat.reshape(shape)
        logits = design @ point
        loss = np.sum(weights * (np.logaddexp(0.0, logits) - labels * logits))
        error = weights * (0.5 * (1.0 + np.tanh(0.5 * logits)) - labels)
        gradient = transposed @ error + ridge * point
        return float(loss + 0.5 * np.sum(ridge * point**2)), gradient.ravel()

    found = optimize.minimize(
        objective,
        np.zeros(shape).ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _ITERATIONS, "maxcor": 20, "ftol": 1e-10, "gtol": 1e-4},
    )
    return found.x.reshape(shape)
