"""Estimates with their 95 % intervals: the one place for quantiles and interval formulas.

Nothing but the standard library is imported until a function needs more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

NORMAL_95 = 1.959963984540054
"""0.975 quantile of the standard normal distribution: half the width of a 95 % interval."""

_SCORE_95 = 1.9599639845400545
"""The same quantile as the 0.025 survival quantile, one unit in the last place higher.

Score and log intervals of shares have always been computed with it; published digits depend on it.
"""

_POWER_80 = 0.8416212335729142
"""0.8 quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval.

    As a field of a pydantic document it reads and writes `{"value": ..., "lower": ...,
    "upper": ...}`.

    Attributes:
        value: The point; None or not-a-number where it can't be estimated.
        lower: Lower end of the interval; None or not-a-number where there is none.
        upper: Upper end.
    """

    value: float | None = None
    lower: float | None = None
    upper: float | None = None


def fixed(value: float, decimals: int = 3, signed: bool = False) -> str:
    """A number in a line of text, with a fixed number of digits after the point.

    Args:
        value: The number.
        decimals: Digits after the point.
        signed: Whether a number above 0 has its sign as well.

    Returns:
        The number, its thousands separated by commas; what rounds to 0 has no sign.

    Examples:
        >>> fixed(1234.5), fixed(0.0521, signed=True), fixed(-0.0004, signed=True)
        ('1,234.500', '+0.052', '0.000')
    """
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    return text if text.strip("+-0.") else text.lstrip("+-")


def interval_text(found: Estimate, decimals: int = 3, signed: bool = False) -> str:
    """The interval behind a number in a line of text; empty without one.

    Args:
        found: The estimate.
        decimals: Digits of both ends after the point.
        signed: Whether an end above 0 has its sign as well.

    Examples:
        >>> interval_text(Estimate(0.794, 0.761, 0.823)), interval_text(Estimate(0.794))
        (' (0.761 to 0.823)', '')
    """
    if found.lower is None or found.upper is None:
        return ""
    lower, upper = (fixed(end, decimals, signed) for end in (found.lower, found.upper))
    return f" ({lower} to {upper})"


def normal_interval(value: float, error: float) -> Estimate:
    """Wald's interval: an estimate and its standard error.

    Examples:
        >>> found = normal_interval(0.5, 0.1)
        >>> round(found.lower, 3), round(found.upper, 3)
        (0.304, 0.696)
    """
    reach = NORMAL_95 * error
    return Estimate(value=value, lower=value - reach, upper=value + reach)


def log_normal_interval(logarithm: float, error: float) -> Estimate:
    """A ratio, from its logarithm and the standard error of that."""
    reach = NORMAL_95 * error
    return Estimate(
        value=math.exp(logarithm),
        lower=math.exp(logarithm - reach),
        upper=math.exp(logarithm + reach),
    )


def log_log_interval(survival: float, error: float) -> Estimate:
    """Interval of a share without the event on the scale of log(-log).

    Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, 2nd ed., section
    1.4.

    Args:
        survival: Share without the event by a time.
        error: Its standard error.

    Returns:
        Without an interval where the share is 0 or 1.
    """
    if not 0 < survival < 1:
        return Estimate(survival)
    reach = math.exp(NORMAL_95 * error / (survival * abs(math.log(survival))))
    return Estimate(survival, survival**reach, survival ** (1 / reach))


def student_interval(mean: float, error: float, degrees_of_freedom: int) -> tuple[float, float]:
    """Interval of a mean by Student's t distribution (Student, Biometrika 1908;6:1-25).

    Args:
        mean: The mean.
        error: Its standard error.
        degrees_of_freedom: Of the standard error, at least 1.
    """
    from scipy import stats

    reach = float(stats.t.ppf(0.975, degrees_of_freedom)) * error
    return mean - reach, mean + reach


def wilson_interval(events: float, subjects: float) -> tuple[float, float]:
    """Score interval of a share (Wilson, J Am Stat Assoc 1927;22:209-12).

    Of weighted subjects with their effective number (Korn EL, Graubard BI. Survey Methodology
    1998;24:193-201).

    Args:
        events: Subjects that are counted; of weighted subjects their share of the effective
            number.
        subjects: All subjects, or their effective number; above 0.

    Examples:
        >>> [round(end, 4) for end in wilson_interval(10, 40)]
        [0.1419, 0.4019]
    """
    share = events / subjects
    square = _SCORE_95**2
    scale = 1 + square / subjects
    middle = (share + square / (2 * subjects)) / scale
    spread = _SCORE_95 * math.sqrt(share * (1.0 - share) / subjects + square / (4.0 * subjects**2))
    reach = spread / scale
    return min(max(middle - reach, 0.0), 1.0), min(max(middle + reach, 0.0), 1.0)


def wilson_interval_of_bin(events: float, subjects: float) -> tuple[float, float]:
    """`wilson_interval` in the order of operations that calibration bins were always rounded by.

    The two agree to 15 digits; the ends of bins in `curves.json` keep their last digit with this.
    """
    share = events / subjects
    spread = NORMAL_95 * math.sqrt(
        share * (1 - share) / subjects + NORMAL_95**2 / (4 * subjects**2)
    )
    scale = 1 + NORMAL_95**2 / subjects
    middle = share + NORMAL_95**2 / (2 * subjects)
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def exact_interval_at_edge(share: float, trials: float) -> tuple[float, float]:
    """Exact interval of a share of 0 or 1 (Clopper and Pearson, Biometrika 1934;26:404-13).

    Args:
        share: 0 or 1.
        trials: Subjects that it is a share of.

    Returns:
        Not-a-number for both ends where `trials` is not above 0.

    Examples:
        No event among 30 subjects: the rule of three says about 3 / 30.

        >>> lower, upper = exact_interval_at_edge(0, 30)
        >>> lower, round(upper, 3)
        (0.0, 0.116)
    """
    if not trials > 0:
        return math.nan, math.nan
    reach = 1 - 0.025 ** (1 / trials)
    return (1 - reach, 1.0) if share else (0.0, reach)


def exact_interval(events: int, subjects: int, confidence: float) -> tuple[float, float]:
    """Exact interval of a share (Clopper and Pearson, Biometrika 1934;26:404-13).

    Args:
        events: Subjects that are counted.
        subjects: All subjects, at least 1.
        confidence: Probability that the interval covers the true share, at least.

    Examples:
        >>> [round(end, 4) for end in exact_interval(10, 40, 0.95)]
        [0.1269, 0.412]
    """
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    lower = betaincinv(events, subjects - events + 1, tail) if events else 0.0
    # The upper end is the mirror image of the lower one of the share without events.
    upper = 1 - betaincinv(subjects - events, events + 1, tail) if events < subjects else 1.0
    return float(lower), float(upper)


def share_of(events: float, subjects: float) -> Estimate:
    """A share with Wilson's interval; without a number for a share of no subjects.

    Examples:
        >>> share = share_of(10, 40)
        >>> share.value, round(share.lower, 4), round(share.upper, 4)
        (0.25, 0.1419, 0.4019)
        >>> share_of(0, 0)
        Estimate(value=None, lower=None, upper=None)
    """
    if not subjects:
        return Estimate()
    lower, upper = wilson_interval(events, subjects)
    return Estimate(events / subjects, lower, upper)


def difference_of_shares(
    events: float, subjects: float, other_events: float, other_subjects: float
) -> Estimate:
    """First share minus second, with Newcombe's interval.

    Newcombe RG. Stat Med 1998;17:873-90, method 10: it combines Wilson's intervals.

    Returns:
        Without a number where one is a share of no subjects.

    Examples:
        The example of the paper (table II, a): 56 of 70 against 48 of 80.

        >>> found = difference_of_shares(56, 70, 48, 80)
        >>> round(found.value, 4), round(found.lower, 4), round(found.upper, 4)
        (0.2, 0.0524, 0.3339)
    """
    if not (subjects and other_subjects):
        return Estimate()
    share, other = events / subjects, other_events / other_subjects
    lower, upper = wilson_interval(events, subjects)
    other_lower, other_upper = wilson_interval(other_events, other_subjects)
    value = share - other
    down = math.sqrt((share - lower) ** 2 + (other_upper - other) ** 2)
    up = math.sqrt((other - other_lower) ** 2 + (upper - share) ** 2)
    return Estimate(value, value - down, value + up)


def ratio_of_shares(
    events: float, subjects: float, other_events: float, other_subjects: float
) -> Estimate:
    """First share by second, with Katz's interval on the log scale.

    Katz D, et al. Biometrics 1978;34:469-74.

    Returns:
        Without a number where the second share has no events or the first is one of no subjects;
        0 without an interval where the first has no events.

    Examples:
        >>> ratio_of_shares(10, 40, 20, 40).value
        0.5
        >>> ratio_of_shares(0, 40, 20, 40)
        Estimate(value=0.0, lower=None, upper=None)
    """
    import numpy as np

    if not (subjects and other_events):
        return Estimate()
    if not events:
        return Estimate(0.0)
    value = (events / subjects) / (other_events / other_subjects)
    variance = 1 / events - 1 / subjects + 1 / other_events - 1 / other_subjects
    # numpy's logarithm and exponential differ from the standard library's in the last digit.
    middle, reach = np.log(value), _SCORE_95 * np.sqrt(variance)
    return Estimate(value, float(np.exp(middle - reach)), float(np.exp(middle + reach)))


def independent_difference(first: Estimate, second: Estimate) -> Estimate:
    """First minus second, for two groups without common subjects.

    The two estimates are independent, so the variances on either side, recovered from their
    intervals, add up: the distances from the estimates to the ends add in quadrature (MOVER: Zou
    and Donner, Stat Med 2008;27:1693-702).

    Returns:
        Without a number where an estimate is missing, without ends where an interval is.

    Examples:
        >>> independent_difference(Estimate(0.75, 0.5, 1.0), Estimate(0.5))
        Estimate(value=0.25, lower=None, upper=None)
    """
    if first.value is None or second.value is None:
        return Estimate()
    value = first.value - second.value
    one, other = _complete(first), _complete(second)
    if one is None or other is None:
        return Estimate(value)
    return Estimate(
        value,
        value - math.hypot(one[0] - one[1], other[2] - other[0]),
        value + math.hypot(one[2] - one[0], other[0] - other[1]),
    )


def mean_of_groups(groups: Sequence[tuple[Estimate, int]]) -> Estimate:
    """Mean of estimates of groups without common subjects, by their numbers of subjects.

    The distances to the ends of the intervals, by the same shares, add in quadrature (MOVER: Zou
    and Donner, Stat Med 2008;27:1693-702).

    Args:
        groups: Estimate and number of subjects of each group.

    Returns:
        Without a number where one of a group with subjects is missing; without ends where an
        interval is missing.

    Examples:
        >>> found = mean_of_groups([(Estimate(0.2, 0.1, 0.5), 30), (Estimate(0.4, 0.1, 0.8), 10)])
        >>> found.value, round(found.lower, 4), round(found.upper, 4)
        (0.25, 0.1439, 0.4962)
    """
    total = sum(subjects for _, subjects in groups)
    found = [(estimate, subjects / total) for estimate, subjects in groups if subjects]
    if not found or any(estimate.value is None for estimate, _ in found):
        return Estimate()
    value = math.fsum((estimate.value or 0.0) * share for estimate, share in found)
    whole = [(_complete(estimate), share) for estimate, share in found]
    if any(ends is None for ends, _ in whole):
        return Estimate(value)
    down = math.hypot(*((ends[0] - ends[1]) * share for ends, share in whole if ends))
    up = math.hypot(*((ends[2] - ends[0]) * share for ends, share in whole if ends))
    return Estimate(value, value - down, value + up)


def independent_ratio(first: Estimate, second: Estimate) -> Estimate:
    """First by second, two shares of groups without common subjects.

    Its interval is the one of the difference for a ratio (MOVER-R: Donner and Zou, Stat Methods
    Med Res 2012;21:347-59, equation 9), written without cancellation. The delta method on the
    logarithm, which is more usual, has no interval where a share is 0 and knows nothing of
    intervals with unequal sides.

    Returns:
        Without a number where an estimate is missing or the second is 0; the upper end is
        infinite where the second share may be 0; without ends where an interval is missing.
    """
    if first.value is None or not second.value:
        return Estimate()
    value = first.value / second.value
    one, other = _complete(first), _complete(second)
    if one is None or other is None:
        return Estimate(value)
    middle = first.value * second.value
    low, high = (_square_deviation(first.value, end) for end in one[1:])
    other_low, other_high = (_square_deviation(second.value, end) for end in other[1:])
    smallest = middle + math.sqrt(max(0.0, middle**2 - low * other_high))
    largest = middle + math.sqrt(max(0.0, middle**2 - high * other_low))
    return Estimate(
        value,
        low / smallest if smallest else 0.0,
        largest / other_low if other_low > 0 else math.inf,
    )


def detectable_difference(first: Estimate, second: Estimate) -> float | None:
    """Smallest true difference that would be detected in 4 of 5 samples of this size.

    2.8 standard errors of the difference: a two-sided test at 5 % then has a power of 80 %
    (minimum detectable effect: Bloom, Evaluation Review 1995;19:547-56). The standard errors
    come from the widths of the groups' intervals.

    Returns:
        None where an interval is missing.
    """
    one, other = _complete(first), _complete(second)
    if one is None or other is None:
        return None
    error = math.hypot(one[2] - one[1], other[2] - other[1]) / (2 * NORMAL_95)
    return (NORMAL_95 + _POWER_80) * error


def _complete(found: Estimate) -> tuple[float, float, float] | None:
    """Value, lower and upper end; None where one is missing."""
    if found.value is None or found.lower is None or found.upper is None:
        return None
    return found.value, found.lower, found.upper


def _square_deviation(share: float, end: float) -> float:
    """`share² − (share − end)²`."""
    return end * (2 * share - end)
