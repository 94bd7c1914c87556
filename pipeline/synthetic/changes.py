"""Changes of the synthetic trial over calendar time, as a model in service meets them.

A change holds for the subjects who were randomised in its month or later. It draws nothing from
the trial's own random numbers, so subjects of earlier months are those of the trial without it.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np

from pipeline.errors import UserError
from pipeline.synthetic.xpt_writer import Array

Kind = Literal["population", "assay", "concept", "signal", "site", "feed"]

_EPOCH: Final = datetime.date(1960, 1, 1)
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_LARGEST: Final = 5.0
_SHARES: Final = ("signal", "feed")


@dataclasses.dataclass(frozen=True)
class Change:
    """A change from a month on.

    Attributes:
        kind: `population`: AGE and SEVBL are higher by `size` standard deviations (11 each).
            `assay`: CRP is measured `exp(size)` times as high; what happens to the subjects depends
            on the true value. `concept`: the log-odds of every task are higher by `size`. `signal`:
            all coefficients but the intercept lose the share `size`. `site`: half of the new
            subjects come from a new site, where the log-odds of every task are higher by `size`,
            for reasons that no dataset shows. `feed`: a share of `size` of the laboratory's rows
            lacks its value.
        month: First month of randomisation, such as `2024-01`.
        size: How much; 0 changes nothing but the site.

    Raises:
        UserError: Something is out of its range.

    Examples:
        >>> Change.of("concept:2024-01:0.5")
        Change(kind='concept', month='2024-01', size=0.5)
    """

    kind: Kind
    month: str
    size: float

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise _unlike(self.kind, f"one of {', '.join(get_args(Kind))}")
        first_day(self.month)
        if self.kind in _SHARES and not 0.0 <= self.size <= 1.0:
            raise _unlike(f"{self.kind} of size {self.size:g}", "a share from 0 to 1")
        if not abs(self.size) <= _LARGEST:
            raise _unlike(f"{self.kind} of size {self.size:g}", f"a size up to {_LARGEST:g}")

    @classmethod
    def of(cls, text: str) -> Change:
        """Reads `<kind>:<month>:<size>`.

        Raises:
            UserError: It is something else.
        """
        try:
            kind, month, size = text.split(":")
            return cls(kind, month, float(size))  # type: ignore[arg-type]
        except ValueError:
            raise _unlike(repr(text), "kind, month and size, such as concept:2024-01:0.5") from None

    def holds(self, randomised: Array) -> Array:
        """Whether the change holds for each subject; (n,).

        Args:
            randomised: (n,) dates in days since 1960-01-01.
        """
        return np.asarray(randomised >= first_day(self.month))


def first_day(month: str) -> int:
    """First day of a month in days since 1960-01-01.

    Raises:
        UserError: It is no month.

    Examples:
        >>> first_day("1960-02")
        31
    """
    if not _MONTH.fullmatch(month):
        raise _unlike(repr(month), "a month such as 2024-01")
    return (datetime.date.fromisoformat(f"{month}-01") - _EPOCH).days


def amount(changes: Sequence[Change], kind: Kind, randomised: Array) -> Array:
    """Sum of the sizes of the changes of a kind that hold for each subject; (n,)."""
    sizes = [c.size * c.holds(randomised) for c in changes if c.kind == kind]
    return np.asarray(sum(sizes, np.zeros(len(randomised))))


def _unlike(found: str, expected: str) -> UserError:
    return UserError(f"Change of the synthetic trial: {found}; expected {expected}.")
