"""Predictions of a group of subjects by models that never saw them, with their folds.

Every subject is one row, whatever the number of repeats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluator.score_table import ScoreTable
from pipeline.names import CHALLENGER

FOLD_SCORES = "fold_scores"
"""Key of the extract with `subject`, `fold` and `score` by task, as in `FoldScores`."""

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FoldScores:
    """Predictions of several models of the subjects whose outcome is known.

    The rows of a set of subjects are canonical (subjects rise), so results do not depend on the
    order in which parts are merged.

    Attributes:
        subject: Row of each subject in the `PredictionTable`, rising; int64 `[n]`.
        outcome: Whether the subject has the outcome; bool `[n]`.
        fold: Fold of the subject in each repeat; int16 `[n, repeats]`.
        score: Probabilities by model; float32 `[n, repeats]`, NaN where there is none.
    """

    subject: NDArray[np.int64]
    outcome: NDArray[np.bool_]
    fold: NDArray[np.int16]
    score: Mapping[str, NDArray[np.float32]]
    _of: dict[str, ModelScores] = field(default_factory=dict, repr=False)
    _pairs: dict[str, tuple[ModelScores, ModelScores]] = field(default_factory=dict, repr=False)

    @classmethod
    def empty(cls) -> FoldScores:
        """The scores of no subjects."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros((0, 0), np.int16), {})

    @classmethod
    def of_rows(
        cls,
        subject: NDArray[np.int64],
        label: NDArray[Any],
        known: NDArray[np.bool_],
        fold: NDArray[np.int16],
        score: Mapping[str, NDArray[np.float32]],
    ) -> FoldScores:
        """Takes the rows of subjects whose outcome is known.

        Args:
            subject: Row in the `PredictionTable`; `[n]`.
            label: 1 where the outcome occurred, otherwise 0; `[n]`.
            known: Whether the outcome is known; `[n]`.
            fold: `[n, repeats]`.
            score: By model, `[n, repeats]`.
        """
        return cls(
            subject[known],
            label[known].astype(np.float64) > 0.5,
            fold[known],
            {model: values[known] for model, values in score.items()},
        )._sorted()

    @classmethod
    def merged(cls, parts: Sequence[FoldScores]) -> FoldScores:
        """The scores of the subjects of all parts together."""
        filled = [part for part in parts if part.subjects]
        if not filled:
            return cls.empty()
        if len(filled) == 1:
            return filled[0]
        return cls(
            np.concatenate([part.subject for part in filled]),
            np.concatenate([part.outcome for part in filled]),
            np.concatenate([part.fold for part in filled]),
            {
                model: np.concatenate([part.score[model] for part in filled])
                for model in filled[0].score
            },
        )._sorted()

    @property
    def subjects(self) -> int:
        """Number of subjects."""
        return len(self.subject)

    @property
    def positives(self) -> int:
        """Number of subjects with the outcome."""
        return int(self.outcome.sum())

    def of(self, model: str) -> ModelScores:
        """The predictions of one model, in the repeats in which it predicts."""
        if model not in self._of:
            score = self.score.get(model, np.zeros((self.subjects, 0), np.float32))
            predicts = ~np.isnan(score).all(axis=0)
            # Sums depend on the order in memory.
            self._of[model] = ModelScores(
                self.outcome,
                np.ascontiguousarray(self.fold[:, predicts]),
                np.ascontiguousarray(score[:, predicts]),
            )
        return self._of[model]

    def paired(self, model: str) -> tuple[ModelScores, ModelScores]:
        """The challenger's and another model's predictions of the subjects that both predict.

        Args:
            model: Name of the other model.

        Returns:
            The challenger's and the other's, in the repeats in which the other predicts.
        """
        if model not in self._pairs:
            nothing = np.zeros((self.subjects, 0), np.float32)
            other = self.score.get(model, nothing)
            repeats = ~np.isnan(other).all(axis=0)
            rows = ~np.isnan(other[:, repeats]).any(axis=1) & repeats.any()
            own = self.score.get(CHALLENGER, nothing)
            if rows.all() and repeats.all() and not np.isnan(own).any():
                # What was measured of all subjects is not measured again.
                self._pairs[model] = self.of(CHALLENGER), self.of(model)
                return self._pairs[model]
            one, two = (
                ModelScores(
                    self.outcome[rows],
                    np.ascontiguousarray(self.fold[rows][:, repeats]),
                    np.ascontiguousarray(score[rows][:, repeats]),
                )
                for score in (own, other)
            )
            self._pairs[model] = one, two
        return self._pairs[model]

    def _sorted(self) -> FoldScores:
        order = np.argsort(self.subject, kind="stable")
        return FoldScores(
            self.subject[order],
            self.outcome[order],
            self.fold[order],
            {model: values[order] for model, values in self.score.items()},
        )


@dataclass(frozen=True, eq=False)
class ModelScores:
    """Predictions of one model.

    Attributes:
        outcome: Whether each subject has the outcome; bool `[n]`.
        fold: Fold of the subject in each repeat; int16 `[n, repeats]`.
        score: Probabilities; float32 `[n, repeats]`.
        measured: Metrics that are computed already, by statistic and decision threshold: those of
            a model are compared with those of every reference model.
    """

    outcome: NDArray[np.bool_]
    fold: NDArray[np.int16]
    score: NDArray[np.float32]
    measured: dict[tuple[str, float | None], float] = field(default_factory=dict, repr=False)

    @property
    def subjects(self) -> int:
        """Number of subjects."""
        return len(self.outcome)

    @property
    def positives(self) -> int:
        """Number of subjects with the outcome."""
        return int(self.outcome.sum())

    @property
    def first_repeat(self) -> ScoreTable:
        """The pooled predictions of the first repeat."""
        return self.repeats[0] if self.repeats else ScoreTable.empty()

    @cached_property
    def valid(self) -> bool:
        """Whether there are subjects and each has a prediction in every repeat."""
        return bool(self.score.size) and not bool(np.isnan(self.score).any())

    @cached_property
    def repeats(self) -> tuple[ScoreTable, ...]:
        """The pooled predictions of each repeat."""
        everyone = np.ones(len(self.outcome), np.bool_)
        return tuple(ScoreTable.of_rows(column, self.outcome, everyone) for column in self.score.T)

    @cached_property
    def probability(self) -> _FloatArray:
        """The predictions in double precision; float64 `[n, repeats]`."""
        return self.score.astype(np.float64)

    def confusion(self, threshold: float) -> tuple[float, float, float, float]:
        """True positives, false positives, true negatives and false negatives.

        Means over the repeats; not-a-number if a prediction is missing.
        """
        if not self.valid:
            return math.nan, math.nan, math.nan, math.nan
        reached = self.score >= np.float32(threshold)
        repeats = self.score.shape[1]
        positives = int(self.outcome.sum())
        true = int(reached[self.outcome].sum()) / repeats
        false = int(reached[~self.outcome].sum()) / repeats
        return true, false, len(self.outcome) - positives - false, positives - true

    @cached_property
    def strata(self) -> Strata:
        """Subjects at each distinct prediction of each fold and repeat."""
        return Strata.of(self)


@dataclass(frozen=True, eq=False)
class Strata:
    """Subjects with and without the outcome at each distinct prediction of a fold in a repeat.

    Attributes:
        repeat: Repeat of each entry, rising; int64 `[m]`.
        first: Entry at which each fold of a repeat begins; int64 `[folds]`.
        negative: Subjects without the outcome; int64 `[m]`, predictions rise within a fold.
        positive: Subjects with the outcome; int64 `[m]`.
    """

    repeat: NDArray[np.int64]
    first: NDArray[np.int64]
    negative: NDArray[np.int64]
    positive: NDArray[np.int64]

    @classmethod
    def of(cls, scores: ModelScores) -> Strata:
        """Counts the subjects of valid scores."""
        subjects, repeats = scores.score.shape
        repeat = np.repeat(np.arange(repeats), subjects)
        fold = scores.fold.T.ravel().astype(np.int64)
        score = scores.score.T.ravel()
        positive = np.tile(scores.outcome, repeats).astype(np.int64)
        order = np.lexsort((score, fold, repeat))
        repeat, fold, score, positive = (
            repeat[order],
            fold[order],
            score[order],
            positive[order],
        )
        other_fold = np.ones(len(order), np.bool_)
        other_fold[1:] = (repeat[1:] != repeat[:-1]) | (fold[1:] != fold[:-1])
        other = other_fold.copy()
        other[1:] |= score[1:] != score[:-1]
        entries = np.flatnonzero(other)
        return cls(
            repeat[entries],
            np.flatnonzero(other_fold[entries]),
            np.add.reduceat(1 - positive, entries),
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

    def from_here(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Subjects of the fold at an entry and at those with higher predictions; `[m]`."""
        before = np.cumsum(counts) - counts
        return np.asarray(self.spread(self.per_fold(counts) + before[self.first]) - before)

    def per_repeat(self, values: NDArray[Any]) -> _FloatArray:
        """Sums of each repeat; float64 `[repeats]`."""
        return np.bincount(self.repeat, weights=values).astype(np.float64)
