"""TFMA metrics over exact score tables.

TFMA has some of these metrics, but computes them row by row in Python, for each metric and slice,
from predictions rounded to equally spaced thresholds. Here all metrics of a task share one
accumulator, which takes any number of rows at once and keeps every distinct prediction
(`components.evaluator.score_table`); intervals, slices and differences between models remain
TFMA's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tensorflow_model_analysis.metrics import metric_types

from components.evaluator.computations import Scores, Statistic, computations_of
from components.evaluator.cross_fitted import measure
from components.evaluator.curves import curves_of, fold_curves_of
from components.evaluator.fold_scores import FoldScores
from components.evaluator.score_table import ScoreTable
from components.evaluator.uncertainty import referral
from pipeline.names import CHALLENGER


class _OfScores(metric_types.Metric):
    """A metric with the arguments of its constructor."""

    def __init__(self, function: Statistic, name: str, /, **arguments: Any) -> None:
        folds = bool(arguments.get("folds"))
        super().__init__(
            computations_of(function, folds, bool(arguments.keys() & {"reference", "model"})),
            name=name,
        )
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

        def value(scores: Scores, all_scores: FoldScores | None) -> float:
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


class ComparedMetric(_OfScores):
    """A metric of the champion, or the challenger's minus it, of the subjects that both predict."""

    def __init__(
        self,
        name: str,
        statistic: str,
        model: str,
        is_difference: bool,
        threshold: float | None = None,
        folds: bool = False,
    ) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            statistic: A function of `components.evaluator.performance`.
            model: Name of the champion's predictions.
            is_difference: Whether to take the difference.
            threshold: Decision threshold, for metrics of decisions.
            folds: Whether the predictions were made out of fold.
        """

        def value(_: Scores, all_scores: FoldScores | None) -> float:
            own, other = _pair(all_scores, model, folds)
            of_other = measure(statistic, other, threshold)
            return measure(statistic, own, threshold) - of_other if is_difference else of_other

        super().__init__(
            value,
            name,
            statistic=statistic,
            model=model,
            is_difference=is_difference,
            threshold=threshold,
            folds=folds,
        )


class ComparedCount(_OfScores):
    """Number of subjects that champion and challenger predict, or of those with the outcome."""

    def __init__(self, name: str, model: str, positive: bool = False, folds: bool = False) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            model: Name of the champion's predictions.
            positive: Whether to count only subjects with the outcome.
            folds: Whether the predictions were made out of fold.
        """

        def value(_: Scores, all_scores: FoldScores | None) -> float:
            scores = _pair(all_scores, model, folds)[1]
            return float(scores.positives if positive else scores.subjects)

        super().__init__(value, name, model=model, positive=positive, folds=folds)

    @property
    def compute_confidence_interval(self) -> bool:
        """A count has no sampling error, so no interval."""
        return False


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


class EffectiveCount(_OfScores):
    """Effective number of subjects with, or without, the outcome; intervals depend on it."""

    def __init__(
        self, name: str, positive: bool, model: str | None = None, folds: bool = False
    ) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            positive: Whether of the subjects with the outcome, or of those without it.
            model: Champion whose compared subjects are counted; None for all subjects.
            folds: Whether the predictions were made out of fold.
        """

        def value(scores: Scores, all_scores: FoldScores | None) -> float:
            counted = scores if model is None else _pair(all_scores, model, folds)[1]
            return counted.effective_positives if positive else counted.effective_negatives

        of_model = {} if model is None else {"model": model}
        super().__init__(value, name, positive=positive, folds=folds, **of_model)

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
        model: str = CHALLENGER,
        has_intervals: bool = False,
    ) -> None:
        """Initializes the metric.

        Args:
            name: The metric's name in the result.
            decision_thresholds: Probabilities from which a prediction is positive.
            smallest_group: Fewest subjects behind a number.
            folds: Folds of a repeat, where the predictions were made out of fold; else 0.
            model: The model that predicts.
            has_intervals: Whether its predictions have intervals.
        """
        of_other = model != CHALLENGER

        def text(scores: Scores, all_scores: FoldScores | None) -> str:
            if of_other:
                scores = _pair(all_scores, model, folds > 0)[1]
            if isinstance(scores, ScoreTable):
                curves = curves_of(scores, decision_thresholds, smallest_group)
            else:
                curves = fold_curves_of(scores, decision_thresholds, smallest_group, folds)
            if all_scores is not None and has_intervals:
                curves = replace(curves, referral=referral(all_scores, smallest_group))
            return json.dumps(curves.to_json())

        others = of_other or has_intervals
        super().__init__(computations_of(text, folds > 0, others, only_full_sample=True), name=name)
        self._config = {
            "name": name,
            "decision_thresholds": list(decision_thresholds),
            "smallest_group": smallest_group,
            "folds": folds,
            "model": model,
            "has_intervals": has_intervals,
        }

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for serialization."""
        return dict(self._config)

    @property
    def compute_confidence_interval(self) -> bool:
        """None: calibration bins have their own intervals."""
        return False


def _pair(all_scores: FoldScores | None, model: str, folds: bool) -> tuple[Scores, Scores]:
    """The challenger's and the champion's scores of the subjects that both predict."""
    if all_scores is None:
        raise ValueError("a metric of a champion needs its predictions")
    own, other = all_scores.paired(model)
    return (own, other) if folds else (own.first_repeat, other.first_repeat)


for _kind in (ProbabilityMetric, DecisionMetric, ReferenceMetric, ComparedMetric):
    metric_types.register_metric(_kind)
for _other in (ComparedCount, SubjectCount, EffectiveCount, GroupCurves):
    metric_types.register_metric(_other)
