"""Which unknowns a system of linear sums determines, by sparse and exact elimination."""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping, Sequence

_PRIME = 2**61 - 1
"""Coefficients are counted modulo this prime, so that no rounding decides."""

_Row = dict[int, int]


def determined_unknowns(rows: Sequence[Mapping[int, int]]) -> set[int]:
    """The unknowns that have the same value in every solution.

    An unknown is determined if it is 0 in every solution of the homogeneous system. One solution
    with random values for the free unknowns decides: an unknown that is not determined is 0 in it
    with a probability of about 2**-61.

    Args:
        rows: Coefficients of each equation by unknown, 1 or -1; the right sides do not matter.

    Returns:
        The determined unknowns.

    Examples:
        Two equations determine two unknowns; a third one of two further unknowns none.

        >>> sorted(determined_unknowns([{0: 1, 1: 1}, {0: 1, 1: -1}, {2: 1, 3: 1}]))
        [0, 1]
    """
    pivots = _eliminated([dict(row) for row in rows if row])
    solution = dict.fromkeys((unknown for row in rows for unknown in row), 0)
    chosen = random.Random(0)
    bound = {unknown for unknown, _ in pivots}
    for unknown in solution:
        if unknown not in bound:
            solution[unknown] = chosen.randrange(1, _PRIME)
    for unknown, row in reversed(pivots):
        rest = sum(c * solution[other] for other, c in row.items() if other != unknown)
        solution[unknown] = -rest * pow(row[unknown], -1, _PRIME) % _PRIME
    return {unknown for unknown, value in solution.items() if value == 0}


def _eliminated(rows: list[_Row]) -> list[tuple[int, _Row]]:
    """Pivots with their rows, each without the pivots before it.

    The unknown in the fewest equations goes next, by the shortest of them, so that few
    coefficients are added.
    """
    rows_of: dict[int, set[int]] = {}
    for number, row in enumerate(rows):
        for unknown in row:
            rows_of.setdefault(unknown, set()).add(number)
    waiting = [(len(numbers), unknown) for unknown, numbers in rows_of.items()]
    heapq.heapify(waiting)
    pivots = []
    while waiting:
        count, unknown = heapq.heappop(waiting)
        numbers = rows_of[unknown]
        if not numbers:
            continue
        if count != len(numbers):
            heapq.heappush(waiting, (len(numbers), unknown))
            continue
        shortest = min(numbers, key=lambda number: (len(rows[number]), number))
        pivot = rows[shortest]
        for other in pivot:
            rows_of[other].discard(shortest)
        for number in sorted(numbers):
            _subtract(rows[number], pivot, unknown, number, rows_of)
        pivots.append((unknown, pivot))
    return pivots


def _subtract(
    row: _Row, pivot: _Row, unknown: int, number: int, rows_of: dict[int, set[int]]
) -> None:
    """Takes an unknown out of a row by a multiple of the pivot's row."""
    factor = row[unknown] * pow(pivot[unknown], -1, _PRIME) % _PRIME
    for other, coefficient in pivot.items():
        value = (row.get(other, 0) - factor * coefficient) % _PRIME
        if value:
            row[other] = value
            rows_of[other].add(number)
        else:
            row.pop(other, None)
            rows_of[other].discard(number)
