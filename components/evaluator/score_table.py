"""Predictions and outcomes of a group of subjects, as an exact table that can be merged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.weights import effective_size, is_weighted

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WeightSums:
    """Sums over the subjects at each distinct prediction.

    Attributes:
        negative: Weights of the subjects without the outcome; float64 [n].
        positive: Weights of those with it; float64 [n].
        negative_squares: Squares of the weights of those without it; float64 [n].
        positive_squares: Squares of the weights of those with it; float64 [n].
    """

    negative: _FloatArray
    positive: _FloatArray
    negative_squares: _FloatArray
    positive_squares: _FloatArray

    @property
    def columns(self) -> tuple[_FloatArray, ...]:
        """All sums."""
        return self.negative, self.positive, self.negative_squares, self.positive_squares


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Number of subjects with and without the outcome at each distinct prediction.

    The table of a set of subjects is canonical (predictions rise, counts are integers, sums of
    weights are exact: see `pipeline.weights`), so results do not depend on the order in which rows
    or partial tables are merged, nor on the number of workers, to the last digit. It needs 20 bytes
    for each distinct prediction, and 32 more where subjects are weighted.

    Numbers of subjects and what may be shown follow from the counts; metrics from the weights.

    Attributes:
        score: Distinct predictions, rising; float32 [n]. Not-a-number is last.
        negative: Subjects without the outcome at each; int64 [n].
        positive: Subjects with the outcome at each; int64 [n].
        sums: Sums of weights; None where each subject has weight 1.
    """

    score: NDArray[np.float32]
    negative: NDArray[np.int64]
    positive: NDArray[np.int64]
    sums: WeightSums | None = None

    @classmethod
    def empty(cls) -> ScoreTable:
        """The table of no subjects."""
        none = np.zeros(0, np.int64)
        return cls(np.zeros(0, np.float32), none, none)

    @classmethod
    def of_rows(
        cls, score: NDArray[np.generic], label: NDArray[np.generic], weight: NDArray[Any]
    ) -> ScoreTable:
        """Makes a table from one row per subject.

        Args:
            score: Predicted probabilities; [n].
            label: 1 where the outcome occurred, otherwise 0; [n].
            weight: Weight of the subject, or whether its outcome is known; those with 0 are
                excluded; [n].

        Returns:
            The table of the subjects whose outcome is known.
        """
        known = weight > 0
        outcome = label[known].astype(np.float64) > 0.5
        sums = None
        if is_weighted(weight):
            own = weight[known].astype(np.float64)
            columns = [np.where(side, own, 0.0) for side in (~outcome, outcome)]
            sums = WeightSums(*columns, *(column * column for column in columns))
        return _canonical(
            score[known].astype(np.float32),
            (~outcome).astype(np.int64),
            outcome.astype(np.int64),
            sums,
        )

    @classmethod
    def merged(cls, tables: Sequence[ScoreTable]) -> ScoreTable:
        """The table of the subjects of all given tables together."""
        filled = [table for table in tables if len(table.score)]
        if not filled:
            return cls.empty()
        if len(filled) == 1:
            return filled[0]
        return _canonical(
            np.concatenate([table.score for table in filled]),
            np.concatenate([table.negative for table in filled]),
            np.concatenate([table.positive for table in filled]),
            _concatenated(filled),
        )

    @cached_property
    def count(self) -> NDArray[np.int64]:
        """Subjects at each prediction; int64 [n]."""
        return self.negative + self.positive

    @cached_property
    def subjects(self) -> int:
        """Number of subjects."""
        return int(self.count.sum())

    @cached_property
    def positives(self) -> int:
        """Number of subjects with the outcome."""
        return int(self.positive.sum())

    @property
    def negatives(self) -> int:
        """Number of subjects without the outcome."""
        return self.subjects - self.positives

    @property
    def negative_weight(self) -> NDArray[Any]:
        """Weight of the subjects without the outcome at each prediction; [n]."""
        return self.sums.negative if self.sums else self.negative

    @property
    def positive_weight(self) -> NDArray[Any]:
        """Weight of the subjects with the outcome at each prediction; [n]."""
        return self.sums.positive if self.sums else self.positive

    @cached_property
    def weight(self) -> NDArray[Any]:
        """Weight of the subjects at each prediction; [n]."""
        return self.negative_weight + self.positive_weight

    @cached_property
    def squares(self) -> NDArray[Any]:
        """Sum of the squared weights at each prediction; [n]."""
        sums = self.sums
        return sums.negative_squares + sums.positive_squares if sums else self.count

    @cached_property
    def all_negative(self) -> float:
        """Weight of all subjects without the outcome."""
        return float(self.negative_weight.sum())

    @cached_property
    def all_positive(self) -> float:
        """Weight of all subjects with the outcome."""
        return float(self.positive_weight.sum())

    @cached_property
    def everyone(self) -> float:
        """Weight of all subjects."""
        return float(self.weight.sum())

    @cached_property
    def effective_positives(self) -> float:
        """Effective number of the subjects with the outcome; their number if unweighted."""
        if self.sums is None:
            return float(self.positives)
        return effective_size(self.all_positive, float(self.sums.positive_squares.sum()))

    @cached_property
    def effective_negatives(self) -> float:
        """Effective number of the subjects without the outcome; their number if unweighted."""
        if self.sums is None:
            return float(self.negatives)
        return effective_size(self.all_negative, float(self.sums.negative_squares.sum()))

    @cached_property
    def probability(self) -> _FloatArray:
        """The predictions in double precision; float64 [n]."""
        return self.score.astype(np.float64)

    @property
    def valid(self) -> bool:
        """Whether there are subjects and each has a prediction."""
        # Not-a-number sorts last.
        return bool(self.subjects) and not np.isnan(self.score[-1])

    def confusion(self, threshold: float) -> tuple[float, float, float, float]:
        """Weight of true positives, false positives, true negatives and false negatives.

        Not-a-number if a prediction is missing.
        """
        if not self.valid:
            return math.nan, math.nan, math.nan, math.nan
        # float32 on both sides: a prediction of 0.7 must reach a threshold of 0.7.
        first = int(np.searchsorted(self.score, np.float32(threshold), side="left"))
        positive, negative = self.positive_weight, self.negative_weight
        return (
            float(positive[first:].sum()),
            float(negative[first:].sum()),
            float(negative[:first].sum()),
            float(positive[:first].sum()),
        )


def _concatenated(tables: Sequence[ScoreTable]) -> WeightSums | None:
    if all(table.sums is None for table in tables):
        return None
    columns = [
        # Without weights each subject has weight 1.
        (table.sums.columns if table.sums else (table.negative, table.positive) * 2)
        for table in tables
    ]
    return WeightSums(
        *(np.concatenate(parts, dtype=np.float64) for parts in zip(*columns, strict=True))
    )


def _canonical(
    score: NDArray[np.float32],
    negative: NDArray[np.int64],
    positive: NDArray[np.int64],
    sums: WeightSums | None,
) -> ScoreTable:
    if not len(score):
        return ScoreTable.empty()
    # Merged parts are sorted runs, which the stable sort only has to merge.
    order = np.argsort(score, kind="stable")
    score = score[order]
    distinct = np.ones(len(score), np.bool_)
    np.not_equal(score[1:], score[:-1], out=distinct[1:])
    first = np.flatnonzero(distinct)
    return ScoreTable(
        score[first],
        np.add.reduceat(negative[order], first),
        np.add.reduceat(positive[order], first),
        sums and WeightSums(*(np.add.reduceat(column[order], first) for column in sums.columns)),
    )
