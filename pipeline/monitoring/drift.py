"""Distances of what came from what was in training, and how far chance alone goes.

The distance of two distributions is their Jensen-Shannon divergence in bits (Lin J. Divergence
measures based on the Shannon entropy. IEEE Transactions on Information Theory 1991;37:145-51). Of
two samples of one distribution it is about (1/n + 1/m) / (8 ln 2) times a chi-squared variable
with one degree of freedom less than there are bins, as twice the likelihood ratio is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

ERROR = 0.05
"""Probability that chance alone carries any of the distances of a period beyond its boundary."""


@dataclass(frozen=True)
class Compared:
    """A distance beside what chance alone exceeds.

    Attributes:
        distance: The distance.
        boundary: Its boundary.
    """

    distance: float
    boundary: float

    @property
    def beyond(self) -> bool:
        """Whether chance does not explain it."""
        return self.distance > self.boundary


def distance_of_bins(
    now: Mapping[str, float], training: Mapping[str, float], looks: int
) -> Compared | None:
    """Distance of two distributions over the same bins.

    Args:
        now: Subjects by bin.
        training: Training subjects by bin.
        looks: How many distances are looked at together: each gets an equal part of the error
            (Bonferroni).

    Returns:
        None where a side has no subject.

    Examples:
        >>> found = distance_of_bins({"F": 50, "M": 50}, {"F": 900, "M": 100}, looks=1)
        >>> round(found.distance, 3), found.beyond
        (0.147, True)
    """
    bins = sorted({*now, *training})
    first, second = (np.array([of.get(name, 0.0) for name in bins]) for of in (now, training))
    filled = (first + second) > 0
    n, m = first.sum(), second.sum()
    if not (n > 0 and m > 0):
        return None
    p, q = first[filled] / n, second[filled] / m
    middle = (p + q) / 2
    divergence = (_relative(p, middle) + _relative(q, middle)) / 2
    freedom = max(int(filled.sum()) - 1, 1)
    limit = stats.chi2.isf(ERROR / looks, freedom) * (1 / n + 1 / m) / (8 * math.log(2))
    return Compared(max(float(divergence), 0.0), float(limit))


def _relative(of: np.ndarray, to: np.ndarray) -> float:  # type: ignore[type-arg]
    filled = of > 0
    return float((of[filled] * np.log2(of[filled] / to[filled])).sum())


def change_of_share(
    part: float, subjects: float, training_share: float, training: float, looks: int
) -> Compared | None:
    """Change of a share.

    Args:
        part: Subjects that count.
        subjects: All subjects.
        training_share: The share in training.
        training: Training subjects.
        looks: As of `distance_of_bins`.

    Returns:
        None where a side has no subject.
    """
    if not (subjects > 0 and training > 0):
        return None
    pooled = (part + training_share * training) / (subjects + training)
    error = math.sqrt(pooled * (1 - pooled) * (1 / subjects + 1 / training))
    limit = float(stats.norm.isf(ERROR / looks / 2)) * error
    return Compared(abs(part / subjects - training_share), limit)


def share_beyond(
    part: float, subjects: float, training_share: float, training: float, looks: int
) -> Compared | None:
    """A share that should be no larger than in training.

    Args:
        part: Subjects that count.
        subjects: All subjects.
        training_share: The largest share that training may have had.
        training: Training subjects.
        looks: As of `distance_of_bins`.

    Returns:
        The share itself, beside the largest one that chance explains; None where a side has no
        subject.
    """
    found = change_of_share(part, subjects, training_share, training, looks)
    if found is None:
        return None
    return Compared(part / subjects, training_share + found.boundary)
