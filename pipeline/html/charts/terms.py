"""Measures and limits of charts, and their texts for screen readers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.estimates import Estimate
from pipeline.html.numbers import Value, has_interval, round_text, text_of

_MOST_SPOKEN = 12
"""Items that an alternative text lists; it counts the others."""


@dataclass(frozen=True)
class Measure:
    """What a chart's axis measures.

    Attributes:
        title: The axis' title, with its unit.
        decimals: Digits after the point.
        percent: Whether the numbers are shares, to be shown in percent.
    """

    title: str
    decimals: int = 3
    percent: bool = False

    def text(self, value: Value) -> str:
        """A value as this measure shows it."""
        return text_of(value, self.decimals, self.percent)


@dataclass(frozen=True)
class Limit:
    """The limit of a threshold: a dashed line in the same colour everywhere.

    Attributes:
        value: The limit.
        text: Its side, such as `at least`.
    """

    value: float
    text: str = "limit"

    def describe(self, percent: bool) -> str:
        """The limit in words, such as `at least 0.75`."""
        return f"{self.text} {round_text(self.value, percent)}"


def known(found: Estimate | None) -> bool:
    """Whether there is a number."""
    return found is not None and found.value is not None and math.isfinite(found.value)


def point(found: Estimate) -> float:
    """The number of an estimate that is known."""
    return math.nan if found.value is None else found.value


def ends(found: Estimate) -> tuple[float, float]:
    """The interval of an estimate that is known; twice the point where it has none."""
    if found.lower is None or found.upper is None or not has_interval(found):
        return point(found), point(found)
    return found.lower, found.upper


def listed(items: Sequence[str]) -> str:
    """Items as a sentence, the first dozen by themselves."""
    if not items:
        return "Nothing to show."
    more = len(items) - _MOST_SPOKEN
    text = "; ".join(items[:_MOST_SPOKEN])
    return f"{text}; and {more} more." if more > 0 else f"{text}."


def with_limit(text: str, limit: Limit | None, percent: bool) -> str:
    """A chart's text alternative, with its limit."""
    return text if limit is None else f"{text} The dashed line: {limit.describe(percent)}."
