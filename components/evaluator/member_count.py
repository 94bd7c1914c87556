"""TFMA metric that counts the subjects of a group, those whose outcome is unknown included."""

from __future__ import annotations

from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.evaluator.computations import Combiner, combined


class MemberCount(metric_types.Metric):
    """Number of subjects of a group, those whose outcome is unknown included."""

    def __init__(self, name: str) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
        """
        super().__init__(metric_util.merge_per_key_computations(_computations), name=name)

    @property
    def compute_confidence_interval(self) -> bool:
        """A count has no sampling error, so no interval."""
        return False


def _computations(
    name: str, model_name: str = "", output_name: str = "", example_weighted: bool = False
) -> metric_types.MetricComputations:
    key = metric_types.MetricKey(
        name=name,
        model_name=model_name,
        output_name=output_name,
        example_weighted=example_weighted,
    )
    return [combined(key, _MemberCombiner(key))]


class _MemberCombiner(Combiner[int]):
    def _part(self, element: metric_types.StandardMetricInputs) -> int:
        return len(self.rows(constants.LABELS_KEY, element))

    def _merged(self, parts: tuple[int, ...]) -> int:
        return sum(parts)
