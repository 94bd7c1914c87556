"""Associations of baseline characteristics with outcomes, over all arms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.disclosure import Disclosure
from components.trial_analysis.multiplicity import FALSE_DISCOVERY_RATE, false_discovery
from components.trial_analysis.subjects import TrialSubjects, sampled
from pipeline.estimates import NORMAL_95, Estimate
from pipeline.results.analysis import Association, Correlation, Screening

_FEWEST = 10
"""Fewest values for which Fisher's transformation is approximately normal."""


@dataclass(frozen=True)
class _Found:
    characteristic: str
    task: str
    measure: Association
    strength: Estimate
    subjects: int
    p_value: float


def screen(subjects: TrialSubjects, disclosure: Disclosure) -> Screening:
    """All characteristics by all tasks, with the false discovery rate controlled over all pairs.

    Pairs without variation or with too few known values are excluded.
    """
    found = [pair for pair in _pairs(subjects) if pair.subjects >= disclosure.smallest]
    q_values = false_discovery([pair.p_value for pair in found])
    pairs = [
        Correlation(
            characteristic=pair.characteristic,
            task=pair.task,
            measure=pair.measure,
            strength=pair.strength,
            # Beside the outcome's own number it would disclose how many lack the characteristic.
            subjects=pair.subjects if disclosure.shows_missing(pair.characteristic) else None,
            p_value=pair.p_value,
            q_value=q_value,
            selected=q_value <= FALSE_DISCOVERY_RATE,
        )
        for pair, q_value in zip(found, q_values, strict=True)
    ]
    ordered = sorted(pairs, key=lambda pair: (pair.q_value, pair.characteristic, pair.task))
    return Screening(false_discovery_rate=FALSE_DISCOVERY_RATE, pairs=tuple(ordered))


def rank_correlation(
    values: NDArray[np.float64], positive: NDArray[np.bool_]
) -> tuple[Estimate, float] | None:
    """Spearman's correlation of a number and an outcome, and its p value.

    The interval is Fisher's with the variance of Bonett and Wright (Psychometrika 2000;65:23-8).

    Args:
        values: Known values, shape [m].
        positive: Whether each subject had the event, shape [m].

    Returns:
        None where one of the two does not vary, or m is below 10.
    """
    from scipy.stats import spearmanr

    if len(values) < _FEWEST or np.ptp(values) == 0 or not 0 < positive.sum() < len(positive):
        return None
    rho, p_value = (float(part) for part in spearmanr(values, positive))
    if abs(rho) >= 1:
        return Estimate(value=rho), p_value
    reach = NORMAL_95 * math.sqrt((1 + rho**2 / 2) / (len(values) - 3))
    middle = math.atanh(rho)
    ends = math.tanh(middle - reach), math.tanh(middle + reach)
    return Estimate(value=rho, lower=ends[0], upper=ends[1]), p_value


def cramers_v(
    codes: NDArray[np.int32], positive: NDArray[np.bool_]
) -> tuple[Estimate, float] | None:
    """Cramér's V of a category and an outcome, and the p value of Pearson's test.

    The interval is that of the chi-squared statistic's noncentrality (Smithson M. Confidence
    Intervals, 2003, chapter 4).

    Args:
        codes: Known values, shape [m].
        positive: Whether each subject had the event, shape [m].

    Returns:
        None where one of the two does not vary, or m is below 10.
    """
    from scipy.stats import chi2_contingency

    values, places = np.unique(codes, return_inverse=True)
    if len(codes) < _FEWEST or len(values) < 2 or not 0 < positive.sum() < len(positive):
        return None
    table = np.zeros((len(values), 2), np.int64)
    np.add.at(table, (places, positive.astype(int)), 1)
    statistic, p_value, degrees, _ = chi2_contingency(table, correction=False)
    # An outcome has two values, so V is the root of chi-squared by the number of subjects.
    # Below its expectation under independence the statistic gives no lower bound above 0.
    at_least = max(statistic, float(degrees))
    lower, upper = (
        min(math.sqrt(_noncentrality(reached, degrees, share) / len(codes)), 1.0)
        for reached, share in ((statistic, 0.975), (at_least, 0.025))
    )
    value = min(math.sqrt(statistic / len(codes)), 1.0)
    return Estimate(value=value, lower=lower, upper=max(upper, value)), float(p_value)


def _noncentrality(statistic: float, degrees: int, share: float) -> float:
    """Noncentrality under which the statistic is not exceeded with a probability of `share`."""
    from scipy.optimize import brentq
    from scipy.stats import chi2, ncx2

    if chi2.cdf(statistic, degrees) <= share:
        return 0.0
    highest = statistic + 20 * math.sqrt(2 * (degrees + 2 * statistic)) + 100
    return float(brentq(lambda nc: ncx2.cdf(statistic, degrees, nc) - share, 1e-12, highest))


def _pairs(subjects: TrialSubjects) -> Iterator[_Found]:
    for task, outcome in subjects.outcomes.items():
        for name, values in subjects.numbers.items():
            places = sampled(outcome.known & ~np.isnan(values))
            numbers = values[places].astype(np.float64)
            found = rank_correlation(numbers, outcome.positive[places])
            if found:
                yield _Found(name, task, "spearman", found[0], len(places), found[1])
        for name, column in subjects.categories.items():
            places = sampled(outcome.known & (column.codes >= 0))
            found = cramers_v(column.codes[places], outcome.positive[places])
            if found:
                yield _Found(name, task, "cramers_v", found[0], len(places), found[1])
