"""Associations of baseline characteristics with outcomes, over all arms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.disclosure import Disclosure
from components.trial_analysis.multiplicity import FALSE_DISCOVERY_RATE, false_discovery
from components.trial_analysis.subjects import TrialSubjects, sampled
from pipeline.estimates import NORMAL_95, Estimate
from pipeline.results.analysis import Association, Correlation, Screening
from pipeline.results.resolution import at_resolution, fewest_known, two_digits
from pipeline.weights import effective_number, weighted_mean

_FEWEST = 10
"""Fewest values for which Fisher's transformation is approximately normal."""


def _counted(subjects: TrialSubjects, disclosure: Disclosure) -> frozenset[str]:
    """Characteristics whose numbers of subjects may be shown: those that no subject lacks.

    Of others the number tells, beside those of the outcome in all and in each arm, how many of the
    subjects who lack the characteristic lack the outcome, too.
    """
    have = {name: ~np.isnan(values) for name, values in subjects.numbers.items()}
    have |= {name: column.codes >= 0 for name, column in subjects.categories.items()}
    return frozenset(name for name, has in have.items() if disclosure.is_exact or has.all())


@dataclass(frozen=True)
class _Found:
    characteristic: str
    task: str
    measure: Association
    strength: Estimate
    subjects: int
    p_value: float
    known: int


def screen(subjects: TrialSubjects, disclosure: Disclosure) -> Screening:
    """All characteristics by all tasks, with the false discovery rate controlled over all pairs.

    Pairs without variation or with too few known values are excluded. Which pairs are selected, and
    in which order they stand, is decided by the exact values; strength and P values are shown with
    no more digits than tell the number of subjects.
    """
    found = [pair for pair in _pairs(subjects) if pair.subjects >= disclosure.smallest]
    q_values = false_discovery([pair.p_value for pair in found])
    counted = _counted(subjects, disclosure)
    pairs = [
        Correlation(
            characteristic=pair.characteristic,
            task=pair.task,
            measure=pair.measure,
            strength=pair.strength if disclosure.is_exact else _coarse(pair),
            subjects=pair.subjects if pair.characteristic in counted else None,
            p_value=pair.p_value if disclosure.is_exact else two_digits(pair.p_value),
            q_value=q_value if disclosure.is_exact else two_digits(q_value),
            selected=q_value <= FALSE_DISCOVERY_RATE,
        )
        for pair, q_value in sorted(
            zip(found, q_values, strict=True),
            key=lambda item: (item[1], item[0].characteristic, item[0].task),
        )
    ]
    return Screening(false_discovery_rate=FALSE_DISCOVERY_RATE, pairs=tuple(pairs))


def _coarse(pair: _Found) -> Estimate:
    """The strength at the resolution of one of the subjects whose outcome is known."""
    fewest = fewest_known(pair.known, 1.0)
    return Estimate(
        *(
            None if number is None else at_resolution(number, fewest)
            for number in (pair.strength.value, pair.strength.lower, pair.strength.upper)
        )
    )


def rank_correlation(
    values: NDArray[np.float64],
    positive: NDArray[np.bool_],
    weight: NDArray[np.floating[Any]] | None = None,
) -> tuple[Estimate, float] | None:
    """Spearman's correlation of a number and an outcome, and its p value.

    The interval is Fisher's with the variance of Bonett and Wright (Psychometrika 2000;65:23-8).
    Where subjects are weighted, ranks and correlation are those of the subjects that they stand
    for, and interval and p value those of as many subjects of equal weight as the effective number.

    Args:
        values: Known values, shape [m].
        positive: Whether each subject had the event, shape [m].
        weight: Weights, shape [m]; None where each is 1.

    Returns:
        None where one of the two does not vary, or m is below 10.
    """
    from scipy.stats import spearmanr

    number = len(values) if weight is None else effective_number(weight)
    if number < _FEWEST or np.ptp(values) == 0 or not 0 < positive.sum() < len(positive):
        return None
    if weight is None:
        rho, p_value = (float(part) for part in spearmanr(values, positive))
    else:
        rho = _weighted_correlation(_weighted_ranks(values, weight), positive, weight)
        p_value = _p_value(rho, number)
    if abs(rho) >= 1:
        return Estimate(value=rho), p_value
    reach = NORMAL_95 * math.sqrt((1 + rho**2 / 2) / (number - 3))
    middle = math.atanh(rho)
    ends = math.tanh(middle - reach), math.tanh(middle + reach)
    return Estimate(value=rho, lower=ends[0], upper=ends[1]), p_value


def cramers_v(
    codes: NDArray[np.int32],
    positive: NDArray[np.bool_],
    weight: NDArray[np.floating[Any]] | None = None,
) -> tuple[Estimate, float] | None:
    """Cramér's V of a category and an outcome, and the p value of Pearson's test.

    The interval is that of the chi-squared statistic's noncentrality (Smithson M. Confidence
    Intervals, 2003, chapter 4). Where subjects are weighted, the table is that of their weights,
    scaled to the effective number of subjects: Pearson's statistic divided by the design effect
    (Rao JNK, Scott AJ. J Am Stat Assoc 1981;76:221-30, with Kish's design effect).

    Args:
        codes: Known values, shape [m].
        positive: Whether each subject had the event, shape [m].
        weight: Weights, shape [m]; None where each is 1.

    Returns:
        None where one of the two does not vary, or m is below 10.
    """
    from scipy.stats import chi2_contingency

    values, places = np.unique(codes, return_inverse=True)
    number = len(codes) if weight is None else effective_number(weight)
    if number < _FEWEST or len(values) < 2 or not 0 < positive.sum() < len(positive):
        return None
    table = np.zeros((len(values), 2))
    own = np.ones(len(codes)) if weight is None else weight.astype(np.float64)
    np.add.at(table, (places, positive.astype(int)), own)
    table *= number / own.sum()
    statistic, p_value, degrees, _ = chi2_contingency(table, correction=False)
    # An outcome has two values, so V is the root of chi-squared by the number of subjects.
    # Below its expectation under independence the statistic gives no lower bound above 0.
    at_least = max(statistic, float(degrees))
    lower, upper = (
        min(math.sqrt(_noncentrality(reached, degrees, share) / number), 1.0)
        for reached, share in ((statistic, 0.975), (at_least, 0.025))
    )
    value = min(math.sqrt(statistic / number), 1.0)
    return Estimate(value=value, lower=lower, upper=max(upper, value)), float(p_value)


def _weighted_ranks(
    values: NDArray[np.float64], weight: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Ranks among the subjects that these stand for, ties in the middle; shape [m]."""
    _, places = np.unique(values, return_inverse=True)
    totals = np.bincount(places, weights=weight)
    ranks: NDArray[np.float64] = (np.cumsum(totals) - totals / 2)[places]
    return ranks


def _weighted_correlation(
    first: NDArray[np.float64], second: NDArray[np.bool_], weight: NDArray[np.floating[Any]]
) -> float:
    one = first - weighted_mean(first, weight)
    other = second - weighted_mean(second, weight)
    shared = weighted_mean(one * other, weight)
    spread = weighted_mean(one**2, weight) * weighted_mean(other**2, weight)
    return shared / math.sqrt(spread)


def _p_value(rho: float, number: float) -> float:
    """Of a correlation, by Student's t as for Spearman's."""
    from scipy.stats import t

    if abs(rho) >= 1:
        return 0.0
    return float(2 * t.sf(abs(rho) * math.sqrt((number - 2) / (1 - rho**2)), number - 2))


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
        known = len(sampled(outcome.known))
        for name, values in subjects.numbers.items():
            places = sampled(outcome.known & ~np.isnan(values))
            numbers = values[places].astype(np.float64)
            weight = outcome.weights_of(places)
            found = rank_correlation(numbers, outcome.positive[places], weight)
            if found:
                yield _Found(name, task, "spearman", found[0], len(places), found[1], known)
        for name, column in subjects.categories.items():
            places = sampled(outcome.known & (column.codes >= 0))
            weight = outcome.weights_of(places)
            found = cramers_v(column.codes[places], outcome.positive[places], weight)
            if found:
                yield _Found(name, task, "cramers_v", found[0], len(places), found[1], known)
