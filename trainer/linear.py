"""Ridge logistic regression of all tasks: initial weights of the model's linear path."""

from __future__ import annotations

import dataclasses
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


def fit_linear(train: Arrays, encoding: Encoding, penalty: float) -> LinearStart:
    """Maximises the penalised likelihood of each task.

    Args:
        train: Subjects to fit on; the first `MAX_ROWS` of them are used.
        encoding: Their shape.
        penalty: Multiplies half the squared norm of a task's weights; the intercept is not
            penalised.

    Returns:
        The weights.
    """
    subjects = train.head(MAX_ROWS)
    found = _minimise(_design(subjects, encoding), subjects.labels, subjects.weights, penalty)
    return LinearStart(
        numbers=found[: encoding.numbers],
        codes=found[encoding.numbers : -1],
        bias=found[-1],
    )


def _design(arrays: Arrays, encoding: Encoding) -> sparse.csr_matrix:
    """Numbers, one column per code, and ones: float64 `[subjects, numbers + codes + 1]`."""
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
    return sparse.hstack([numbers, codes, np.ones((rows, 1))], format="csr")


def _minimise(
    design: sparse.csr_matrix,
    labels: NDArray[Any],
    weights: NDArray[Any],
    penalty: float,
) -> NDArray[Any]:
    """Weights `[columns, tasks]`; the tasks' losses add up, so one minimisation fits them all."""
    shape = (design.shape[1], labels.shape[1])
    ridge = np.full((shape[0], 1), penalty)
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
