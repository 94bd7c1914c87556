"""Where the curves of a group are cut, so that no number concerns few subjects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluator.performance import CALIBRATION_BINS
from components.evaluator.score_table import ScoreTable

MOST_POINTS = 100
"""Largest number of points of a ROC curve, including its ends."""


class Cuts:
    """Cuts of the subjects in order of their predictions.

    A cut is an index of the score table: the predictions before it are lower.

    Attributes:
        fixed: Decision threshold of each cut that is made by one.
    """

    def __init__(self, table: ScoreTable, thresholds: Sequence[float], smallest: int) -> None:
        self._smallest = smallest
        self._below = weight_below(table.count)
        self._subjects = table.subjects
        places = np.searchsorted(table.score, np.asarray(thresholds, np.float32), side="left")
        self.fixed: dict[int, float] = {
            int(place): threshold
            for place, threshold in zip(places, thresholds, strict=True)
            if 0 < place < len(table.score)
        }

    def calibration_edges(self) -> list[int]:
        """Cuts between bins of about equally many subjects, at least the smallest group each."""
        edges: list[int] = []
        for number in range(1, CALIBRATION_BINS):
            place = self._nearest(self._subjects * number / CALIBRATION_BINS)
            near = [cut for cut in self.fixed if abs(self._between(cut, place)) < self._smallest]
            if near:
                place = min(near, key=lambda cut: (abs(self._between(cut, place)), cut))
            edges.append(place)
        return self._apart(sorted(set(edges)))

    def roc_cuts(self, edges: Sequence[int]) -> list[int]:
        """Cuts between the points of the ROC curve, including those of the bins."""
        base = sorted({0, *self.fixed, *edges, len(self._below) - 1})
        room = max(1, MOST_POINTS - len(base))
        step = max(self._smallest, -(-self._subjects // room))
        cuts = set(base)
        for low, high in pairwise(base):
            cuts.update(self._divided(low, high, step))
        return self._apart(sorted(cuts))

    def _divided(self, low: int, high: int, step: int) -> Iterator[int]:
        """Cuts that divide a part into parts of at least `step` subjects."""
        last = low
        for place in range(low + 1, high):
            if self._between(last, place) >= step and self._between(place, high) >= step:
                last = place
                yield place

    def _apart(self, places: Iterable[int]) -> list[int]:
        """The cuts that leave the smallest group on either side."""
        kept = [0]
        for place in places:
            enough = self._between(kept[-1], place) >= self._smallest
            if enough and self._between(place, len(self._below) - 1) >= self._smallest:
                kept.append(place)
        return kept[1:]

    def _between(self, low: int, high: int) -> int:
        return int(self._below[high] - self._below[low])

    def _nearest(self, rank: float) -> int:
        after = int(np.searchsorted(self._below, rank))
        before = max(after - 1, 0)
        return min(before, after, key=lambda place: (abs(self._below[place] - rank), place))


def weight_below(weights: NDArray[Any]) -> NDArray[Any]:
    """Weight, or number, of the subjects below each cut; `[n + 1]` of `[n]`."""
    return np.concatenate([[0], np.cumsum(weights)])
