"""What follows about single values of a number from its mean and quartiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from pipeline.results.baseline import NumberSummary

_WINDOW, _FEWEST = 5, 15
_SAME = 1e-6


def known_values(found: NumberSummary, largest: float = 1e4) -> list[int]:
    """Ranks of the values that follow from a summary, 0 for the smallest one.

    The values of a group in rising order are unknowns; its mean and its quartiles, each the mean of
    known ranks, are sums of them.

    Args:
        found: The summary; its quartiles are means of all where they are of fewer than 15.
        largest: No value is smaller than 0 or larger than this.
    """
    if found.subjects is None or found.mean is None:
        return []
    number = found.subjects
    rows, sums = [np.ones(number)], [found.mean * number]
    for share, mean in (
        (0.25, found.lower_quartile),
        (0.5, found.median),
        (0.75, found.upper_quartile),
    ):
        if mean is not None:
            row = _window(number, share)
            rows.append(row)
            sums.append(mean * row.sum())
    order = -np.eye(number)[:-1] + np.eye(number)[1:]
    determined = []
    for rank in range(number):
        wanted = np.eye(number)[rank]
        ends = [
            sign
            * linprog(
                sign * wanted,
                A_ub=-order if number > 1 else None,
                b_ub=np.zeros(number - 1) if number > 1 else None,
                A_eq=np.array(rows),
                b_eq=sums,
                bounds=(0, largest),
            ).fun
            for sign in (1, -1)
        ]
        if ends[1] - ends[0] < _SAME * largest:
            determined.append(rank)
    return determined


def _window(number: int, share: float) -> NDArray[np.float64]:
    """The ranks whose mean stands for a quartile."""
    width = _WINDOW if number >= _FEWEST else number
    start = round(share * (number - 1) - (width - 1) / 2)
    start = min(max(start, 0), number - width)
    row = np.zeros(number)
    row[start : start + width] = 1
    return row
