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

from components.evaluator.repeat_tables import RepeatTables
from components.evaluator.score_table import ScoreTable
from components.evaluator.strata import Strata
from pipeline.names import CHALLENGER
from pipeline.weights import effective_number, is_weighted

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
        weight: Weight of the subject; float64 `[n]`, None where each has weight 1.
        measured: Metrics of intervals and sets that are computed already.
    """

    subject: NDArray[np.int64]
    outcome: NDArray[np.bool_]
    fold: NDArray[np.int16]
    score: Mapping[str, NDArray[np.float32]]
    weight: _FloatArray | None = None
    measured: dict[str, float] = field(default_factory=dict, repr=False)
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
        weight: NDArray[Any],
        fold: NDArray[np.int16],
        score: Mapping[str, NDArray[np.float32]],
    ) -> FoldScores:
        """Takes the rows of subjects whose outcome is known.

        Args:
            subject: Row in the `PredictionTable`; `[n]`.
            label: 1 where the outcome occurred, otherwise 0; `[n]`.
            weight: Weight of the subject, or whether its outcome is known; those with 0 are
                excluded; `[n]`.
            fold: `[n, repeats]`.
            score: By model, `[n, repeats]`.
        """
        known = weight > 0
        return cls(
            subject[known],
            label[known].astype(np.float64) > 0.5,
            fold[known],
            {model: values[known] for model, values in score.items()},
            weight[known].astype(np.float64) if is_weighted(weight) else None,
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
            _concatenated(filled),
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
                self.weight,
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
                    None if self.weight is None else self.weight[rows],
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
            None if self.weight is None else self.weight[order],
        )


def _concatenated(parts: Sequence[FoldScores]) -> _FloatArray | None:
    if all(part.weight is None for part in parts):
        return None
    return np.concatenate(
        [np.ones(part.subjects) if part.weight is None else part.weight for part in parts]
    )


@dataclass(frozen=True, eq=False)
class ModelScores:
    """Predictions of one model.

    Attributes:
        outcome: Whether each subject has the outcome; bool `[n]`.
        fold: Fold of the subject in each repeat; int16 `[n, repeats]`.
        score: Probabilities; float32 `[n, repeats]`.
        weight: Weight of the subject; float64 `[n]`, None where each has weight 1.
        measured: Metrics that are computed already, by statistic and decision threshold: those of
            a model are compared with those of every reference model.
    """

    outcome: NDArray[np.bool_]
    fold: NDArray[np.int16]
    score: NDArray[np.float32]
    weight: _FloatArray | None = None
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
        return self._table(self.score[:, 0]) if self.score.shape[1] else ScoreTable.empty()

    @cached_property
    def valid(self) -> bool:
        """Whether there are subjects and each has a prediction in every repeat."""
        return bool(self.score.size) and not bool(np.isnan(self.score).any())

    @cached_property
    def repeats(self) -> tuple[ScoreTable, ...]:
        """The pooled predictions of each repeat."""
        return tuple(map(self._table, self.score.T))

    def _table(self, column: NDArray[np.float32]) -> ScoreTable:
        weight = np.ones(len(self.outcome), np.bool_) if self.weight is None else self.weight
        return ScoreTable.of_rows(column, self.outcome, weight)

    @cached_property
    def probability(self) -> _FloatArray:
        """The predictions in double precision; float64 `[n, repeats]`."""
        return self.score.astype(np.float64)

    def confusion(self, threshold: float) -> tuple[float, float, float, float]:
        """Weight of true positives, false positives, true negatives and false negatives.

        Means over the repeats; not-a-number if a prediction is missing.
        """
        if not self.valid:
            return math.nan, math.nan, math.nan, math.nan
        reached = (self.score >= np.float32(threshold)).sum(axis=1)
        repeats = self.score.shape[1]
        times = reached if self.weight is None else reached * self.weight
        true = float(times[self.outcome].sum()) / repeats
        false = float(times[~self.outcome].sum()) / repeats
        return true, false, self.all_negative - false, self.all_positive - true

    @property
    def all_positive(self) -> float:
        """Weight of all subjects with the outcome."""
        return self._weight_of(self.outcome)

    @property
    def all_negative(self) -> float:
        """Weight of all subjects without the outcome."""
        return self._weight_of(~self.outcome)

    @property
    def effective_positives(self) -> float:
        """Effective number of the subjects with the outcome; their number if unweighted."""
        return self._effective(self.outcome)

    @property
    def effective_negatives(self) -> float:
        """Effective number of the subjects without the outcome; their number if unweighted."""
        return self._effective(~self.outcome)

    def _weight_of(self, rows: NDArray[np.bool_]) -> float:
        return float(rows.sum() if self.weight is None else self.weight[rows].sum())

    def _effective(self, rows: NDArray[np.bool_]) -> float:
        return float(rows.sum()) if self.weight is None else effective_number(self.weight[rows])

    def mean(self, values: NDArray[Any]) -> float:
        """Weighted mean over subjects and repeats.

        Args:
            values: Number `[n, repeats]`.
        """
        if self.weight is None:
            return float(np.mean(values))
        total = float(np.sum(self.weight[:, None] * values))
        return total / (float(self.weight.sum()) * values.shape[1])

    @cached_property
    def tables(self) -> RepeatTables:
        """The pooled predictions of all repeats; for scores that are `valid`."""
        return RepeatTables.of(self.outcome, self.score, self.weight)

    @cached_property
    def strata(self) -> Strata:
        """Subjects at each distinct prediction of each fold and repeat."""
        return Strata.of(self.outcome, self.fold, self.score, self.weight)
