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
_LEAST_SHARE = 0.8
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


def at_resolution(value: float, subjects: float) -> float:
    """A number at the resolution of a denominator.

    Args:
        value: The number; one that is not finite stays as it is.
        subjects: The smallest that the denominator may be: the step must not tell it, so this
            follows from what is shown. Below 1 it counts as 1.

    Examples:
        >>> at_resolution(17 / 54, 50), at_resolution(17 / 55, 50)
        (0.32, 0.3)
        >>> at_resolution(float("nan"), 50)
        nan
    """
    if not math.isfinite(value):
        return value
    step = resolution(max(math.floor(subjects), 1))
    return round(round(value / step) * step, _MOST_DIGITS)


def two_digits(value: float) -> float:
    """A P value with two significant digits: with more the number of subjects may follow from it.

    Examples:
        >>> two_digits(0.04567), two_digits(1.234e-12), two_digits(0.0)
        (0.046, 1.2e-12, 0.0)
    """
    return float(f"{value:.1e}") if math.isfinite(value) else value


def fewest_counted(rounded: int) -> int:
    """The smallest number of subjects that is shown as a rounded count.

    Examples:
        >>> [fewest_counted(rounded) for rounded in (0, 5, 20)]
        [1, 3, 18]
    """
    return max(rounded - COUNT_BASE // 2, 1)


def fewest_known(subjects: int, known_share: float) -> float:
    """About the fewest of a group's subjects whose label may be known.

    Args:
        subjects: Number of the group's subjects.
        known_share: Share of all subjects of the trial whose label is known.

    Returns:
        Four fifths of their expected number: fewer are known only of a group in which many are
        unknown, which may follow.

    Examples:
        >>> fewest_known(100, 0.9)
        72.0
    """
    return round(_LEAST_SHARE * known_share * subjects, _MOST_DIGITS)
