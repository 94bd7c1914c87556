"""Ridge logistic regression of all tasks: where the model's linear path starts from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import optimize, sparse

from trainer.arrays import Arrays
from trainer.model import Encoding

MAX_ROWS = 50_000
"""Subjects that the regression looks at; with more, training goes on from there."""

_INTERCEPT_PENALTY = 1e-4
_ITERATIONS = 300


@dataclasses.dataclass(frozen=True)
class LinearStart:
    """Weights of the linear path and how they were chosen.

    Attributes:
        numbers: float64 `[numbers, tasks]`.
        codes: float64 `[codes, tasks]`.
        bias: float64 `[tasks]`.
        penalties: The ridge penalty that eval chose for each task.
    """

    numbers: np.ndarray
    codes: np.ndarray
    bias: np.ndarray
    penalties: tuple[float, ...]


def fit_linear(
    train: Arrays, evaluation: Arrays, encoding: Encoding, penalties: Sequence[float]
) -> LinearStart:
    """Maximises the penalised likelihood of each task, for the penalty that eval prefers.

    Args:
        train: Subjects to fit on; the first `MAX_ROWS` of them are used.
        evaluation: Subjects whose loss chooses the penalty of each task.
        encoding: Shape of both.
        penalties: Candidates; each multiplies half the squared norm of the weights.

    Returns:
        The weights, and the chosen penalties.
    """
    design = _design(train.head(MAX_ROWS), encoding)
    labels, weights = train.labels[:MAX_ROWS], train.weights[:MAX_ROWS]
    against = _design(evaluation, encoding)
    point = np.zeros((design.shape[1], len(encoding.tasks)))
    candidates, losses = [], []
    for penalty in sorted(penalties, reverse=True):
        point = _minimise(point, design, labels, weights, penalty)
        candidates.append(point)
        losses.append(_losses(against @ point, evaluation.labels, evaluation.weights))
    best = np.argmin(losses, axis=0)
    chosen = np.stack([candidates[row][:, task] for task, row in enumerate(best)], axis=1)
    ordered = sorted(penalties, reverse=True)
    return LinearStart(
        numbers=chosen[: encoding.numbers],
        codes=chosen[encoding.numbers : -1],
        bias=chosen[-1],
        penalties=tuple(float(ordered[row]) for row in best),
    )


def _design(arrays: Arrays, encoding: Encoding) -> sparse.csr_matrix:
    """Numbers, one column per code, and ones: float64 `[subjects, numbers + codes + 1]`."""
    rows, features = arrays.categories.shape
    codes = sparse.csr_matrix(
        (
            np.ones(rows * features),
            (arrays.categories + encoding.offsets).ravel(),
            np.arange(rows + 1) * features,
        ),
        shape=(rows, encoding.codes),
    )
    numbers = sparse.csr_matrix(arrays.numbers.astype(np.float64))
    return sparse.hstack([numbers, codes, np.ones((rows, 1))], format="csr")


def _minimise(
    start: np.ndarray,
    design: sparse.csr_matrix,
    labels: np.ndarray,
    weights: np.ndarray,
    penalty: float,
) -> np.ndarray:
    ridge = np.full((start.shape[0], 1), penalty)
    ridge[-1] = _INTERCEPT_PENALTY
    transposed = design.T.tocsr()

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        point = flat.reshape(start.shape)
        logits = design @ point
        loss = np.sum(weights * (np.logaddexp(0.0, logits) - labels * logits))
        error = weights * (0.5 * (1.0 + np.tanh(0.5 * logits)) - labels)
        gradient = transposed @ error + ridge * point
        return float(loss + 0.5 * np.sum(ridge * point**2)), gradient.ravel()

    found = optimize.minimize(
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _ITERATIONS, "maxcor": 20, "ftol": 1e-10, "gtol": 1e-4},
    )
    return found.x.reshape(start.shape)


def _losses(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum of the cross-entropy over the subjects with a known label, per task."""
    return np.sum(weights * (np.logaddexp(0.0, logits) - labels * logits), axis=0)
