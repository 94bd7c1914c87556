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
from typing import Any

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.evaluator import performance
from components.evaluator.curves import curves_of
from components.evaluator.jackknife import FULL_SAMPLE
from components.evaluator.score_table import ScoreTable
from pipeline import names

_TABLE_NAME = "_score_table"
_MOST_PENDING_TABLES = 64

_Accumulator = tuple[ScoreTable, ...]
_Statistic = Callable[[ScoreTable], float | str]


class ProbabilityMetric(metric_types.Metric):
    """A metric of probabilities: ranking, calibration, likelihood."""

    def __init__(self, name: str, statistic: str) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            statistic: A function of `components.evaluator.performance` of one table.
        """
        super().__init__(_computations_of(getattr(performance, statistic)), name=name)
        self._statistic = statistic

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for serialization."""
        return {"name": self.name, "statistic": self._statistic}


class DecisionMetric(metric_types.Metric):
    """A metric of the decisions at a decision threshold."""

    def __init__(self, name: str, statistic: str, threshold: float) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            statistic: A function of `components.evaluator.performance` of a table and a decision
                threshold.
            threshold: Decision threshold: probability from which a prediction is positive.
        """
        measure = getattr(performance, statistic)
        super().__init__(_computations_of(lambda table: measure(table, threshold)), name=name)
        self._config = {"name": name, "statistic": statistic, "threshold": threshold}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for serialization."""
        return dict(self._config)


class SubjectCount(metric_types.Metric):
    """Number of subjects whose outcome is known, or of those with the outcome.

    TFMA's example count includes subjects whose outcome is unknown.
    """

    def __init__(self, name: str, positive: bool = False) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            positive: Whether to count only subjects with the outcome.
        """
        super().__init__(
            _computations_of(lambda t: float(t.positives if positive else t.subjects)), name=name
        )
        self._config = {"name": name, "positive": positive}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for serialization."""
        return dict(self._config)

    @property
    def compute_confidence_interval(self) -> bool:
        """A count has no sampling error, so no interval."""
        return False


class GroupCurves(metric_types.Metric):
    """The curves of a group as JSON; see `components.evaluator.curves`."""

    def __init__(
        self, name: str, decision_thresholds: Sequence[float], smallest_group: int
    ) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            decision_thresholds: Probabilities from which a prediction is positive.
            smallest_group: Fewest subjects behind a number.
        """

        def text(table: ScoreTable) -> str:
            return json.dumps(curves_of(table, decision_thresholds, smallest_group).to_json())

        super().__init__(_computations_of(text, only_full_sample=True), name=name)
        self._config = {
            "name": name,
            "decision_thresholds": list(decision_thresholds),
            "smallest_group": smallest_group,
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
metric_types.register_metric(SubjectCount)
metric_types.register_metric(GroupCurves)


def _computations_of(
    statistic: _Statistic, only_full_sample: bool = False
) -> Callable[..., metric_types.MetricComputations]:
    def computations(
        name: str, model_name: str = "", output_name: str = "", example_weighted: bool = False
    ) -> metric_types.MetricComputations:
        table_key = metric_types.MetricKey(
            name=_TABLE_NAME,
            model_name=model_name,
            output_name=output_name,
            example_weighted=example_weighted,
        )
        key = metric_types.MetricKey(
            name=name,
            model_name=model_name,
            output_name=output_name,
            example_weighted=example_weighted,
        )

        def result(computed: metric_types.MetricsDict) -> metric_types.MetricsDict:
            if only_full_sample and FULL_SAMPLE not in computed:
                return {}
            return {key: statistic(computed[table_key])}

        return [
            metric_types.MetricComputation(
                keys=[table_key],
                preprocessors=[_with_subject_hash()],
                combiner=_ScoreTableCombiner(table_key),
            ),
            metric_types.DerivedMetricComputation(keys=[key], result=result),
        ]

    return metric_util.merge_per_key_computations(computations)


def _with_subject_hash() -> metric_types.StandardMetricInputsPreprocessor:
    """Keeps the subject's hash, which determines the jackknife group."""
    return metric_types.StandardMetricInputsPreprocessor(
        include_filter={constants.FEATURES_KEY: {names.SUBJECT_HASH: {}}}
    )


class _ScoreTableCombiner(beam.CombineFn):
    """Collects score tables; an accumulator is a tuple of tables that are not merged yet."""

    def __init__(self, key: metric_types.MetricKey) -> None:
        self._key = key

    def create_accumulator(self) -> _Accumulator:
        return ()

    def add_input(
        self, accumulator: _Accumulator, element: metric_types.StandardMetricInputs
    ) -> _Accumulator:
        score = self._rows(constants.PREDICTIONS_KEY, element)
        label = self._rows(constants.LABELS_KEY, element)
        known = self._rows(constants.EXAMPLE_WEIGHTS_KEY, element) > 0
        longer = (*accumulator, ScoreTable.of_rows(score, label, known))
        return longer if len(longer) < _MOST_PENDING_TABLES else self.compact(longer)

    def merge_accumulators(self, accumulators: Iterable[_Accumulator]) -> _Accumulator:
        return self.compact(tuple(table for part in accumulators for table in part))

    def compact(self, accumulator: _Accumulator) -> _Accumulator:
        return (ScoreTable.merged(accumulator),)

    def extract_output(self, accumulator: _Accumulator) -> metric_types.MetricsDict:
        return {self._key: ScoreTable.merged(accumulator)}

    def _rows(self, kind: str, element: metric_types.StandardMetricInputs) -> NDArray[Any]:
        return np.ravel(element.get_by_key(kind, self._key.model_name, self._key.output_name))
