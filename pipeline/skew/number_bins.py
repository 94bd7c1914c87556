"""Bins and limits of a number that hold no value of a single subject."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.results.resolution import COUNT_BASE

_STEPS = (1, 2, 5, 10)
_STEPS_BETWEEN, _FINER = 20, 10
_BINS = 10
_ROUNDING = 1e-6
_DISTINCT = 1e-8
"""Relative distance of limits below which bins between them would have no digits of their own."""


@dataclass(frozen=True)
class NumberBins:
    """What is kept of the values of a number.

    Attributes:
        lower: Lower limit; minus infinity of too few subjects.
        upper: Upper limit.
        edges: Ends of the bins, rising, `[bins + 1]`; empty of too few subjects.
        counts: Subjects of each bin, the outermost ones with all beyond, `[bins]`.
    """

    lower: float
    upper: float
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]


def number_bins(values: NDArray[np.floating[Any]], smallest_group: int) -> NumberBins:
    """Puts the values of a number into bins.

    No value of fewer than five subjects beyond all others changes limits and edges: limits follow
    from means of five neighbouring values at each end that four lie beyond, and all are multiples
    of a round step.

    Args:
        values: One of each subject, NaN where missing.
        smallest_group: Fewest subjects of a bin.
    """
    known = np.sort(values[~np.isnan(values)].astype(np.float64))
    if len(known) < 2 * COUNT_BASE:
        return NumberBins(-math.inf, math.inf, np.empty(0), np.empty(0, np.int64))
    lower, upper, step = _limits(known)
    if step:
        fine = step / _FINER
        places = range(round((upper - lower) / fine) + 1)
        edges = np.array([_round(lower + place * fine) for place in places])
        edges, counts = _merged(edges, counts_between(known, edges), smallest_group)
    else:
        # Empty bins on both sides: other subjects may be there.
        edges = lower + max(abs(lower), 1.0) / _BINS * np.array([-3, -1, 1, 3])
        counts = np.array([0, len(known), 0])
    return NumberBins(lower, upper, edges, counts)


def counts_between(
    values: NDArray[np.floating[Any]], edges: NDArray[np.float64]
) -> NDArray[np.int64]:
    """How many subjects are in each bin; those beyond the outermost edges are in the last bins.

    Args:
        values: One of each subject, NaN where missing.
        edges: Ends of the bins, rising, `[bins + 1]`.
    """
    known = values[~np.isnan(values)].astype(np.float64)
    places = np.searchsorted(edges[1:-1], known, side="right")
    return np.bincount(places, minlength=len(edges) - 1).astype(np.int64)


def _limits(known: NDArray[np.float64]) -> tuple[float, float, float]:
    """Limits of sorted numbers, on multiples of a step, and the step; 0 of a constant."""
    neighbours = slice(COUNT_BASE - 1, 2 * COUNT_BASE - 1)
    low, high = known[neighbours], known[::-1][neighbours]
    lowest, highest = float(low.mean()), float(high.mean())
    if lowest >= highest or math.isclose(lowest, highest, rel_tol=_DISTINCT):
        return lowest, lowest, 0.0
    width = (highest - lowest) / _STEPS_BETWEEN
    power = 10.0 ** math.floor(math.log10(width))
    step = next(nice * power for nice in _STEPS if nice * power >= width * (1 - _ROUNDING))
    # Few lie further out than neighbours that differ; where all are equal the number ends.
    below, above = (int(values.min() < values.max()) for values in (low, high))
    first = math.floor(lowest / step + _ROUNDING) - below
    last = math.ceil(highest / step - _ROUNDING) + above
    return _round(first * step), _round(last * step), step


def _round(number: float) -> float:
    return float(f"{number:.12g}")


def _merged(
    edges: NDArray[np.float64], counts: NDArray[np.int64], smallest_group: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Merges bins until each has a tenth of the subjects, or the smallest group at the ends.

    So has a bin beside one that has a tenth by itself: most subjects may have one value.
    """
    tenth = max(smallest_group, math.ceil(counts.sum() / _BINS))
    kept, sizes = [float(edges[0])], [0]
    for low, high, count in zip(edges[:-1], edges[1:], counts.tolist(), strict=True):
        if count >= tenth and sizes[-1] >= smallest_group:
            kept.append(float(low))
            sizes.append(0)
        sizes[-1] += count
        if sizes[-1] >= tenth:
            kept.append(float(high))
            sizes.append(0)
    rest = sizes.pop()
    if rest >= smallest_group or not sizes:
        return np.array([*kept, float(edges[-1])]), np.array([*sizes, rest])
    sizes[-1] += rest
    return np.array([*kept[:-1], float(edges[-1])]), np.array(sizes)
