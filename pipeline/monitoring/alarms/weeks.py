"""Weeks of a year of looks, and the weights of what two sides of a comparison hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.monitoring.alarms.spending import WINDOW, YEAR
from pipeline.monitoring.alarms.state import Comparison

_FloatArray = NDArray[np.float64]
_BoolArray = NDArray[np.bool_]


def check_weeks(weeks: Sequence[dt.date]) -> None:
    """Checks that weeks are named by their Mondays, each once.

    Raises:
        ValueError: They are not.
    """
    if other := [week for week in weeks if week.weekday()]:
        raise ValueError(f"{other[0]} is not a Monday: a week is named by its Monday")
    if len(set(weeks)) < len(weeks):
        raise ValueError("a week is there twice: join what came in the same week")


def years(weeks: Sequence[dt.date]) -> Iterator[tuple[list[int], list[int]]]:
    """The years of looks, of which the first begins with the first week.

    Args:
        weeks: Mondays, rising.

    Yields:
        Places in `weeks` of one year, and the number of each week in it, from 1 to 52.

    Examples:
        >>> monday = dt.date(2025, 1, 6)
        >>> list(years([monday, monday + dt.timedelta(weeks=2), monday + dt.timedelta(weeks=52)]))
        [([0, 1], [1, 3]), ([2], [1])]
    """
    since_first = [(week - weeks[0]).days // 7 for week in weeks]
    for year in sorted({number // YEAR for number in since_first}):
        places = [at for at, number in enumerate(since_first) if number // YEAR == year]
        yield places, [since_first[at] % YEAR + 1 for at in places]


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two sides of a comparison.

    Attributes:
        weeks: Weeks of the year that it holds, `[k]`.
        training: Whether it holds the training's subjects as well.
    """

    weeks: _BoolArray
    training: bool = False


@dataclass(frozen=True, eq=False)
class Pair:
    """Both sides of a comparison after a week.

    Attributes:
        at: Place of the week in the year's weeks that have something.
        now: What came.
        before: What it is compared with.
    """

    at: int
    now: Side
    before: Side


def pairs(numbers: Sequence[int], comparison: Comparison) -> Iterator[Pair]:
    """Sides of a comparison after every week of a year.

    Args:
        numbers: Numbers of the weeks in the year, rising.
        comparison: Which one.
    """
    of_weeks = np.array(numbers)
    for at, number in enumerate(numbers):
        if comparison == "training":
            nothing = np.zeros(len(numbers), bool)
            yield Pair(at, Side(of_weeks <= number), Side(nothing, training=True))
        elif (before := of_weeks <= number - WINDOW).any():
            yield Pair(at, Side((of_weeks <= number) & ~before), Side(before, training=True))


@dataclass(frozen=True, eq=False)
class Sizes:
    """How much stands on the sides of comparisons.

    Attributes:
        training: Effective subjects of the training.
        weight: Sum of the weights of each week, `[k]`.
        squares: Sum of their squares, `[k]`.
    """

    training: float
    weight: _FloatArray
    squares: _FloatArray

    def effective(self, side: Side) -> float:
        """Effective subjects of a side: those of the training and those of its weeks."""
        squares = self.squares[side.weeks].sum()
        of_weeks = self.weight[side.weeks].sum() ** 2 / squares if squares > 0 else 0.0
        return float(of_weeks) + (self.training if side.training else 0.0)

    def correlations(self, compared: Sequence[Pair]) -> list[float]:
        """Correlation of every comparison's difference of means with that of the one before."""
        parts = [self._parts(pair) for pair in compared]
        spread = [float(np.sqrt(part @ part)) for part in parts]
        following = (
            float(parts[k] @ parts[k - 1]) / (spread[k] * spread[k - 1])
            for k in range(1, len(parts))
        )
        return [0.0, *following] if parts else []

    def _parts(self, pair: Pair) -> _FloatArray:
        """What the training and each week add to a difference, in units of independent noise."""
        found = np.zeros(len(self.weight) + 1)
        for side, sign in ((pair.now, 1.0), (pair.before, -1.0)):
            everything = self.effective(side)
            if side.training:
                found[0] += sign * np.sqrt(self.training) / everything
            of_weeks = everything - (self.training if side.training else 0.0)
            if of_weeks > 0:
                scale = of_weeks / everything / self.weight[side.weeks].sum()
                found[1:][side.weeks] += sign * scale * np.sqrt(self.squares[side.weeks])
        return found


def grown(spending: Callable[[int], float], numbers: Sequence[int]) -> list[float]:
    """What each look may spend: how far a spending function has grown since the look before.

    Examples:
        >>> grown(lambda week: week / 52, [13, 26, 52])
        [0.25, 0.25, 0.5]
    """
    return np.diff([0.0, *(spending(number) for number in numbers)]).tolist()
