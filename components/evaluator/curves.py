"""Calibration curve, ROC curve and confusion matrices of a group of subjects.

They go into `curves.json`, in the `verdict` output beside `metrics.json`:

    {"smallest_group": 100,
     "curves": [
       {"task": "dead_14_days", "slice": {"sex": "F"}, "model": "challenger",
        "subjects": 1804, "positives": 211,
        "calibration": [{"mean_prediction": 0.021, "observed_rate": 0.017, "lower": 0.007,
                         "upper": 0.039, "subjects": 180}, ...],
        "roc": [{"threshold": 1.0, "false_positive_rate": 0.0, "true_positive_rate": 0.0}, ...],
        "confusion": [{"decision_threshold": 0.1, "true_positives": 170, "false_positives": 540,
                       "true_negatives": 1053, "false_negatives": 41}, ...]}]}

`slice` is empty for all subjects, `model` is `challenger` or `champion`. Calibration bins have
rising predictions and about equally many subjects, ten where the group is large enough; the
interval is Wilson's of 95 %. The ROC curve starts at 0 and ends at 1; it is empty where all
subjects have the same outcome or are too few for a point in between. Lists are empty if a
prediction is not a number. Only groups that `metrics.json` shows are there.

No number concerns fewer subjects than the smallest group, not even by subtraction: the subjects
in order of their predictions are cut once, at the decision thresholds (whose rates
`metrics.json` gives) and elsewhere so that each part holds the smallest group, and all bins and
points begin and end at these cuts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluator.performance import CALIBRATION_BINS
from components.evaluator.score_table import ScoreTable
from pipeline.estimates import wilson_interval_of_bin
from pipeline.results.documents import CalibrationBin, Confusion, RocPoint

MOST_POINTS = 100
"""Largest number of points of a ROC curve, including its ends."""

_THRESHOLD_DIGITS = 4


@dataclass(frozen=True)
class Curves:
    """The curves of a group, as in `curves.json`; see this module's docstring."""

    calibration: tuple[CalibrationBin, ...]
    roc: tuple[RocPoint, ...]
    confusion: tuple[Confusion, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON-like content."""
        return {
            "calibration": [item.model_dump() for item in self.calibration],
            "roc": [item.model_dump() for item in self.roc],
            "confusion": [item.model_dump() for item in self.confusion],
        }


def curves_of(table: ScoreTable, decision_thresholds: Sequence[float], smallest: int) -> Curves:
    """Computes the curves of a group.

    Args:
        table: Predictions and outcomes of its subjects.
        decision_thresholds: Probabilities from which a prediction is positive.
        smallest: Fewest subjects that a bin or a step between two points holds.

    Returns:
        The curves.
    """
    if table.subjects < smallest or np.isnan(table.score[-1]):
        return Curves((), (), ())
    thresholds = sorted(set(decision_thresholds))
    cuts = _Cuts(table, thresholds, smallest)
    edges = cuts.calibration_edges()
    return Curves(
        calibration=tuple(_bins(table, edges)),
        roc=tuple(_roc(table, cuts.roc_cuts(edges), cuts.fixed)),
        confusion=tuple(_confusion(table, threshold) for threshold in thresholds),
    )


class _Cuts:
    """Cuts of the subjects in order of their predictions.

    A cut is an index of the score table: the predictions before it are lower.

    Attributes:
        fixed: Decision threshold of each cut that is made by one.
    """

    def __init__(self, table: ScoreTable, thresholds: Sequence[float], smallest: int) -> None:
        self._smallest = smallest
        self._below = _below(table.count)
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


def _bins(table: ScoreTable, edges: Sequence[int]) -> Iterator[CalibrationBin]:
    starts = np.array([0, *edges])
    subjects = np.add.reduceat(table.count, starts)
    positives = np.add.reduceat(table.positive, starts)
    predicted = np.add.reduceat(table.count * table.probability, starts)
    for count, positive, total in zip(subjects, positives, predicted, strict=True):
        lower, upper = wilson_interval_of_bin(positive, count)
        yield CalibrationBin(
            mean_prediction=float(total / count),
            observed_rate=float(positive / count),
            lower=lower,
            upper=upper,
            subjects=int(count),
        )


def _roc(table: ScoreTable, cuts: Sequence[int], fixed: dict[int, float]) -> Iterator[RocPoint]:
    if not (cuts and table.positives and table.negatives):
        return
    true = (table.positives - _below(table.positive)) / table.positives
    false = (table.negatives - _below(table.negative)) / table.negatives
    yield RocPoint(threshold=1.0, false_positive_rate=0.0, true_positive_rate=0.0)
    for cut in reversed(cuts):
        threshold = fixed.get(cut, round(float(table.probability[cut]), _THRESHOLD_DIGITS))
        yield RocPoint(
            threshold=threshold,
            false_positive_rate=float(false[cut]),
            true_positive_rate=float(true[cut]),
        )
    yield RocPoint(threshold=0.0, false_positive_rate=1.0, true_positive_rate=1.0)


def _below(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)])


def _confusion(table: ScoreTable, threshold: float) -> Confusion:
    first = int(np.searchsorted(table.score, np.float32(threshold), side="left"))
    true, false = int(table.positive[first:].sum()), int(table.negative[first:].sum())
    return Confusion(
        decision_threshold=threshold,
        true_positives=true,
        false_positives=false,
        true_negatives=table.negatives - false,
        false_negatives=table.positives - true,
    )
