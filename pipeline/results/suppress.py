"""Suppression of small groups, and of groups from which they would follow.

Statistical disclosure control by cell suppression (Willenborg and de Waal, Elements of
Statistical Disclosure Control, 2001, chapter 4): a group under the smallest size is suppressed
(primary suppression), and so are further groups until no suppressed small group follows from the
numbers that remain (complementary suppression).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.results.documents import OVERALL, Group
from pipeline.results.linear_sums import determined_unknowns

SuppressionReason = Literal["too_small", "complementary"]
"""Reason why a group is suppressed: it is small, or a small group would follow from it."""


@dataclass(frozen=True)
class _Sum:
    """Disjoint parts that add up to a whole; both are indices of the list of cells."""

    whole: int
    parts: tuple[int, ...]

    @property
    def cells(self) -> tuple[int, ...]:
        return (self.whole, *self.parts)


def suppressed(
    sizes: Mapping[Group, int],
    slicings: Sequence[tuple[str, ...]],
    smallest: int,
    shown: Collection[Group] = (),
    *,
    few: Collection[Group] = (),
    empty: Collection[Group] = (),
) -> dict[Group, SuppressionReason]:
    """Decides which groups are suppressed.

    A slicing's groups add up to all subjects, and the groups of a pair of slicings to those of each
    of the two; subjects without a value for a slicing are the unseen rest of such a sum. Groups are
    suppressed until

    - no group under the smallest size is determined by the sums and the groups shown, and
    - if a whole is shown, its suppressed parts together are none or reach the smallest size, since
      their total follows by subtraction.

    Among the candidates the smallest group is suppressed first.

    Args:
        sizes: Subjects with a known label of every group, including all subjects (the empty group).
        slicings: Names of the slicings of each kind of group.
        smallest: Fewest subjects that a group is shown for.
        shown: Groups that are shown already, so that others must be suppressed for them.
        few: Groups that are suppressed as too small whatever their size.
        empty: Groups without a subject that are suppressed as if they had one, see
            `empty_of_small`.

    Returns:
        The suppressed groups with their reasons.

    Examples:
        Three subjects are too few to show; two slices that add up to a shown whole are both
        suppressed, since the smaller one would follow by subtraction.

        >>> sizes = {(): 100, (("sex", "F"),): 97, (("sex", "M"),): 3}
        >>> suppressed(sizes, [(), ("sex",)], smallest=20)
        {(('sex', 'F'),): 'complementary', (('sex', 'M'),): 'too_small'}
    """
    table = _Table({**dict.fromkeys(empty, 0), **sizes}, slicings, smallest, shown, few, empty)
    while (exposed := table.exposed()) is not None:
        table.hide(exposed)
    return {
        group: "too_small" if cell in table.too_small else "complementary"
        for cell, group in enumerate(table.groups)
        if cell in table.hidden
    }


def empty_of_small(
    sizes: Mapping[Group, int], slicings: Sequence[tuple[str, ...]], smallest: int
) -> list[Group]:
    """Combinations that no subject of a small group is in.

    What is suppressed beside a small group must not say in which combinations its few subjects are:
    those without one are protected like those with one.

    Args:
        sizes: Subjects of every group that has some.
        slicings: Names of the slicings of each kind of group.
        smallest: Fewest subjects that a group is shown for.

    Examples:
        >>> sizes = {(): 90, (("sex", "F"),): 89, (("sex", "X"),): 1, (("arm", "A"),): 45}
        >>> sizes |= {(("arm", "B"),): 45, (("sex", "X"), ("arm", "A")): 1}
        >>> empty_of_small(sizes, [(), ("sex",), ("arm",), ("sex", "arm")], smallest=20)
        [(('sex', 'X'), ('arm', 'B'))]
    """
    values: dict[str, list[str]] = {}
    small = set()
    for group, size in sizes.items():
        if len(group) == 1:
            values.setdefault(group[0][0], []).append(group[0][1])
            if 0 < size < smallest:
                small.add(group[0])
    combined = (
        tuple(zip(slicing, of, strict=True))
        for slicing in slicings
        if len(slicing) > 1
        for of in itertools.product(*(values.get(name, ()) for name in slicing))
    )
    return [group for group in combined if small & set(group) and not sizes.get(group)]


class _Table:
    """Groups as numbered cells, unseen rests after them, and the sums that connect them.

    Attributes:
        groups: The groups by cell.
        too_small: Cells under the smallest size.
        hidden: Cells that are not shown, the unseen rests included.
    """

    def __init__(
        self,
        sizes: Mapping[Group, int],
        slicings: Sequence[tuple[str, ...]],
        smallest: int,
        shown: Collection[Group],
        few: Collection[Group],
        empty: Collection[Group],
    ) -> None:
        self._smallest = smallest
        self.groups = sorted(sizes, key=lambda group: (len(group), group))
        self._sizes = [sizes[group] for group in self.groups]
        self._sums: list[_Sum] = []
        rests: set[int] = set()
        place = {group: cell for cell, group in enumerate(self.groups)}
        for whole, parts in _families(self.groups, slicings):
            cells = tuple(place[part] for part in parts)
            rest = sizes[whole] - sum(self._sizes[cell] for cell in cells)
            if rest > 0:
                rests.add(len(self._sizes))
                cells = (*cells, len(self._sizes))
                self._sizes.append(rest)
            self._sums.append(_Sum(place[whole], cells))
        kept = {OVERALL, *shown}
        self._may_go = [group not in kept for group in self.groups]
        self._sums_of: dict[int, list[int]] = {}
        for number, equation in enumerate(self._sums):
            for cell in equation.cells:
                self._sums_of.setdefault(cell, []).append(number)
        self.too_small = {cell for cell, size in enumerate(self._sizes) if size < smallest}
        self.too_small |= {place[group] for group in few if group in place}
        self._guarded = {place[group] for group in empty if not self._sizes[place[group]]}
        self.hidden: set[int] = set()
        self._hidden_parts = [0] * len(self._sums)
        self._has_guarded = [False] * len(self._sums)
        for cell in self.too_small | rests:
            self.hide(cell)
        # A cell that is hidden later has the smallest size, so no sum needs a second look.
        self._pending = list(range(len(self._sums)))[::-1]

    def hide(self, cell: int) -> None:
        """Suppresses a cell."""
        self.hidden.add(cell)
        for number in self._sums_of.get(cell, ()):
            if cell != self._sums[number].whole:
                self._hidden_parts[number] += self._sizes[cell]
                self._has_guarded[number] |= cell in self._guarded

    def exposed(self) -> int | None:
        """The shown cell to suppress next; None if every small group is safe."""
        while self._pending:
            number = self._pending.pop()
            equation, total = self._sums[number], self._hidden_parts[number]
            is_small = total < self._smallest and (total > 0 or self._has_guarded[number])
            if equation.whole not in self.hidden and is_small:
                next_cell = self._smallest_shown(equation.parts)
                if next_cell is not None:
                    return next_cell
        for cell in self._determined():
            near = [c for number in self._sums_of[cell] for c in self._sums[number].cells]
            next_cell = self._smallest_shown(near)
            if next_cell is None:
                next_cell = self._smallest_shown(range(len(self.groups)))
            if next_cell is not None:
                return next_cell
        return None

    def _smallest_shown(self, cells: Sequence[int] | range) -> int | None:
        # Rests, whose cells follow the groups', are always hidden.
        candidates = [cell for cell in cells if cell not in self.hidden and self._may_go[cell]]
        return min(candidates, key=lambda cell: (self._sizes[cell], cell), default=None)

    def _determined(self) -> list[int]:
        """Small cells that are determined by the sums and the shown cells."""
        rows = [
            {cell: 1 if cell == equation.whole else -1 for cell in equation.cells}
            for equation in self._sums
        ]
        unknown = [{cell: c for cell, c in row.items() if cell in self.hidden} for row in rows]
        small = sorted(
            cell
            for cell in self.hidden & self.too_small
            if self._sizes[cell] > 0 or cell in self._guarded
        )
        determined = determined_unknowns(unknown)
        return [cell for cell in small if cell in determined]


def _families(
    groups: Sequence[Group], slicings: Sequence[tuple[str, ...]]
) -> Iterator[tuple[Group, list[Group]]]:
    """Wholes with their parts: all subjects by slicing, each group by the pairs it is in."""
    by_slicing: dict[tuple[str, ...], list[Group]] = {tuple(slicing): [] for slicing in slicings}
    for group in groups:
        by_slicing[tuple(name for name, _ in group)].append(group)
    for slicing, members in by_slicing.items():
        if len(slicing) == 1:
            yield OVERALL, members
        for name in slicing if len(slicing) > 1 else ():
            for whole in by_slicing.get((name,), ()):
                yield whole, [member for member in members if whole[0] in member]
