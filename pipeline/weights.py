"""Weights of subjects: inverse probabilities of being observed to the end of a task's horizon.

A subject whose label is unknown has weight 0. Where follow-up ended early, a subject that was
observed stands for others like it that were not, and has a weight above 1 (Robins JM, Finkelstein
DM. Biometrics 2000;56:779-88; for metrics of predictions Graf E, et al. Stat Med 1999;18:2529-45
and Uno H, et al. J Am Stat Assoc 2007;102:527-37). Numbers of subjects are counts of weights above
0, never sums of weights.

Weights are treated as known. They are estimated, which makes an estimate more precise than this
says (Tsiatis AA. Semiparametric Theory and Missing Data, 2006, chapter 9): intervals are not too
narrow because of it.

Weights of examples are single-precision numbers of at least 1. Their sums are exact in double
precision, so results do not depend on the order of the subjects.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.floating[Any]] | NDArray[np.bool_]

_DIGITS = 9
"""Decimals of an effective size: equal weights then make a whole number, whatever their size."""


def is_weighted(weights: Weights) -> bool:
    """Whether a subject that is observed counts for more, or less, than itself.

    Args:
        weights: `[subjects]`, 0 where the label is unknown.

    Examples:
        >>> is_weighted(np.array([1.0, 0.0, 1.0])), is_weighted(np.array([1.0, 1.5]))
        (False, True)
    """
    return bool(np.any((weights > 0) & (weights != 1)))


def effective_size(total: float, squares: float) -> float:
    """Number of subjects of equal weight that a mean would be as precise of.

    Kish L. Survey Sampling, 1965, section 11.7.

    Args:
        total: Sum of the weights.
        squares: Sum of their squares.

    Returns:
        At most the number of subjects, 0 without any.

    Examples:
        >>> effective_size(1 + 1 + 2, 1 + 1 + 4), effective_size(3 * 0.1, 3 * 0.1**2)
        (2.666666667, 3.0)
    """
    return round(total * total / squares, _DIGITS) if squares else 0.0


def effective_number(weights: Weights) -> float:
    """`effective_size` of the subjects with these weights, `[subjects]`."""
    exact = weights.astype(np.float64)
    return effective_size(float(exact.sum()), float(exact @ exact))


def weighted_mean(values: NDArray[Any], weights: Weights) -> float:
    """Mean of the values of subjects, `[subjects]`; not-a-number where no weight is above 0."""
    exact = weights.astype(np.float64)
    total = float(exact.sum())
    return float(exact @ values) / total if total else math.nan


def error_of_weighted_mean(values: NDArray[Any], weights: Weights) -> float:
    """Standard error of `weighted_mean`, from the influence of each subject on it.

    That of a ratio of two sums (Cochran WG. Sampling Techniques, 1977, section 6.4): with equal
    weights the standard deviation by the root of the number of subjects.

    Args:
        values: `[subjects]`.
        weights: `[subjects]`.

    Returns:
        Not-a-number for fewer than two subjects.
    """
    exact = weights.astype(np.float64)
    subjects = int((exact > 0).sum())
    if subjects < 2:
        return math.nan
    influence = exact * (values - weighted_mean(values, weights)) / float(exact.sum())
    return math.sqrt(float(influence @ influence) * subjects / (subjects - 1))


def mean_and_deviation(values: NDArray[Any], weights: Weights) -> tuple[float, float]:
    """Mean and standard deviation of the subjects that these stand for.

    Args:
        values: `[subjects]`.
        weights: `[subjects]`, at least two above 0.

    Examples:
        >>> mean_and_deviation(np.array([1.0, 2.0, 3.0]), np.ones(3))
        (2.0, 1.0)
    """
    if not is_weighted(weights):
        known = values[weights > 0]
        return float(known.mean()), float(known.std(ddof=1))
    mean, subjects = weighted_mean(values, weights), int((weights > 0).sum())
    square = weighted_mean((values - mean) ** 2, weights)
    return mean, math.sqrt(square * subjects / (subjects - 1))
