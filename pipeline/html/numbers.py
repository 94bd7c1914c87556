"""The format of numbers on pages: that of `pipeline.estimates.fixed`, with the signs of print."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from pipeline.estimates import Estimate, fixed

MISSING = "–"
"""Placeholder for a missing number."""

_MINUS = "−"
_THOUSANDS = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True)
class Suppressed:
    """A number that is not shown, since a group is too small or would disclose one that is.

    Attributes:
        fewer_than: The smallest number that would be shown; None for what is suppressed only to
            protect another group.
    """

    fewer_than: int | None = None


Value = str | int | float | Estimate | Suppressed | None


def text_of(value: Value, decimals: int = 3, percent: bool = False) -> str:
    """A value of any kind as text.

    Args:
        value: A whole number is shown as a count, a float with `decimals`.
        decimals: Digits after the point.
        percent: Whether floats and estimates are shares to be shown in percent.
    """
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    if isinstance(value, Estimate):
        return estimate(value, decimals, percent)
    if isinstance(value, Suppressed):
        return suppressed(value)
    if isinstance(value, int):
        return count(value)
    return number(value, decimals, percent)


def number(value: float | None, decimals: int = 3, percent: bool = False) -> str:
    """A number such as `0.794`, `−1.20` or `79.4 %`; a dash for None and not-a-number."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = _plain(value * 100 if percent else value, decimals)
    return f"{text}\N{NARROW NO-BREAK SPACE}%" if percent else text


def round_text(value: float, percent: bool) -> str:
    """A round number, such as a limit or a tick, with as many digits as it needs."""
    text = f"{value * 100:g}\N{NARROW NO-BREAK SPACE}%" if percent else f"{value:g}"
    return text.replace("-", _MINUS)


def estimate(found: Estimate, decimals: int = 3, percent: bool = False) -> str:
    """A number with its interval, such as `0.79 (0.76 to 0.82)`.

    Examples:
        >>> estimate(Estimate(0.794, 0.761, 0.823), decimals=2)
        '0.79 (0.76 to 0.82)'
        >>> estimate(Estimate(0.794))
        '0.794 (no interval)'
    """
    if found.value is None or not math.isfinite(found.value):
        return MISSING
    point = number(found.value, decimals, percent)
    if not has_interval(found):
        return f"{point} (no interval)"
    scale = 100 if percent else 1
    lower, upper = (_plain(end * scale, decimals) for end in (found.lower or 0, found.upper or 0))
    return f"{point} ({lower} to {upper})"


def has_interval(found: Estimate) -> bool:
    """Whether both ends are numbers."""
    return (
        found.lower is not None
        and found.upper is not None
        and math.isfinite(found.lower)
        and math.isfinite(found.upper)
    )


def count(value: int) -> str:
    """A whole number such as `19 435`, its thousands separated by a thin space."""
    return f"{value:,}".replace(",", _THOUSANDS).replace("-", _MINUS)


def suppressed(value: Suppressed) -> str:
    """`<10` for a group that is too small, `suppressed` for one that protects another."""
    return "suppressed" if value.fewer_than is None else f"<{count(value.fewer_than)}"


def _plain(value: float, decimals: int) -> str:
    return fixed(value, decimals).replace(",", _THOUSANDS).replace("-", _MINUS)


def with_minus(text: str) -> str:
    """A sentence in which numbers below 0 have the minus sign of the tables.

    Examples:
        >>> with_minus("a 2-year rate is -0.245")
        'a 2-year rate is −0.245'
    """
    return re.sub(r"(?<!\S)-(?=\d)", _MINUS, text)
