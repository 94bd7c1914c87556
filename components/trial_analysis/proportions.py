"""Rates of an outcome in two groups: differences, ratios and tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.estimates import Estimate, difference_of_shares, ratio_of_shares, share_of
from pipeline.results.analysis import Direction, HypothesisTest, NumberNeeded
from pipeline.weights import effective_number, is_weighted

_SMALLEST_EXPECTED = 5
"""Smallest expected count for the chi-squared approximation (Cochran 1954)."""

_SAYS_MORE: dict[Direction, str] = {
    "fewer": "one event fewer",
    "more": "one event more",
}


@dataclass(frozen=True)
class Observed:
    """A group whose outcomes are known: `events` of `subjects`.

    Attributes:
        subjects: Number of subjects.
        events: Number of those with the event.
        weighted: Their weighted rate; None where each has weight 1.
    """

    subjects: int
    events: int
    weighted: WeightedRate | None = None

    @classmethod
    def of(cls, positive: NDArray[np.bool_], weight: NDArray[Any] | None = None) -> Observed:
        """Counts a group.

        Args:
            positive: Whether each subject had the event, shape [m].
            weight: Weight of each, above 0, shape [m]; None where each has weight 1.
        """
        rate = WeightedRate.of(positive, weight) if weight is not None else None
        return cls(len(positive), int(positive.sum()), rate)

    @property
    def rate(self) -> float:
        """Events by subjects, weighted; NaN without subjects."""
        if self.weighted:
            return self.weighted.rate
        return self.events / self.subjects if self.subjects else math.nan

    @property
    def effective(self) -> tuple[float, float]:
        """Events and subjects for intervals; of weighted subjects the effective numbers."""
        if self.weighted is None:
            return self.events, self.subjects
        return self.weighted.rate * self.weighted.subjects, self.weighted.subjects


@dataclass(frozen=True)
class WeightedRate:
    """The rate of weighted subjects.

    Attributes:
        rate: Weighted share with the event.
        error: Its standard error, from the influence of each subject (`pipeline.weights`).
        subjects: Number of unweighted subjects whose rate would have this error, at most the
            number of all (Korn EL, Graubard BI. Survey Methodology 1998;24:193-201); Kish's
            where the rate is 0 or 1.
    """

    rate: float
    error: float
    subjects: float

    @classmethod
    def of(cls, positive: NDArray[np.bool_], weight: NDArray[Any]) -> WeightedRate | None:
        """The rate of some subjects; None where each has weight 1."""
        if not is_weighted(weight):
            return None
        exact = weight.astype(np.float64)
        total = float(exact.sum())
        rate = float(exact[positive].sum()) / total
        influence = exact * (positive - rate) / total
        error = math.sqrt(float(influence @ influence))
        if positive.all() or not positive.any():
            return cls(rate, error, effective_number(weight))
        return cls(rate, error, min(rate * (1 - rate) / error**2, float(len(positive))))


def rate(group: Observed) -> Estimate:
    """Rate of a group with Wilson's interval."""
    return share_of(*group.effective)


def risk_difference(group: Observed, control: Observed) -> Estimate:
    """Rate of the group minus rate of the control, with Newcombe's interval."""
    return difference_of_shares(*group.effective, *control.effective)


def risk_ratio(group: Observed, control: Observed) -> Estimate:
    """Rate of the group divided by rate of the control, with Katz's interval on the log scale.

    Without events in a group there is no interval, and without events in the control no ratio.
    """
    return ratio_of_shares(*group.effective, *control.effective)


def equality_test(group: Observed, control: Observed) -> HypothesisTest:
    """Tests that both rates are the same: Pearson's chi-squared, Fisher's where counts are small.

    If no or every subject had the event the rates can't differ and the p value is 1. Rates of
    weighted subjects are compared by Wald's test.
    """
    from scipy.stats import chi2_contingency, fisher_exact

    table = np.array(
        [[side.events, side.subjects - side.events] for side in (group, control)], np.int64
    )
    if 0 in (*table.sum(axis=0), *table.sum(axis=1)):
        return HypothesisTest(name="none: no rate can differ", p_value=1.0)
    error = math.hypot(_error(group), _error(control))
    if (group.weighted or control.weighted) and error:
        z = (group.rate - control.rate) / error
        return HypothesisTest(
            name="Wald's test of weighted rates",
            p_value=math.erfc(abs(z) / math.sqrt(2)),
            statistic=z,
        )
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    if expected.min() < _SMALLEST_EXPECTED:
        return HypothesisTest(name="Fisher's exact test", p_value=float(fisher_exact(table)[1]))
    statistic, p_value, degrees, _ = chi2_contingency(table, correction=False)
    return HypothesisTest(
        name="Pearson's chi-squared test",
        p_value=float(p_value),
        statistic=float(statistic),
        degrees_of_freedom=int(degrees),
    )


def _error(side: Observed) -> float:
    """Standard error of a rate."""
    if side.weighted:
        return side.weighted.error
    return math.sqrt(side.rate * (1 - side.rate) / side.subjects)


def number_needed(difference: Estimate) -> NumberNeeded:
    """Number of subjects for one event fewer or more.

    Where the interval of the difference holds 0, the data are compatible with one event fewer in
    a certain number of subjects, with no difference (infinitely many subjects) and with one event
    more; the interval then has no lower and upper bound in the usual sense (Altman DG. BMJ
    1998;317:1309-12).

    Args:
        difference: Rate of the level minus rate of the control, with its interval.

    Returns:
        The number, rounded up to whole subjects away from 0 difference.
    """
    value, lower, upper = difference.value, difference.lower, difference.upper
    means: Direction = "undecided" if not value else "fewer" if value < 0 else "more"
    point = _subjects_for(value)
    if lower is None or upper is None or lower <= 0 <= upper:
        fewest_fewer, fewest_more = _subjects_for(lower), _subjects_for(upper)
        return NumberNeeded(
            direction="undecided",
            value=point,
            value_means=means,
            lower=fewest_fewer,
            upper=fewest_more,
            says=(
                "The interval of the difference includes 0: the data do not show in which "
                "direction "
                f"it lies. They are compatible with {_one('fewer', fewest_fewer)}, with no "
                f"difference, and with {_one('more', fewest_more)}."
            ),
        )
    near, far = sorted((abs(lower), abs(upper)))
    return NumberNeeded(
        direction=means,
        value=point,
        value_means=means,
        lower=_subjects_for(far),
        upper=_subjects_for(near),
        says=(
            f"{_SAYS_MORE[means].capitalize()} for every {point:,.0f} subjects (95 % interval "
            f"{_subjects_for(far):,.0f} to {_subjects_for(near):,.0f})."
        ),
    )


def _subjects_for(difference: float | None) -> float | None:
    # Rounding: 1 / 0.1 may be a little more than 10.
    return float(math.ceil(round(1 / abs(difference), 9))) if difference else None


def _one(direction: Direction, subjects: float | None) -> str:
    outcome = _SAYS_MORE[direction]
    return (
        f"{outcome} in no fewer than {subjects:,.0f} subjects"
        if subjects
        else f"not even {outcome}"
    )
