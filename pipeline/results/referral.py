"""What is gained by leaving the least certain subjects to people: `referral` of `curves.json`.

The subjects whose interval of the probability is widest are left to people, a growing share of
them; the model is measured on those that it keeps (the risk-coverage curve: El-Yaniv R, Wiener Y.
JMLR 2010;11:1605-41). Those kept are other subjects than all: an outcome that is rarer among them
lowers the Brier score as well, so the rate is beside it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.documents import Count, Document
from pipeline.weights import weighted_mean

_STEPS = 20
_MOST_REFERRED = 0.5


class ReferralPoint(Document):
    """The model on the subjects that it keeps.

    Attributes:
        referred: Share of the subjects that is left to people.
        subjects: Number of subjects kept.
        widest: Width of the widest interval of those kept.
        observed_rate: Rate of the outcome among them.
        brier: Their Brier score.
    """

    referred: float
    subjects: Count
    widest: float
    observed_rate: float
    brier: float


def referral_of(
    score: NDArray[Any],
    width: NDArray[Any],
    outcome: NDArray[np.bool_],
    weight: NDArray[Any] | None,
    smallest_group: int,
) -> tuple[ReferralPoint, ...]:
    """Computes the curve.

    Args:
        score: Predicted probabilities; `[subjects]`.
        width: Width of each subject's interval; `[subjects]`.
        outcome: Whether each has the outcome; `[subjects]`.
        weight: Weights; None where each has weight 1.
        smallest_group: Fewest subjects kept, left to people, and between two points.

    Returns:
        Points from no subject to half of them; no point for fewer than twice the smallest group.

    Examples:
        >>> score, outcome = np.array([0.1, 0.5, 0.4, 0.9]), np.array([False, True, False, True])
        >>> points = referral_of(score, np.array([0.1, 0.9, 0.8, 0.1]), outcome, None, 2)
        >>> [(point.referred, round(point.brier, 4)) for point in points]
        [(0.0, 0.1075), (0.5, 0.01)]
    """
    subjects = len(score)
    if subjects < 2 * smallest_group:
        return ()
    error = (score.astype(np.float64) - outcome) ** 2
    weights = np.ones(subjects) if weight is None else weight
    order = np.argsort(width, kind="stable")
    step = max(smallest_group, math.ceil(subjects / _STEPS), 1)
    found = []
    for left in range(0, math.floor(subjects * _MOST_REFERRED) + 1, step):
        kept = order[: subjects - left]
        found.append(
            ReferralPoint(
                referred=left / subjects,
                subjects=len(kept),
                widest=float(width[kept[-1]]),
                observed_rate=weighted_mean(outcome[kept], weights[kept]),
                brier=weighted_mean(error[kept], weights[kept]),
            )
        )
    return tuple(found)
