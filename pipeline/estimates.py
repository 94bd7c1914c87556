"""A number with its interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: The point; None or not-a-number where it is undefined.
        lower: Lower end of the interval; None or not-a-number where there is none.
        upper: Upper end.
    """

    value: float | None
    lower: float | None = None
    upper: float | None = None
