"""Subjects of a fold in order of their predictions: what areas under curves are counted from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.results.predictions import NOT_IN_REPEAT

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Strata:
    """Weight of the subjects with and without the outcome at each prediction of a fold in a repeat.

    Attributes:
        repeat: Repeat of each entry, rising; int64 `[m]`.
        first: Entry at which each fold of a repeat begins; int64 `[folds]`.
        negative: Weight of those without the outcome; `[m]`, predictions rise within a fold. Their
            number, int64, if unweighted.
        positive: Weight of those with the outcome; `[m]`, likewise.
    """

    repeat: NDArray[np.int64]
    first: NDArray[np.int64]
    negative: NDArray[Any]
    positive: NDArray[Any]

    @classmethod
    def of(
        cls,
        outcome: NDArray[np.bool_],
        fold: NDArray[np.int16],
        score: NDArray[np.float32],
        weight: _FloatArray | None,
    ) -> Strata:
        """Sums the weights of subjects, each of which has a prediction in every repeat.

        Args:
            outcome: Whether each has the outcome; `[n]`.
            fold: Fold in each repeat; `[n, repeats]`.
            score: Probabilities; `[n, repeats]`.
            weight: Weight of each, `[n]`; None where each has weight 1.
        """
        repeats = score.shape[1]
        score_of: NDArray[Any] = score.T.ravel()
        # A number of 16 bits is sorted in a time proportional to its rows.
        folds = int(fold.max()) - NOT_IN_REPEAT + 1
        small = np.int16 if repeats * folds <= np.iinfo(np.int16).max else np.int64
        place: NDArray[Any] = fold.astype(small)
        before: NDArray[Any] = (folds * np.arange(repeats)).astype(small)
        stratum = (place - NOT_IN_REPEAT + before).T.ravel()
        positive: NDArray[Any] = np.tile(outcome, repeats).astype(np.int64)
        negative = 1 - positive
        if weight is not None:
            own = np.tile(weight, repeats)
            negative, positive = own * negative, own * positive
        order = np.argsort(score_of, kind="stable")
        order = order[np.argsort(stratum[order], kind="stable")]
        stratum, score_of, negative, positive = (
            column[order] for column in (stratum, score_of, negative, positive)
        )
        other_fold = np.ones(len(order), np.bool_)
        other_fold[1:] = stratum[1:] != stratum[:-1]
        other = other_fold.copy()
        other[1:] |= score_of[1:] != score_of[:-1]
        entries = np.flatnonzero(other)
        return cls(
            stratum[entries].astype(np.int64) // folds,
            np.flatnonzero(other_fold[entries]),
            np.add.reduceat(negative, entries),
            np.add.reduceat(positive, entries),
        )

    @cached_property
    def _entries(self) -> NDArray[np.int64]:
        """Number of entries of each fold; int64 `[folds]`."""
        return np.diff(self.first, append=len(self.repeat))

    def per_fold(self, values: NDArray[Any]) -> NDArray[Any]:
        """Sums of each fold of each repeat; `[folds]`."""
        return np.asarray(np.add.reduceat(values, self.first))

    def spread(self, of_fold: NDArray[Any]) -> NDArray[Any]:
        """A number of each fold at each of its entries; `[m]`."""
        return np.repeat(of_fold, self._entries)

    def from_here(self, counts: NDArray[Any]) -> NDArray[Any]:
        """Weight of a fold's subjects at an entry and at those with higher predictions; `[m]`."""
        before = np.cumsum(counts) - counts
        return np.asarray(self.spread(self.per_fold(counts) + before[self.first]) - before)

    def per_repeat(self, values: NDArray[Any]) -> _FloatArray:
        """Sums of each repeat; float64 `[repeats]`."""
        return np.bincount(self.repeat, weights=values).astype(np.float64)
