"""How fine the numbers of a group are shown where the labels of a task are partly unknown.

Who has an unknown label is known of few subjects only, and each belongs to several groups: if every
group showed how many of its labels are known, the few would follow from the groups that lack one
(of race B one, of women one, of site 6 one). So a group is counted with all its subjects, the same
for every task, numbers of its subjects with the outcome are rounded, and a share has no more digits
than one subject of its denominator is worth: from a finer one the denominator would follow, as the
only one among the possible ones that has a fraction with these digits.

Rounding is a standard method of statistical disclosure control (Willenborg and de Waal, Elements of
Statistical Disclosure Control, 2001, chapter 9; Hundepool et al., Statistical Disclosure Control,
2012, chapter 5).
"""

from __future__ import annotations

import math

COUNT_BASE = 5
"""Numbers of subjects with the outcome are multiples of it; at most the fewest subjects of a group
that a study can ask for."""

_STEPS = (1, 2, 5)
_MOST_DIGITS = 12


def rounded_count(subjects: int) -> int:
    """The multiple of `COUNT_BASE` that is nearest to a number of subjects.

    Examples:
        >>> [rounded_count(subjects) for subjects in (0, 2, 3, 17, 18)]
        [0, 0, 5, 15, 20]
    """
    return COUNT_BASE * ((2 * subjects + COUNT_BASE) // (2 * COUNT_BASE))


def resolution(subjects: int) -> float:
    """The smallest of the steps 1, 2, 5, 10, 20, ... x 10^-k that is not below 1 / subjects.

    Args:
        subjects: Denominator of a share; 1 or more.

    Examples:
        >>> [resolution(subjects) for subjects in (1, 7, 54, 100, 101, 1804)]
        [1.0, 0.2, 0.02, 0.01, 0.01, 0.001]
    """
    digits = math.floor(math.log10(subjects)) + 1
    return next(step / 10**digits for step in (*_STEPS, 10) if step * subjects >= 10**digits)


def at_resolution(value: float, subjects: int) -> float:
    """A number at the resolution of a denominator.

    A denominator that is rounded to `COUNT_BASE` may be smaller by almost this: the step is that of
    the smallest, so that each of the possible ones has a fraction within the step.

    Args:
        value: The number; one that is not finite stays as it is.
        subjects: The denominator.

    Examples:
        >>> at_resolution(17 / 54, 54), at_resolution(17 / 55, 55)
        (0.32, 0.3)
        >>> at_resolution(float("nan"), 54)
        nan
    """
    if not math.isfinite(value):
        return value
    step = resolution(max(subjects - COUNT_BASE + 1, 1))
    return round(round(value / step) * step, _MOST_DIGITS)
