"""Sums over subjects from which everything is computed: of bounded size.

A prediction counts in one of `GRID` cells of equal width, with the sum and the sum of squares of
the predictions in it: means are exact, ranks to the width of a cell.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

GRID = 1_000
"""Cells of predictions."""


def cells_of(predictions: FloatArray) -> NDArray[np.int64]:
    """The cell of each prediction.

    Args:
        predictions: Probabilities, `[n]`.

    Examples:
        >>> cells_of(np.array([0.0, 0.0015, 1.0])).tolist()
        [0, 1, 999]
    """
    return np.minimum((predictions * GRID).astype(np.int64), GRID - 1)


@dataclass
class Tally:
    """Sums by some name.

    Attributes:
        sums: Vector of sums by name; all of one length.
    """

    sums: dict[Hashable, FloatArray] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[Hashable], vectors: FloatArray) -> Tally:
        """Adds vectors up by name.

        Args:
            names: Name of each row, `[n]`.
            vectors: `[n, sums]`.

        Examples:
            >>> Tally.of(["a", "b", "a"], np.array([[1.0], [2.0], [3.0]])).sums["a"].tolist()
            [4.0]
        """
        found = cls()
        for name, vector in zip(names, vectors, strict=True):
            found._add(name, vector)
        return found

    def merge(self, other: Tally) -> Tally:
        """Adds another tally to this one, and returns this one."""
        for name, vector in other.sums.items():
            self._add(name, vector)
        return self

    def _add(self, name: Hashable, vector: FloatArray) -> None:
        known = self.sums.get(name)
        self.sums[name] = vector.copy() if known is None else known + vector


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies; none of them is changed."""
    found = Tally()
    for tally in tallies:
        found.merge(tally)
    return found


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Subjects by cell of their prediction, one side of an outcome each.

    Attributes:
        count: Subjects, `[2, GRID]`: without the outcome, and with it.
        weight: Sum of their weights.
        square: Sum of the squares of these.
        first: Sum of weight times prediction.
        second: Sum of weight times squared prediction.
    """

    count: FloatArray
    weight: FloatArray
    square: FloatArray
    first: FloatArray
    second: FloatArray

    @property
    def subjects(self) -> int:
        """Number of subjects."""
        return int(self.count.sum())

    @property
    def means(self) -> FloatArray:
        """Mean prediction of each cell and side, `[2, GRID]`; the cell's middle where none is."""
        middle = (np.arange(GRID) + 0.5) / GRID
        found = np.divide(
            self.first, self.weight, out=np.tile(middle, (2, 1)), where=self.weight > 0
        )
        return np.asarray(found, np.float64)


def outcome_tally(predictions: FloatArray, outcomes: FloatArray, weights: FloatArray) -> Tally:
    """Subjects whose outcome is known, by outcome and cell.

    Args:
        predictions: Probabilities, `[n]`.
        outcomes: 1 or 0, `[n]`.
        weights: `[n]`.
    """
    vectors = np.stack(
        [
            np.ones_like(weights),
            weights,
            weights**2,
            weights * predictions,
            weights * predictions**2,
        ],
        axis=1,
    )
    sides = outcomes.astype(np.int64).tolist()
    return Tally.of(zip(sides, cells_of(predictions).tolist(), strict=True), vectors)


def outcomes_of(sums: Mapping[Hashable, FloatArray]) -> Outcomes:
    """Lays an `outcome_tally` out by cell.

    Args:
        sums: Vectors by side and cell.
    """
    dense = np.zeros((5, 2, GRID))
    places = np.array(list(sums), np.int64).reshape(-1, 2)
    dense[:, places[:, 0], places[:, 1]] = np.array(list(sums.values())).reshape(-1, 5).T
    return Outcomes(*dense)


def expected_outcomes(sums: Mapping[Hashable, FloatArray]) -> Outcomes:
    """What outcomes would be if each subject had it with the predicted probability.

    Args:
        sums: Number of subjects, sum of predictions and of their squares, by cell.
    """
    dense = np.zeros((3, GRID))
    dense[:, np.array(list(sums), np.int64)] = np.array(list(sums.values())).reshape(-1, 3).T
    count, first, second = dense
    with_outcome, without = first, count - first
    mean = np.divide(first, count, out=np.zeros(GRID), where=count > 0)
    weight = np.stack([without, with_outcome])
    return Outcomes(
        count=np.stack([without, with_outcome]),
        weight=weight,
        square=weight,
        first=np.stack([first - second, second]),
        second=np.stack([mean * (first - second), mean * second]),
    )
