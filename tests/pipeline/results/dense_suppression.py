"""Suppression as its definition says: every sum in turn, the whole system by singular values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.results.documents import OVERALL, Group
from pipeline.results.suppress import SuppressionReason, _families, _Sum

_TOLERANCE = 1e-9


def suppressed_densely(
    sizes: Mapping[Group, int],
    slicings: Sequence[tuple[str, ...]],
    smallest: int,
    shown: Collection[Group] = (),
) -> dict[Group, SuppressionReason]:
    """What `pipeline.results.suppress.suppressed` returns."""
    table = _Table(sizes, slicings, shown)
    too_small = {cell for cell, size in enumerate(table.sizes) if size < smallest}
    hidden = too_small | table.rests
    while (exposed := table.exposed(hidden, too_small, smallest)) is not None:
        hidden.add(exposed)
    return {
        group: "too_small" if cell in too_small else "complementary"
        for cell, group in enumerate(table.groups)
        if cell in hidden
    }


class _Table:
    """Groups as numbered cells, unseen rests after them, and the sums that connect them."""

    def __init__(
        self,
        sizes: Mapping[Group, int],
        slicings: Sequence[tuple[str, ...]],
        shown: Collection[Group],
    ) -> None:
        self._kept = {OVERALL, *shown}
        self.groups = sorted(sizes, key=lambda group: (len(group), group))
        self.sizes = [sizes[group] for group in self.groups]
        self.rests: set[int] = set()
        self.sums: list[_Sum] = []
        place = {group: cell for cell, group in enumerate(self.groups)}
        for whole, parts in _families(self.groups, slicings):
            cells = tuple(place[part] for part in parts)
            rest = sizes[whole] - sum(self.sizes[cell] for cell in cells)
            if rest > 0:
                self.rests.add(len(self.sizes))
                cells = (*cells, len(self.sizes))
                self.sizes.append(rest)
            self.sums.append(_Sum(place[whole], cells))

    def exposed(self, hidden: set[int], too_small: set[int], smallest: int) -> int | None:
        """The shown cell to suppress next; None if every small group is safe."""
        for equation in self.sums:
            inside = [cell for cell in equation.parts if cell in hidden]
            total = sum(self.sizes[cell] for cell in inside)
            if equation.whole not in hidden and 0 < total < smallest:
                next_cell = self._smallest_shown(equation.parts, hidden)
                if next_cell is not None:
                    return next_cell
        for cell in self._determined(hidden, too_small):
            near = [c for equation in self.sums if cell in equation.cells for c in equation.cells]
            next_cell = self._smallest_shown(near, hidden)
            if next_cell is None:
                next_cell = self._smallest_shown(range(len(self.groups)), hidden)
            if next_cell is not None:
                return next_cell
        return None

    def _smallest_shown(self, cells: Sequence[int] | range, hidden: set[int]) -> int | None:
        candidates = [
            cell for cell in cells if cell not in hidden and self.groups[cell] not in self._kept
        ]
        return min(candidates, key=lambda cell: (self.sizes[cell], cell), default=None)

    def _determined(self, hidden: set[int], too_small: set[int]) -> list[int]:
        """Small cells that are determined by the sums and the shown cells.

        A hidden cell is free if a solution of the homogeneous system changes it.
        """
        unknown = sorted(hidden)
        column = {cell: place for place, cell in enumerate(unknown)}
        rows = [_coefficients(equation, column) for equation in self.sums]
        used = [row for row in rows if row.any()]
        if not used:
            return []
        _, values, right = np.linalg.svd(np.asarray(used))
        rank = int((values > _TOLERANCE).sum())
        freedom = np.abs(right[rank:]).max(axis=0, initial=0.0)
        return [
            cell
            for cell in unknown
            if cell in too_small and self.sizes[cell] > 0 and freedom[column[cell]] < _TOLERANCE
        ]


def _coefficients(equation: _Sum, column: Mapping[int, int]) -> NDArray[np.float64]:
    row = np.zeros(len(column))
    if equation.whole in column:
        row[column[equation.whole]] = 1
    for part in equation.parts:
        if part in column:
            row[column[part]] = -1
    return row
