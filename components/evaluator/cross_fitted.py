"""Metrics of predictions that were made out of fold.

Predictions of different folds come from different models: their order among each other says
little about the subjects, and leaving out more subjects with the outcome lowers a fold's
predictions, so that pooled predictions make even a constant model look worse than guessing. Areas
under curves are therefore counted within folds. The other metrics compare a prediction with its
own outcome and are of all subjects of a repeat. A metric is the mean over the repeats.

Every function returns not-a-number if its metric is undefined or a prediction is missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from components.evaluator import performance
from components.evaluator.fold_scores import ModelScores
from components.evaluator.score_table import ScoreTable
from pipeline.log_odds import clip_probability


def measure(
    statistic: str, scores: ScoreTable | ModelScores, decision_threshold: float | None = None
) -> float:
    """Computes a metric.

    Args:
        statistic: A function of `components.evaluator.performance`.
        scores: Predictions of a split, or out of fold.
        decision_threshold: For metrics of decisions.
    """
    if isinstance(scores, ScoreTable):
        of_table = getattr(performance, statistic)
        more = () if decision_threshold is None else (decision_threshold,)
        return float(of_table(scores, *more))
    key = statistic, decision_threshold
    if key not in scores.measured:
        scores.measured[key] = _measure(statistic, scores, decision_threshold)
    return scores.measured[key]


def _measure(statistic: str, scores: ModelScores, decision_threshold: float | None) -> float:
    if decision_threshold is not None:
        return float(getattr(performance, statistic)(scores, decision_threshold))
    if not scores.valid:
        return math.nan
    return _OF_PROBABILITIES[statistic](scores)


def _auc(scores: ModelScores) -> float:
    """Share of pairs of a fold in which the subject with the outcome has the higher prediction."""
    strata = scores.strata
    negatives = strata.spread(strata.per_fold(strata.negative))
    below = negatives - strata.from_here(strata.negative)
    wins = strata.per_repeat(strata.positive * (below + strata.negative / 2))
    pairs = strata.per_repeat(strata.positive * negatives)
    return float(np.mean(wins / pairs)) if np.all(pairs > 0) else math.nan


def _pr_auc(scores: ModelScores) -> float:
    """Average precision of each fold, weighted by its subjects with the outcome."""
    strata = scores.strata
    precision = strata.from_here(strata.positive) / strata.from_here(
        strata.positive + strata.negative
    )
    gained = strata.per_repeat(strata.positive * precision)
    positives = strata.per_repeat(strata.positive)
    return float(np.mean(gained / positives)) if np.all(positives > 0) else math.nan


def _brier(scores: ModelScores) -> float:
    error = scores.probability - scores.outcome[:, None]
    return scores.mean(error * error)


def _log_loss(scores: ModelScores) -> float:
    p = clip_probability(scores.probability)
    return -scores.mean(np.where(scores.outcome[:, None], np.log(p), np.log1p(-p)))


def _mean_prediction(scores: ModelScores) -> float:
    return scores.mean(scores.probability)


def _observed_rate(scores: ModelScores) -> float:
    return scores.all_positive / (scores.all_positive + scores.all_negative)


def _calibration_in_the_large(scores: ModelScores) -> float:
    return _mean_prediction(scores) - _observed_rate(scores)


def _calibration_slope(scores: ModelScores) -> float:
    return float(np.mean(scores.tables.calibration_slopes()))


def _expected_calibration_error(scores: ModelScores) -> float:
    return float(np.mean(scores.tables.expected_calibration_errors()))


_OF_PROBABILITIES: Mapping[str, Callable[[ModelScores], float]] = {
    "auc": _auc,
    "pr_auc": _pr_auc,
    "brier": _brier,
    "log_loss": _log_loss,
    "mean_prediction": _mean_prediction,
    "observed_rate": _observed_rate,
    "calibration_in_the_large": _calibration_in_the_large,
    "calibration_slope": _calibration_slope,
    "expected_calibration_error": _expected_calibration_error,
}
"""Metrics of probabilities, each computed from the predictions of all repeats at once."""
