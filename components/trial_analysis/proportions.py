"""Rates of an outcome in two groups: differences, ratios and tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.estimates import Estimate, difference_of_shares, ratio_of_shares, share_of
from pipeline.results.analysis import Direction, HypothesisTest, NumberNeeded

_SMALLEST_EXPECTED = 5
"""Smallest expected count for the chi-squared approximation (Cochran 1954)."""

_SAYS_MORE: dict[Direction, str] = {
    "fewer": "one event fewer",
    "more": "one event more",
}


@dataclass(frozen=True)
class Observed:
    """A group whose outcomes are known: `events` of `subjects`."""

    subjects: int
    events: int

    @property
    def rate(self) -> float:
        """Events by subjects; NaN without subjects."""
        return self.events / self.subjects if self.subjects else math.nan


def rate(group: Observed) -> Estimate:
    """Rate of a group with Wilson's interval."""
    return share_of(group.events, group.subjects)


def risk_difference(group: Observed, control: Observed) -> Estimate:
    """Rate of the group minus rate of the control, with Newcombe's interval."""
    return difference_of_shares(group.events, group.subjects, control.events, control.subjects)


def risk_ratio(group: Observed, control: Observed) -> Estimate:
    """Rate of the group divided by rate of the control, with Katz's interval on the log scale.

    Without events in a group there is no interval, and without events in the control no ratio.
    """
    return ratio_of_shares(group.events, group.subjects, control.events, control.subjects)


def equality_test(group: Observed, control: Observed) -> HypothesisTest:
    """Tests that both rates are the same: Pearson's chi-squared, Fisher's where counts are small.

    If no or every subject had the event the rates can't differ and the p value is 1.
    """
    from scipy.stats import chi2_contingency, fisher_exact

    table = np.array(
        [[side.events, side.subjects - side.events] for side in (group, control)], np.int64
    )
    if 0 in (*table.sum(axis=0), *table.sum(axis=1)):
        return HypothesisTest(name="none: no rate can differ", p_value=1.0)
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
