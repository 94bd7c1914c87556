"""Cross-entropy of predictions and of the base rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.endpoint.arrays import base_cross_entropy, cross_entropies

_MIN_ENTROPY = 0.01


def entropy(labels: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """Cross-entropy in nats of predicting the weighted base rate.

    Args:
        labels: 0 or 1, float `[subjects, tasks]`.
        weights: Weights of the subjects, 0 where the label is unknown, float `[subjects, tasks]`.

    Returns:
        float64 `[tasks]`, at least 0.01.
    """
    rate = np.sum(labels * weights, axis=0, dtype=np.float64) / _total(weights)
    return np.maximum(base_cross_entropy(rate), _MIN_ENTROPY)


def task_balance(labels: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """Weight of each task in the loss, whatever its rate, its known labels and their weights.

    Args:
        labels: 0 or 1, float `[subjects, tasks]`.
        weights: Weights of the subjects, 0 where the label is unknown, float `[subjects, tasks]`.

    Returns:
        Inverse of the base rate's entropy times the mean weight, float64 `[tasks]`.
    """
    mean = weights.mean(axis=0)
    known = np.where(mean > 0, mean, 1.0 / len(weights))
    return np.asarray(1.0 / (entropy(labels, weights) * known))


def mean_losses(
    logits: NDArray[np.float64], labels: NDArray[Any], weights: NDArray[Any]
) -> NDArray[np.float64]:
    """Weighted mean cross-entropy in nats over the known labels.

    Args:
        logits: float64 `[subjects, tasks]`.
        labels: 0 or 1, float `[subjects, tasks]`.
        weights: Weights of the subjects, 0 where the label is unknown, float `[subjects, tasks]`.

    Returns:
        float64 `[tasks]`; 0 for a task without a known label.
    """
    losses = np.sum(weights * cross_entropies(logits, labels), axis=0)
    return np.asarray(losses / _total(weights))


def _total(weights: NDArray[Any]) -> NDArray[np.float64]:
    """Weight of each task's known labels; 1 where there is none, so that means are 0."""
    total = weights.sum(axis=0, dtype=np.float64)
    return np.where(total > 0, total, 1.0)
