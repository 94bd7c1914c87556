"""The table of baseline characteristics by group."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.curves import round_number
from components.trial_analysis.disclosure import KNOWN, MISSING, Disclosure, with_missing
from components.trial_analysis.subjects import Factor, TrialSubjects
from pipeline.reading.examples import Categories
from pipeline.results.baseline import Characteristic, Difference, NumberSummary, ValueCount

_AROUND_QUARTILE = 5
"""Number of values whose mean replaces a quartile: a single value would be a subject's own."""

FEWEST_FOR_QUARTILES = 3 * _AROUND_QUARTILE
"""Of fewer values the mean of all stands for each quartile: beside that mean, the mean of five of
six values would give away the largest or smallest one, and the means of the lower and upper five of
eleven the one in the middle."""

_SINGULAR = 1e-9
"""Difference of shares that no variance stands against, beyond rounding."""


def characteristics(subjects: TrialSubjects, disclosure: Disclosure) -> Iterator[Characteristic]:
    """All rows of the table, for each factor with `describes`."""
    for factor in subjects.describing:
        for name, values in subjects.numbers.items():
            yield _number(name, values, factor, disclosure)
        for name, column in subjects.categories.items():
            yield _category(name, column, factor, disclosure)


def difference_of_numbers(
    values: NDArray[np.float64], control: NDArray[np.float64]
) -> float | None:
    """Difference of means by the root of the mean variance (Austin, Stat Med 2009;28:3083-107).

    Args:
        values: Known values of a group, shape [m].
        control: Known values of the control, shape [k].

    Returns:
        In standard deviations; None where nothing varies or a group has fewer than two values.
    """
    if min(len(values), len(control)) < 2:
        return None
    spread = math.sqrt((values.var(ddof=1) + control.var(ddof=1)) / 2)
    return float(values.mean() - control.mean()) / spread if spread > 0 else None


def difference_of_shares(counts: NDArray[np.float64], control: NDArray[np.float64]) -> float | None:
    """Distance of two multinomial distributions (Yang and Dalton, SAS Global Forum 2012, 335).

    With two values it is the absolute difference of the shares by the root of the mean variance.

    Args:
        counts: Subjects of a group by value, shape [values].
        control: The same of the control.

    Returns:
        In standard deviations, 0 or more; None where a group is empty, or where the value
        separates the two groups: the difference is then infinite.
    """
    if not (counts.sum() and control.sum()):
        return None
    # One share follows from the others.
    p, q = (found[1:] / found.sum() for found in (counts, control))
    covariance = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    towards = np.linalg.pinv(covariance) @ (p - q)
    if not np.allclose(covariance @ towards, p - q, rtol=0, atol=_SINGULAR):
        return None
    return float(np.sqrt(max((p - q) @ towards, 0.0)))


def around(ordered: NDArray[np.float64], share: float) -> float:
    """Mean of the few values around a quantile.

    Args:
        ordered: Values in rising order, shape [m].
        share: Which quantile, between 0 and 1.
    """
    width = _AROUND_QUARTILE if len(ordered) >= FEWEST_FOR_QUARTILES else len(ordered)
    middle = share * (len(ordered) - 1)
    start = round(middle - (width - 1) / 2)
    start = min(max(start, 0), len(ordered) - width)
    return float(ordered[start : start + width].mean())


def _number(
    name: str, column: NDArray[np.float32], factor: Factor, disclosure: Disclosure
) -> Characteristic:
    values: dict[str, NDArray[np.float64]] = {}
    summaries = []
    quantile = np.quantile if disclosure.is_exact else around
    for level in factor.levels:
        inside = column[factor.of(level)].astype(np.float64)
        known = np.sort(inside[~np.isnan(inside)])
        counted = disclosure.shows_value(factor, level, name, KNOWN) and len(known)
        if counted:
            values[level] = known
        missing = len(inside) - len(known)
        may_count = disclosure.shows_value(factor, level, name, MISSING) and counted
        enough = len(known) and disclosure.shows_mean(factor, level, len(known))
        found = _summary(level, known if enough else None, missing if may_count else None, quantile)
        summaries.append(found if counted else _uncounted(found, column, disclosure.smallest))
    return Characteristic(
        name=name,
        kind="number",
        factor=factor.name,
        numbers=tuple(summaries),
        differences=_differences(factor, values, difference_of_numbers),
    )


def _summary(
    level: str,
    known: NDArray[np.float64] | None,
    missing: int | None,
    quantile: Callable[[NDArray[np.float64], float], float],
) -> NumberSummary:
    if known is None:
        return NumberSummary(
            level=level,
            subjects=None,
            missing=None,
            mean=None,
            sd=None,
            lower_quartile=None,
            median=None,
            upper_quartile=None,
        )
    return NumberSummary(
        level=level,
        subjects=len(known),
        missing=missing,
        mean=float(known.mean()),
        sd=float(known.std(ddof=1)) if len(known) > 1 else None,
        lower_quartile=float(quantile(known, 0.25)),
        median=float(quantile(known, 0.5)),
        upper_quartile=float(quantile(known, 0.75)),
    )


def _uncounted(found: NumberSummary, column: NDArray[np.float32], smallest: int) -> NumberSummary:
    """A summary without its number of subjects, from which few missing values would follow.

    The number would follow from the digits of a mean: one of m values that lie d apart is a
    multiple of d / m. So means are rounded to a step that is not finer, for the fewest subjects
    that there may be.
    """
    if found.subjects is None:
        return found
    different = np.unique(column[~np.isnan(column)].astype(np.float64))
    apart = float(np.diff(different).min()) if len(different) > 1 else 0.0
    step = round_number(apart / max(found.subjects - smallest + 1, 1)) if apart else 0.0

    def rounded(value: float | None) -> float | None:
        return value if value is None or not step else float(f"{round(value / step) * step:.12g}")

    names = ("mean", "sd", "lower_quartile", "median", "upper_quartile")
    changes = {name: rounded(getattr(found, name)) for name in names}
    return found.model_copy(update={"subjects": None, "missing": None, **changes})


def _category(
    name: str, column: Categories, factor: Factor, disclosure: Disclosure
) -> Characteristic:
    values = with_missing(column)
    counts: list[ValueCount] = []
    shares: dict[str, NDArray[np.float64]] = {}
    for level in factor.levels:
        codes = column.codes[factor.of(level)]
        sizes = {value: int((codes == code).sum()) for value, code in values}
        shown = {value: disclosure.shows_value(factor, level, name, value) for value in sizes}
        counts += [_count(level, value, sizes, shown[value]) for value in sizes]
        # From all other shares and the difference the suppressed share would follow.
        if all(shown.values()):
            shares[level] = np.array([n for value, n in sizes.items() if value != MISSING], float)
    return Characteristic(
        name=name,
        kind="category",
        factor=factor.name,
        counts=tuple(counts),
        differences=_differences(factor, shares, difference_of_shares),
    )


def _differences(
    factor: Factor,
    found: Mapping[str, NDArray[np.float64]],
    measure: Callable[[NDArray[np.float64], NDArray[np.float64]], float | None],
) -> tuple[Difference, ...]:
    """Standardised difference of each treatment from the control, if both may be shown."""
    return tuple(
        Difference(
            level=level,
            value=measure(found[level], found[str(factor.control)])
            if {level, factor.control} <= found.keys()
            else None,
        )
        for level in factor.treatments
    )


def _count(level: str, value: str, sizes: dict[str, int], shown: bool) -> ValueCount:
    total = sum(sizes.values())
    return ValueCount(
        level=level,
        value=value,
        subjects=sizes[value] if shown else None,
        share=sizes[value] / total if shown and total else None,
    )
