"""Log odds of probabilities that may be 0 or 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST_PROBABILITY = 1e-7
"""Probabilities closer to 0 or 1 count as this far from them."""


def clip_probability(probability: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Probabilities at least `SMALLEST_PROBABILITY` from 0 and 1."""
    found = probability.astype(np.float64)
    return np.clip(found, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)


def log_odds(probability: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Log odds of clipped probabilities, float64 of the same shape.

    Examples:
        >>> log_odds(np.array([0.5, 1.0])).round(2)
        array([ 0.  , 16.12])
    """
    inner = clip_probability(probability)
    return np.asarray(np.log(inner) - np.log1p(-inner))
