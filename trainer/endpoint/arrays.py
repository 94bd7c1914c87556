"""Loss and probability of log odds, with their derivatives, in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST_RATE = 1e-6


def cross_entropies(logits: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Cross-entropy of each prediction, nats.

    Args:
        logits: Log odds, float of any shape.
        labels: 0 or 1, float of the same shape.

    Returns:
        float64 of the same shape.
    """
    return np.asarray(np.logaddexp(0.0, logits) - labels * logits)


def probabilities(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Predicted probabilities of log odds, of the same shape; exact for large log odds."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


def errors(logits: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Derivative of `cross_entropies` by the log odds, of the same shape."""
    return probabilities(logits) - labels


def curvatures(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Second derivative of `cross_entropies` by the log odds, of the same shape."""
    probability = probabilities(logits)
    return probability * (1.0 - probability)


MOST_CURVATURE = 0.25
"""Largest value of `curvatures`."""


def base_cross_entropy(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean cross-entropy in nats where everyone is predicted the rate of the outcome.

    Args:
        rate: Shares of subjects with the outcome, float64 of any shape.

    Returns:
        float64 of the same shape.
    """
    rate = np.clip(rate, _LEAST_RATE, 1.0 - _LEAST_RATE)
    return np.asarray(-(rate * np.log(rate) + (1 - rate) * np.log1p(-rate)))
