"""The pooled predictions of every repeat, as score tables that are computed at once.

Metrics are computed for each model, slice and jackknife sample, mostly of few subjects: calling a
function for each repeat takes longer than its numbers do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluator.logistic_slope import logistic_slopes
from components.evaluator.performance import CALIBRATION_BINS, calibration_bins, logit_bins
from pipeline.log_odds import log_odds

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RepeatTables:
    """A `ScoreTable` for each repeat, one after another; all have the same subjects.

    Attributes:
        start: Entry at which each repeat begins; int64 `[repeats]`.
        score: Distinct predictions, rising within a repeat; float32 `[m]`.
        negative: Weight of the subjects without the outcome at each; `[m]`. Their number, int64, if
            unweighted.
        positive: Weight of those with it; `[m]`, likewise.
    """

    start: NDArray[np.int64]
    score: NDArray[np.float32]
    negative: NDArray[Any]
    positive: NDArray[Any]

    @classmethod
    def of(
        cls, outcome: NDArray[np.bool_], score: NDArray[np.float32], weight: _FloatArray | None
    ) -> RepeatTables:
        """Sums the weights of subjects, each of which has a prediction in every repeat.

        Args:
            outcome: Whether each has the outcome; `[n]`, at least one.
            score: Probabilities; `[n, repeats]`.
            weight: Weight of each, `[n]`; None where each has weight 1.
        """
        order = np.argsort(score.T, axis=1, kind="stable")
        ordered = np.take_along_axis(score.T, order, axis=1)
        distinct = np.ones(ordered.shape, np.bool_)
        np.not_equal(ordered[:, 1:], ordered[:, :-1], out=distinct[:, 1:])
        entries = np.flatnonzero(distinct)
        positive: NDArray[Any] = outcome.astype(np.int64)
        negative: NDArray[Any] = 1 - positive
        if weight is not None:
            negative, positive = weight * negative, weight * positive
        lengths = np.count_nonzero(distinct, axis=1)
        return cls(
            np.cumsum(lengths) - lengths,
            ordered.ravel()[entries],
            np.add.reduceat(negative[order].ravel(), entries),
            np.add.reduceat(positive[order].ravel(), entries),
        )

    @cached_property
    def _repeat(self) -> NDArray[np.int64]:
        """Repeat of each entry; int64 `[m]`."""
        lengths = np.diff(self.start, append=len(self.score))
        return np.repeat(np.arange(len(self.start)), lengths)

    @cached_property
    def _weight(self) -> NDArray[Any]:
        return self.negative + self.positive

    @cached_property
    def _probability(self) -> _FloatArray:
        return self.score.astype(np.float64)

    def expected_calibration_errors(self) -> _FloatArray:
        """`performance.expected_calibration_error` of each repeat; float64 `[repeats]`."""
        repeats, weight = len(self.start), self._weight
        everyone = float(weight.sum()) / repeats
        up_to = np.cumsum(weight)
        before = (up_to - weight)[self.start]
        middle = up_to - before[self._repeat] - weight / 2
        bins = calibration_bins(middle, everyone) + CALIBRATION_BINS * self._repeat
        predicted, observed = (
            np.bincount(bins, weights=of, minlength=repeats * CALIBRATION_BINS)
            for of in (weight * self._probability, self.positive)
        )
        distance = np.abs(predicted - observed).reshape(repeats, CALIBRATION_BINS)
        return np.asarray(distance.sum(axis=1) / everyone)

    def calibration_slopes(self) -> _FloatArray:
        """`performance.calibration_slope` of each repeat; float64 `[repeats]`."""
        slopes = np.full(len(self.start), np.nan)
        fitted = ~self._separated()
        if fitted.any():
            columns, lengths = self._logit_histograms()
            longest = int(lengths[fitted].max())
            slopes[fitted] = logistic_slopes(*(of[fitted, :longest] for of in columns))
        return slopes

    def _separated(self) -> NDArray[np.bool_]:
        """Whether a repeat's predictions separate the outcomes, or all subjects have the same."""
        lowest, highest = (
            [
                of.reduceat(np.where(side > 0, self.score, beyond), self.start)
                for side in (self.negative, self.positive)
            ]
            for of, beyond in ((np.minimum, np.inf), (np.maximum, -np.inf))
        )
        return (highest[0] <= lowest[1]) | (highest[1] <= lowest[0])

    def _logit_histograms(self) -> tuple[list[_FloatArray], NDArray[np.int64]]:
        """`performance.logit_histogram` of each repeat.

        Returns:
            Its columns, filled up with zeros, float64 `[repeats, longest]`; and its bins in each
            repeat, int64 `[repeats]`.
        """
        logit = log_odds(self._probability)
        bins = logit_bins(logit)
        begins = np.ones(len(bins), np.bool_)
        np.not_equal(bins[1:], bins[:-1], out=begins[1:])
        begins[self.start] = True
        of_entry = np.cumsum(begins) - 1
        repeat, first = self._repeat[begins], of_entry[self.start]
        lengths = np.diff(first, append=len(repeat))
        place = repeat, np.arange(len(repeat)) - first[repeat]
        count, positive, total = (
            np.bincount(of_entry, weights=of)
            for of in (self._weight, self.positive, self._weight * logit)
        )
        columns = []
        for values in (total / count, count, positive):
            filled = np.zeros((len(self.start), int(lengths.max())))
            filled[place] = values
            columns.append(filled)
        return columns, lengths
