"""Intervals of cross-fitted metrics."""

from __future__ import annotations

import math


def widened(lower: float, upper: float, folds: int, repeats: int) -> tuple[float, float]:
    """Widens an interval of pooled out-of-fold predictions by the variation of the training."""
    middle, reach = (lower + upper) / 2, (upper - lower) / 2
    reach *= math.sqrt(folds / (folds - 1) + 1 / repeats)
    return middle - reach, middle + reach
