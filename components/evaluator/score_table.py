"""Predictions and outcomes of a group of subjects, as an exact table that can be merged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Number of subjects with and without the outcome at each distinct prediction.

    The table of a set of subjects is canonical (predictions rise, counts are integers), so results
    do not depend on the order in which rows or partial tables are merged, nor on the number of
    workers, to the last digit. It needs 20 bytes for each distinct prediction.

    Attributes:
        score: Distinct predictions, rising; float32 [n]. Not-a-number is last.
        negative: Subjects without the outcome at each; int64 [n].
        positive: Subjects with the outcome at each; int64 [n].
    """

    score: NDArray[np.float32]
    negative: NDArray[np.int64]
    positive: NDArray[np.int64]

    @classmethod
    def empty(cls) -> ScoreTable:
        """The table of no subjects."""
        none = np.zeros(0, np.int64)
        return cls(np.zeros(0, np.float32), none, none)

    @classmethod
    def of_rows(
        cls, score: NDArray[np.generic], label: NDArray[np.generic], known: NDArray[np.bool_]
    ) -> ScoreTable:
        """Makes a table from one row per subject.

        Args:
            score: Predicted probabilities; [n].
            label: 1 where the outcome occurred, otherwise 0; [n].
            known: Whether the outcome is known; the others are excluded; [n].

        Returns:
            The table of the subjects whose outcome is known.
        """
        outcome = label[known].astype(np.float64) > 0.5
        return _canonical(
            score[known].astype(np.float32),
            (~outcome).astype(np.int64),
            outcome.astype(np.int64),
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
        """True positives, false positives, true negatives and false negatives.

        Not-a-number if a prediction is missing.
        """
        if not self.valid:
            return math.nan, math.nan, math.nan, math.nan
        # float32 on both sides: a prediction of 0.7 must reach a threshold of 0.7.
        first = int(np.searchsorted(self.score, np.float32(threshold), side="left"))
        true = float(self.positive[first:].sum())
        false = float(self.negative[first:].sum())
        return true, false, self.negatives - false, self.positives - true


def _canonical(
    score: NDArray[np.float32], negative: NDArray[np.int64], positive: NDArray[np.int64]
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
    )
