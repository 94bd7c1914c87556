"""TFMA metrics over exact score tables.

TFMA has some of these metrics, but computes them row by row in Python, for each metric and slice,
from predictions rounded to equally spaced thresholds. Here all metrics of a task share one
accumulator, which takes any number of rows at once and keeps every distinct prediction
(`components.evaluator.score_table`); intervals, slices and differences between models remain
TFMA's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.evaluator.cross_fitted import measure
from components.evaluator.curves import curves_of, fold_curves_of
from components.evaluator.fold_scores import FOLD_SCORES, FoldScores, ModelScores
from components.evaluator.jackknife import FULL_SAMPLE
from components.evaluator.score_table import ScoreTable
from pipeline import names
from pipeline.names import CHALLENGER

_TABLE_NAME = "_score_table"
_FOLD_SCORES_NAME = "_fold_scores"
_MOST_PENDING_TABLES = 64

_Scores = ScoreTable | ModelScores
_Statistic = Callable[[_Scores, FoldScores | None], float | str]


class _OfScores(metric_types.Metric):
    """A metric with the arguments of its constructor."""

    def __init__(self, function: _Statistic, name: str, /, **arguments: Any) -> None:
        folds, reference = bool(arguments.get("folds")), "reference" in arguments
        super().__init__(_computations_of(function, folds, reference), name=name)
        self._config = {"name": name, **arguments}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for serialization."""
        return dict(self._config)


class ProbabilityMetric(_OfScores):
    """A metric of probabilities: ranking, calibration, likelihood."""

    def __init__(self, name: str, statistic: str, folds: bool = False) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            statistic: A function of `components.evaluator.performance` of one table.
            folds: Whether the predictions were made out of fold.
        """
        super().__init__(
            lambda scores, _: measure(statistic, scores), name, statistic=statistic, folds=folds
        )


class DecisionMetric(_OfScores):
    """A metric of the decisions at a decision threshold."""

    def __init__(self, name: str, statistic: str, threshold: float, folds: bool = False) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            statistic: A function of `components.evaluator.performance` of a table and a decision
                threshold.
            threshold: Decision threshold: probability from which a prediction is positive.
            folds: Whether the predictions were made out of fold.
        """
        super().__init__(
            lambda scores, _: measure(statistic, scores, threshold),
            name,
            statistic=statistic,
            threshold=threshold,
            folds=folds,
        )


class ReferenceMetric(_OfScores):
    """A metric of a reference model, or the challenger's minus it, of the same subjects."""

    def __init__(
        self, name: str, statistic: str, reference: str, is_difference: bool, folds: bool = False
    ) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            statistic: A function of `components.evaluator.performance` of one table.
            reference: Name of the reference model.
            is_difference: Whether to take the difference.
            folds: Whether the challenger's predictions were made out of fold.
        """

        def value(scores: _Scores, all_scores: FoldScores | None) -> float:
            if all_scores is None:
                raise ValueError("a metric of a reference model needs its predictions")
            own = measure(statistic, all_scores.of(reference))
            return measure(statistic, scores) - own if is_difference else own

        super().__init__(
            value,
            name,
            statistic=statistic,
            reference=reference,
            is_difference=is_difference,
            folds=folds,
        )


class SubjectCount(_OfScores):
    """Number of subjects whose outcome is known, or of those with the outcome.

    TFMA's example count includes subjects whose outcome is unknown.
    """

    def __init__(self, name: str, positive: bool = False, folds: bool = False) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            positive: Whether to count only subjects with the outcome.
            folds: Whether the predictions were made out of fold.
        """
        super().__init__(
            lambda scores, _: float(scores.positives if positive else scores.subjects),
            name,
            positive=positive,
            folds=folds,
        )

    @property
    def compute_confidence_interval(self) -> bool:
        """A count has no sampling error, so no interval."""
        return False


class GroupCurves(metric_types.Metric):
    """The curves of a group as JSON; see `components.evaluator.curves`."""

    def __init__(
        self,
        name: str,
        decision_thresholds: Sequence[float],
        smallest_group: int,
        folds: int = 0,
    ) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            decision_thresholds: Probabilities from which a prediction is positive.
            smallest_group: Fewest subjects behind a number.
            folds: Folds of a repeat, where the predictions were made out of fold; else 0.
        """

        def text(scores: _Scores, _: FoldScores | None) -> str:
            if isinstance(scores, ScoreTable):
                curves = curves_of(scores, decision_thresholds, smallest_group)
            else:
                curves = fold_curves_of(scores, decision_thresholds, smallest_group, folds)
            return json.dumps(curves.to_json())

        super().__init__(_computations_of(text, folds > 0, only_full_sample=True), name=name)
        self._config = {
            "name": name,
            "decision_thresholds": list(decision_thresholds),
            "smallest_group": smallest_group,
            "folds": folds,
        }

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for serialization."""
        return dict(self._config)

    @property
    def compute_confidence_interval(self) -> bool:
        """None: calibration bins have their own intervals."""
        return False


metric_types.register_metric(ProbabilityMetric)
metric_types.register_metric(DecisionMetric)
metric_types.register_metric(ReferenceMetric)
metric_types.register_metric(SubjectCount)
metric_types.register_metric(GroupCurves)


def _computations_of(
    statistic: _Statistic,
    folds: bool,
    reference: bool = False,
    only_full_sample: bool = False,
) -> Callable[..., metric_types.MetricComputations]:
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
        of_champion = model_name == constants.BASELINE_KEY

        def result(computed: metric_types.MetricsDict) -> metric_types.MetricsDict:
            if (only_full_sample and FULL_SAMPLE not in computed) or (reference and of_champion):
                return {}
            all_scores = computed.get(scores_key)
            scores = all_scores.of(CHALLENGER) if folds else computed[table_key]
            return {key_of(name): statistic(scores, all_scores)}

        tables = [] if folds else [_combined(table_key, _ScoreTableCombiner(table_key))]
        if folds or reference:
            tables.append(_combined(scores_key, _FoldScoresCombiner(scores_key)))
        return [
            *tables,
            metric_types.DerivedMetricComputation(keys=[key_of(name)], result=result),
        ]

    return metric_util.merge_per_key_computations(computations)


def _combined(
    key: metric_types.MetricKey, combiner: beam.CombineFn
) -> metric_types.MetricComputation:
    return metric_types.MetricComputation(
        keys=[key], preprocessors=[_with_subject_hash()], combiner=combiner
    )


def _with_subject_hash() -> metric_types.StandardMetricInputsPreprocessor:
    """Keeps the subject's hash, which determines the jackknife group, and its folds."""
    return metric_types.StandardMetricInputsPreprocessor(
        include_filter={constants.FEATURES_KEY: {names.SUBJECT_HASH: {}}, FOLD_SCORES: {}}
    )


_Part = TypeVar("_Part")


class _Combiner(beam.CombineFn, Generic[_Part]):
    """Collects parts; an accumulator is a tuple of parts that are not merged yet."""

    def __init__(self, key: metric_types.MetricKey) -> None:
        self._key = key

    def create_accumulator(self) -> tuple[_Part, ...]:
        return ()

    def add_input(
        self, accumulator: tuple[_Part, ...], element: metric_types.StandardMetricInputs
    ) -> tuple[_Part, ...]:
        longer = (*accumulator, self._part(element))
        return longer if len(longer) < _MOST_PENDING_TABLES else self.compact(longer)

    def merge_accumulators(self, accumulators: Iterable[tuple[_Part, ...]]) -> tuple[_Part, ...]:
        return self.compact(tuple(part for parts in accumulators for part in parts))

    def compact(self, accumulator: tuple[_Part, ...]) -> tuple[_Part, ...]:
        return (self._merged(accumulator),)

    def extract_output(self, accumulator: tuple[_Part, ...]) -> metric_types.MetricsDict:
        return {self._key: self._merged(accumulator)}

    def _rows(self, kind: str, element: metric_types.StandardMetricInputs) -> NDArray[Any]:
        return np.ravel(element.get_by_key(kind, self._key.model_name, self._key.output_name))

    def _known(self, element: metric_types.StandardMetricInputs) -> NDArray[np.bool_]:
        return np.asarray(self._rows(constants.EXAMPLE_WEIGHTS_KEY, element) > 0)

    def _part(self, element: metric_types.StandardMetricInputs) -> _Part:
        raise NotImplementedError

    def _merged(self, parts: tuple[_Part, ...]) -> _Part:
        raise NotImplementedError


class _ScoreTableCombiner(_Combiner[ScoreTable]):
    """Collects score tables."""

    def _part(self, element: metric_types.StandardMetricInputs) -> ScoreTable:
        score = self._rows(constants.PREDICTIONS_KEY, element)
        label = self._rows(constants.LABELS_KEY, element)
        return ScoreTable.of_rows(score, label, self._known(element))

    def _merged(self, parts: tuple[ScoreTable, ...]) -> ScoreTable:
        return ScoreTable.merged(parts)


class _FoldScoresCombiner(_Combiner[FoldScores]):
    """Collects predictions with their folds."""

    def _part(self, element: metric_types.StandardMetricInputs) -> FoldScores:
        found = element[FOLD_SCORES]
        return FoldScores.of_rows(
            subject=found["subject"],
            label=self._rows(constants.LABELS_KEY, element),
            known=self._known(element),
            fold=found["fold"],
            score=found["score"].get(self._key.output_name, {}),
        )

    def _merged(self, parts: tuple[FoldScores, ...]) -> FoldScores:
        return FoldScores.merged(parts)
