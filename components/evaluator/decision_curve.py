"""Decision curve: net benefit by decision threshold, with 95 % intervals.

The net benefit of a threshold t is the mean over the subjects of 1 for a treated subject with the
outcome, -t / (1 - t) for a treated one without it, and 0 for others (Vickers and Elkin, Med Decis
Making 2006;26:565-74). At a given threshold it is a mean of independent numbers, so it has a
mean's interval (Sande et al., Stat Med 2020;39:2980-3002), and so has the paired difference to
treating all. Out of fold a subject counts with its mean over the repeats, and the interval
allows for the models' training (`components.evaluator.intervals`). Weighted subjects make it a
weighted mean, with the standard error of a ratio (`pipeline.weights`).

The intervals hold at each threshold by itself, not for the whole curve at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluator.intervals import of_mean
from components.evaluator.score_table import ScoreTable
from pipeline.estimates import NORMAL_95
from pipeline.results.clinical_curves import DecisionPoint
from pipeline.results.outcomes import LEAST_EVENTS
from pipeline.weights import effective_size


@dataclass(frozen=True)
class Side:
    """Weights of the subjects with, or without, the outcome.

    Attributes:
        weight: Sum of their weights.
        squares: Sum of the squares of the weights.
        treated_squares: Sum of the squares times the share of repeats in which each is treated.
    """

    weight: float
    squares: float
    treated_squares: float

    @property
    def untreated(self) -> Side:
        """The same of those who are not treated."""
        return Side(self.weight, self.squares, self.squares - self.treated_squares)

    @property
    def effective(self) -> float:
        """Effective number of the subjects."""
        return effective_size(self.weight, self.squares)


@dataclass(frozen=True)
class Treated:
    """Subjects treated at a threshold; where predictions are repeated, by the share of repeats.

    A subject counts with its weight, and in sums of squares with the square of it.

    Attributes:
        true: Sum of the shares over the subjects with the outcome: true positives.
        false: Likewise over those without it: false positives.
        true_squares: Sum of the squares of the shares of subjects with the outcome.
        false_squares: Likewise.
        positives: Subjects with the outcome.
        negatives: Subjects without it.
        weights: Weights of those with and of those without the outcome; None where each has
            weight 1.
    """

    true: float
    false: float
    true_squares: float
    false_squares: float
    positives: int
    negatives: int
    weights: tuple[Side, Side] | None = None

    @classmethod
    def once(cls, true: int, false: int, positives: int, negatives: int) -> Treated:
        """Subjects with one prediction each: true and false positives of all."""
        return cls(true, false, true, false, positives, negatives)

    @classmethod
    def from_cut(cls, table: ScoreTable, cut: int) -> Treated:
        """Counts the subjects of a table with one prediction each.

        Args:
            table: Their predictions.
            cut: Place of the lowest prediction that is treated.
        """
        true, false = (int(of[cut:].sum()) for of in (table.positive, table.negative))
        if table.sums is None:
            return cls.once(true, false, table.positives, table.negatives)
        sums = table.sums
        sides = [
            Side(float(weight.sum()), float(squares.sum()), float(squares[cut:].sum()))
            for weight, squares in (
                (sums.positive, sums.positive_squares),
                (sums.negative, sums.negative_squares),
            )
        ]
        return cls(
            float(sums.positive[cut:].sum()),
            float(sums.negative[cut:].sum()),
            sides[0].treated_squares,
            sides[1].treated_squares,
            table.positives,
            table.negatives,
            (sides[0], sides[1]),
        )

    @classmethod
    def of(
        cls,
        treated: NDArray[np.bool_],
        outcome: NDArray[np.bool_],
        weight: NDArray[np.float64] | None = None,
    ) -> Treated:
        """Counts subjects.

        Args:
            treated: Whether each is treated in each repeat; bool `[n, repeats]`.
            outcome: Whether each has the outcome; bool `[n]`.
            weight: Weight of each, float64 `[n]`; None where each has weight 1.
        """
        share = treated.mean(axis=1)
        weighted = share if weight is None else share * weight
        true, false = weighted[outcome], weighted[~outcome]
        weights = None
        if weight is not None:
            sides = [
                Side(float(own.sum()), float(own @ own), float(own @ part))
                for own, part in ((weight[outcome], true), (weight[~outcome], false))
            ]
            weights = sides[0], sides[1]
        return cls(
            float(true.sum()),
            float(false.sum()),
            float(true @ true),
            float(false @ false),
            len(true),
            len(false),
            weights,
        )

    @property
    def sides(self) -> tuple[Side, Side]:
        """Those with and those without the outcome; without weights their numbers."""
        return self.weights or (
            Side(self.positives, self.positives, self.true),
            Side(self.negatives, self.negatives, self.false),
        )

    @property
    def untreated(self) -> Treated:
        """The same of those who are not treated."""
        positive, negative = self.sides
        return Treated(
            positive.weight - self.true,
            negative.weight - self.false,
            positive.squares - 2 * positive.treated_squares + self.true_squares,
            negative.squares - 2 * negative.treated_squares + self.false_squares,
            self.positives,
            self.negatives,
            self.weights and (positive.untreated, negative.untreated),
        )

    @property
    def whole(self) -> tuple[float, float]:
        """Weight of the subjects with and of those without the outcome."""
        positive, negative = self.sides
        return positive.weight, negative.weight

    @property
    def effective(self) -> float:
        """Effective number of the subjects with the rarer outcome."""
        return min(side.effective for side in self.sides)


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
    positives, negatives = treated.whole
    own, error = _mean(treated, odds)
    less, error_of_less = _mean(treated.untreated, odds)
    enough = treated.effective >= LEAST_EVENTS
    lower, upper = _interval(own, error if enough and treated.true else math.nan, folds)
    over_all_lower, over_all_upper = _interval(
        -less, error_of_less if enough and treated.untreated.true else math.nan, folds
    )
    return DecisionPoint(
        threshold=threshold,
        net_benefit=own,
        lower=lower,
        upper=upper,
        treat_all=(positives - odds * negatives) / (positives + negatives),
        over_all=-less,
        over_all_lower=over_all_lower,
        over_all_upper=over_all_upper,
    )


def _mean(treated: Treated, odds: float) -> tuple[float, float]:
    """Net benefit of treating these subjects, and its standard error."""
    subjects = treated.positives + treated.negatives
    if treated.weights is not None:
        return _weighted_mean(treated, treated.weights, odds)
    mean = (treated.true - odds * treated.false) / subjects
    square = (treated.true_squares + odds * odds * treated.false_squares) / subjects
    return mean, math.sqrt(max(square - mean * mean, 0.0) / max(subjects - 1, 1))


def _weighted_mean(
    treated: Treated, weights: tuple[Side, Side], odds: float
) -> tuple[float, float]:
    """The same of weighted subjects (`pipeline.weights.error_of_weighted_mean`)."""
    subjects = treated.positives + treated.negatives
    total = sum(side.weight for side in weights)
    mean = (treated.true - odds * treated.false) / total
    positive, negative = weights
    square = treated.true_squares + odds * odds * treated.false_squares
    cross = positive.treated_squares - odds * negative.treated_squares
    variance = square - 2 * mean * cross + mean * mean * (positive.squares + negative.squares)
    error = math.sqrt(max(variance, 0.0) * subjects / max(subjects - 1, 1)) / total
    return mean, error


def _interval(value: float, error: float, folds: int) -> tuple[float | None, float | None]:
    """Null without an error: of few events, or of none, it would be too small."""
    if math.isnan(error):
        return None, None
    ends = value - NORMAL_95 * error, value + NORMAL_95 * error
    return of_mean(*ends, folds) if folds else ends
