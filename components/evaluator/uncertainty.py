"""Metrics of Venn-Abers intervals and prediction sets.

Interval and set of a subject were fitted to other subjects: to the part that calibrates, or out of
fold to the other folds. A metric is the mean over the repeats, and not-a-number where a subject has
no interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import metric_types

from components.evaluator.computations import Scores, computations_of
from components.evaluator.fold_scores import FoldScores
from components.evaluator.repeat_tables import RepeatTables
from pipeline.names import CHALLENGER
from pipeline.results.referral import ReferralPoint, referral_of
from pipeline.results.uncertainty import LOWER, PARTS, SET_NEGATIVE, SET_POSITIVE, UPPER

Parts = Mapping[str, NDArray[np.float32]]
"""Intervals and sets by part, `[subjects, repeats]`."""


def measure_uncertainty(statistic: str, scores: FoldScores) -> float:
    """Computes a metric of intervals and sets.

    Args:
        statistic: A metric of `pipeline.metrics.OF_UNCERTAINTY`.
        scores: The subjects, with the parts of `pipeline.results.uncertainty` among the models.
    """
    if statistic not in scores.measured:
        parts = uncertainty_of(scores)
        # All at once: whether a subject has no interval is found by a look at all of them.
        for name, compute in _STATISTICS.items():
            scores.measured[name] = math.nan if parts is None else compute(parts, scores)
    return scores.measured[statistic]


def uncertainty_of(scores: FoldScores) -> Parts | None:
    """Interval and set of each subject; None where any is missing."""
    parts = {part: scores.score[part] for part in PARTS if part in scores.score}
    if len(parts) < len(PARTS) or not scores.subjects:
        return None
    return None if any(np.isnan(values).any() for values in parts.values()) else parts


def referral(scores: FoldScores, smallest_group: int) -> tuple[ReferralPoint, ...]:
    """What leaving the least certain subjects to people gains, in the first repeat."""
    parts = uncertainty_of(scores)
    if parts is None:
        return ()
    return referral_of(
        scores.of(CHALLENGER).score[:, 0],
        parts[UPPER][:, 0] - parts[LOWER][:, 0],
        scores.outcome,
        scores.weight,
        smallest_group,
    )


def _share(
    holds: NDArray[Any], scores: FoldScores, among: NDArray[np.bool_] | None = None
) -> float:
    """Weighted share of subjects and repeats, of some subjects or of all."""
    weight = np.ones(scores.subjects) if scores.weight is None else scores.weight
    if among is not None:
        weight, holds = weight[among], holds[among]
    total = float(weight.sum())
    if not total:
        return math.nan
    return float(weight @ holds.mean(axis=1, dtype=np.float64)) / total


def _coverage_positive(parts: Parts, scores: FoldScores) -> float:
    return _share(parts[SET_POSITIVE], scores, scores.outcome)


def _coverage_negative(parts: Parts, scores: FoldScores) -> float:
    return _share(parts[SET_NEGATIVE], scores, ~scores.outcome)


def _of_size(levels: int) -> Callable[[Parts, FoldScores], float]:
    """Share of the sets with so many levels."""

    def share(parts: Parts, scores: FoldScores) -> float:
        size = parts[SET_NEGATIVE] + parts[SET_POSITIVE]
        return _share(size == levels, scores)

    return share


def _interval_width(parts: Parts, scores: FoldScores) -> float:
    width = parts[UPPER].astype(np.float64) - parts[LOWER]
    return _share(width, scores)


def _interval_calibration_error(parts: Parts, scores: FoldScores) -> float:
    lower, upper = parts[LOWER].astype(np.float64), parts[UPPER].astype(np.float64)
    merged = (upper / (1 - lower + upper)).astype(np.float32)
    tables = RepeatTables.of(scores.outcome, merged, scores.weight)
    return float(np.mean(tables.expected_calibration_errors()))


_STATISTICS: Mapping[str, Callable[[Parts, FoldScores], float]] = {
    "coverage_positive": _coverage_positive,
    "coverage_negative": _coverage_negative,
    "single_sets": _of_size(1),
    "full_sets": _of_size(2),
    "empty_sets": _of_size(0),
    "interval_width": _interval_width,
    "interval_calibration_error": _interval_calibration_error,
}


class UncertaintyMetric(metric_types.Metric):
    """A metric of intervals and prediction sets."""

    def __init__(self, name: str, statistic: str, folds: bool = False) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            statistic: A metric of `pipeline.metrics.OF_UNCERTAINTY`.
            folds: Whether the predictions were made out of fold.
        """

        def value(_: Scores, all_scores: FoldScores | None) -> float:
            if all_scores is None:
                raise ValueError("a metric of intervals and sets needs these")
            return measure_uncertainty(statistic, all_scores)

        super().__init__(computations_of(value, folds, others=True), name=name)
        self._config = {"name": name, "statistic": statistic, "folds": folds}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for serialization."""
        return dict(self._config)


metric_types.register_metric(UncertaintyMetric)
