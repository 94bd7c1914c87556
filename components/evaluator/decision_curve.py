"""Decision curve: net benefit by decision threshold, with 95 % intervals.

The net benefit of a threshold t is the mean over the subjects of 1 for a treated subject with the
outcome, -t / (1 - t) for a treated one without it, and 0 for others (Vickers and Elkin, Med Decis
Making 2006;26:565-74). At a given threshold it is a mean of independent numbers, so it has a
mean's interval (Sande et al., Stat Med 2020;39:2980-3002), and so has the paired difference to
treating all. Out of fold a subject counts with its mean over the repeats, and the interval
allows for the models' training (`components.evaluator.intervals`).

The intervals hold at each threshold by itself, not for the whole curve at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluator.intervals import of_mean
from pipeline.estimates import NORMAL_95
from pipeline.results.clinical_curves import DecisionPoint
from pipeline.results.outcomes import LEAST_EVENTS


@dataclass(frozen=True)
class Treated:
    """Subjects treated at a threshold; where predictions are repeated, by the share of repeats.

    Attributes:
        true: Sum of the shares over the subjects with the outcome: true positives.
        false: Likewise over those without it: false positives.
        true_squares: Sum of the squares of the shares of subjects with the outcome.
        false_squares: Likewise.
        positives: Subjects with the outcome.
        negatives: Subjects without it.
    """

    true: float
    false: float
    true_squares: float
    false_squares: float
    positives: int
    negatives: int

    @classmethod
    def once(cls, true: int, false: int, positives: int, negatives: int) -> Treated:
        """Subjects with one prediction each: true and false positives of all."""
        return cls(true, false, true, false, positives, negatives)

    @classmethod
    def of(cls, treated: NDArray[np.bool_], outcome: NDArray[np.bool_]) -> Treated:
        """Counts subjects.

        Args:
            treated: Whether each is treated in each repeat; bool `[n, repeats]`.
            outcome: Whether each has the outcome; bool `[n]`.
        """
        share = treated.mean(axis=1)
        true, false = share[outcome], share[~outcome]
        return cls(
            float(true.sum()),
            float(false.sum()),
            float(true @ true),
            float(false @ false),
            len(true),
            len(false),
        )

    @property
    def untreated(self) -> Treated:
        """The same of those who are not treated."""
        return Treated(
            self.positives - self.true,
            self.negatives - self.false,
            self.positives - 2 * self.true + self.true_squares,
            self.negatives - 2 * self.false + self.false_squares,
            self.positives,
            self.negatives,
        )


def decision_point(threshold: float, treated: Treated, folds: int = 0) -> DecisionPoint:
    """Computes the net benefit at a threshold.

    Args:
        threshold: Below 1.
        treated: Who is treated there.
        folds: Folds of a repeat; 0 for predictions of a test split.

    Returns:
        The point, without intervals where fewer than ten subjects have, or have not, the outcome.

    Examples:
        Of 100 subjects 20 have the outcome; 15 of them and 10 others are treated from 20 % on.

        >>> point = decision_point(0.2, Treated.once(15, 10, 20, 80))
        >>> round(point.net_benefit, 4), point.treat_all, round(point.over_all, 4)
        (0.125, 0.0, 0.125)
    """
    odds = threshold / (1 - threshold)
    subjects = treated.positives + treated.negatives
    own, error = _mean(treated, odds)
    less, error_of_less = _mean(treated.untreated, odds)
    enough = min(treated.positives, treated.negatives) >= LEAST_EVENTS
    lower, upper = _interval(own, error if enough and treated.true else math.nan, folds)
    over_all_lower, over_all_upper = _interval(
        -less, error_of_less if enough and treated.untreated.true else math.nan, folds
    )
    return DecisionPoint(
        threshold=threshold,
        net_benefit=own,
        lower=lower,
        upper=upper,
        treat_all=(treated.positives - odds * treated.negatives) / subjects,
        over_all=-less,
        over_all_lower=over_all_lower,
        over_all_upper=over_all_upper,
    )


def _mean(treated: Treated, odds: float) -> tuple[float, float]:
    """Net benefit of treating these subjects, and its standard error."""
    subjects = treated.positives + treated.negatives
    mean = (treated.true - odds * treated.false) / subjects
    square = (treated.true_squares + odds * odds * treated.false_squares) / subjects
    return mean, math.sqrt(max(square - mean * mean, 0.0) / max(subjects - 1, 1))


def _interval(value: float, error: float, folds: int) -> tuple[float | None, float | None]:
    """Null without an error: of few events, or of none, it would be too small."""
    if math.isnan(error):
        return None, None
    ends = value - NORMAL_95 * error, value + NORMAL_95 * error
    return of_mean(*ends, folds) if folds else ends
