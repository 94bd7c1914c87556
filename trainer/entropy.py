"""Cross-entropy of predictions and of the base rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MIN_ENTROPY = 0.01


def entropy(labels: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """Cross-entropy in nats of predicting the base rate.

    Args:
        labels: 0 or 1, float `[subjects, tasks]`.
        weights: 0 where the label is unknown, float `[subjects, tasks]`.

    Returns:
        float64 `[tasks]`, at least 0.01.
    """
    known = np.maximum(weights.sum(axis=0, dtype=np.float64), 1.0)
    rate = np.sum(labels * weights, axis=0, dtype=np.float64) / known
    rate = np.clip(rate, 1e-6, 1.0 - 1e-6)
    return np.maximum(-(rate * np.log(rate) + (1 - rate) * np.log1p(-rate)), _MIN_ENTROPY)


def mean_losses(
    logits: NDArray[np.float64], labels: NDArray[Any], weights: NDArray[Any]
) -> NDArray[np.float64]:
    """Mean cross-entropy in nats over the known labels.

    Args:
        logits: float64 `[subjects, tasks]`.
        labels: 0 or 1, float `[subjects, tasks]`.
        weights: 0 where the label is unknown, float `[subjects, tasks]`.

    Returns:
        float64 `[tasks]`; 0 for a task without a known label.
    """
    losses = np.sum(weights * (np.logaddexp(0.0, logits) - labels * logits), axis=0)
    return np.asarray(losses / np.maximum(weights.sum(axis=0), 1.0))
