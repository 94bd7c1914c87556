"""Intervals by the normal distribution."""

from __future__ import annotations

import math

from pipeline.results.analysis import Estimate

NORMAL_95 = 1.959963984540054
"""Between minus and plus this many standard deviations lie 95 % of a normal distribution."""


def normal_interval(value: float, error: float) -> Estimate:
    """An estimate with the 95 % interval that its standard error makes."""
    reach = NORMAL_95 * error
    return Estimate(value=value, lower=value - reach, upper=value + reach)


def ratio_interval(logarithm: float, error: float) -> Estimate:
    """A ratio with the 95 % interval that the standard error of its logarithm makes."""
    reach = NORMAL_95 * error
    return Estimate(
        value=math.exp(logarithm),
        lower=math.exp(logarithm - reach),
        upper=math.exp(logarithm + reach),
    )
