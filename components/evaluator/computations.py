"""TFMA's computations of a metric: what is collected of each group, and the value of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.evaluator.fold_scores import FOLD_SCORES, FoldScores, ModelScores
from components.evaluator.jackknife import FULL_SAMPLE
from components.evaluator.score_table import ScoreTable
from pipeline import names
from pipeline.names import CHALLENGER

_TABLE_NAME = "_score_table"
_FOLD_SCORES_NAME = "_fold_scores"
_MOST_PENDING_TABLES = 64

Scores = ScoreTable | ModelScores
Statistic = Callable[[Scores, FoldScores | None], float | str]
"""A metric of the challenger's scores, or of those of all models."""


def computations_of(
    statistic: Statistic,
    folds: bool,
    others: bool = False,
    only_full_sample: bool = False,
) -> Callable[..., metric_types.MetricComputations]:
    """Computations of a metric.

    Args:
        statistic: Its value.
        folds: Whether the challenger's predictions were made out of fold.
        others: Whether it needs predictions of other models.
        only_full_sample: Whether it has no interval, so that it is not computed of samples.
    """

    def computations(
        name: str, model_name: str = "", output_name: str = "", example_weighted: bool = False
    ) -> metric_types.MetricComputations:
        def key_of(name: str) -> metric_types.MetricKey:
            return metric_types.MetricKey(
                name=name,
                model_name=model_name,
                output_name=output_name,
                example_weighted=example_weighted,
            )

        table_key, scores_key = key_of(_TABLE_NAME), key_of(_FOLD_SCORES_NAME)

        def result(computed: metric_types.MetricsDict) -> metric_types.MetricsDict:
            if only_full_sample and FULL_SAMPLE not in computed:
                return {}
            all_scores = computed.get(scores_key)
            scores = all_scores.of(CHALLENGER) if folds else computed[table_key]
            return {key_of(name): statistic(scores, all_scores)}

        tables = [] if folds else [combined(table_key, _ScoreTableCombiner(table_key))]
        if folds or others:
            tables.append(combined(scores_key, _FoldScoresCombiner(scores_key)))
        return [
            *tables,
            metric_types.DerivedMetricComputation(keys=[key_of(name)], result=result),
        ]

    return metric_util.merge_per_key_computations(computations)


def combined(
    key: metric_types.MetricKey, combiner: beam.CombineFn
) -> metric_types.MetricComputation:
    """A computation of a group's rows, with the subjects' hashes."""
    return metric_types.MetricComputation(
        keys=[key], preprocessors=[_with_subject_hash()], combiner=combiner
    )


def _with_subject_hash() -> metric_types.StandardMetricInputsPreprocessor:
    """Keeps the subject's hash, which determines the jackknife group, and its folds."""
    return metric_types.StandardMetricInputsPreprocessor(
        include_filter={constants.FEATURES_KEY: {names.SUBJECT_HASH: {}}, FOLD_SCORES: {}}
    )


_Part = TypeVar("_Part")


class Combiner(beam.CombineFn, Generic[_Part]):
    """Collects parts; an accumulator is a tuple of parts that are not merged yet."""

    def __init__(self, key: metric_types.MetricKey) -> None:
        self._key = key

    def create_accumulator(self) -> tuple[_Part, ...]:
        """No parts."""
        return ()

    def add_input(
        self, accumulator: tuple[_Part, ...], element: metric_types.StandardMetricInputs
    ) -> tuple[_Part, ...]:
        """One part more."""
        longer = (*accumulator, self._part(element))
        return longer if len(longer) < _MOST_PENDING_TABLES else self.compact(longer)

    def merge_accumulators(self, accumulators: Iterable[tuple[_Part, ...]]) -> tuple[_Part, ...]:
        """One part of all."""
        return self.compact(tuple(part for parts in accumulators for part in parts))

    def compact(self, accumulator: tuple[_Part, ...]) -> tuple[_Part, ...]:
        """The parts merged into one."""
        return (self._merged(accumulator),)

    def extract_output(self, accumulator: tuple[_Part, ...]) -> metric_types.MetricsDict:
        """The merged part, as the value of the key."""
        return {self._key: self._merged(accumulator)}

    def rows(self, kind: str, element: metric_types.StandardMetricInputs) -> NDArray[Any]:
        """A column of some rows, such as their labels; [n]."""
        return np.ravel(element.get_by_key(kind, self._key.model_name, self._key.output_name))

    def _weight(self, element: metric_types.StandardMetricInputs) -> NDArray[Any]:
        return self.rows(constants.EXAMPLE_WEIGHTS_KEY, element)

    def _part(self, element: metric_types.StandardMetricInputs) -> _Part:
        raise NotImplementedError

    def _merged(self, parts: tuple[_Part, ...]) -> _Part:
        raise NotImplementedError


class _ScoreTableCombiner(Combiner[ScoreTable]):
    """Collects score tables."""

    def _part(self, element: metric_types.StandardMetricInputs) -> ScoreTable:
        score = self.rows(constants.PREDICTIONS_KEY, element)
        label = self.rows(constants.LABELS_KEY, element)
        return ScoreTable.of_rows(score, label, self._weight(element))

    def _merged(self, parts: tuple[ScoreTable, ...]) -> ScoreTable:
        return ScoreTable.merged(parts)


class _FoldScoresCombiner(Combiner[FoldScores]):
    """Collects predictions with their folds."""

    def _part(self, element: metric_types.StandardMetricInputs) -> FoldScores:
        found = element[FOLD_SCORES]
        score = found["score"].get(self._key.output_name, {})
        if CHALLENGER not in score:
            # On a test split the model itself has predicted.
            own = self.rows(constants.PREDICTIONS_KEY, element).astype(np.float32)
            score = {CHALLENGER: np.repeat(own[:, None], found["fold"].shape[1], axis=1), **score}
        return FoldScores.of_rows(
            subject=found["subject"],
            label=self.rows(constants.LABELS_KEY, element),
            weight=self._weight(element),
            fold=found["fold"],
            score=score,
        )

    def _merged(self, parts: tuple[FoldScores, ...]) -> FoldScores:
        return FoldScores.merged(parts)
