"""How well a single feature ranks a label: area under the ROC curve, from counts per level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.weights import weighted_mean

_FOLDS = 5
_SEED = 0
_PRIOR_SUBJECTS = 1.0


def auc_of_number(
    values: NDArray[np.float64],
    outcome: NDArray[np.bool_],
    weight: NDArray[np.float64] | None = None,
) -> float:
    """AUC of a number's ranks, symmetric around 0.5.

    Missing values are a level of their own, below or above all others, whichever separates
    the outcomes more: a value that is missing only where the outcome is negative leaks it
    as well.

    Args:
        values: float64, NaN where missing, shape [subjects].
        outcome: bool, both values occur, shape [subjects].
        weight: Weights, shape [subjects]; None where each is 1.

    Returns:
        From 0.5 (no discrimination) to 1 (perfect discrimination).
    """
    own = np.ones(values.size) if weight is None else weight
    missing = np.isnan(values)
    levels, codes = np.unique(values[~missing], return_inverse=True)
    present, of_present = outcome[~missing], own[~missing]
    positives = np.bincount(codes[present], of_present[present], minlength=levels.size)
    negatives = np.bincount(codes[~present], of_present[~present], minlength=levels.size)
    missing_positives = np.array([own[missing & outcome].sum()])
    missing_negatives = np.array([own[missing & ~outcome].sum()])
    below = _auc(
        np.concatenate([missing_positives, positives]),
        np.concatenate([missing_negatives, negatives]),
    )
    above = _auc(
        np.concatenate([positives, missing_positives]),
        np.concatenate([negatives, missing_negatives]),
    )
    return max(below, 1 - below, above, 1 - above)


def auc_of_category(
    codes: NDArray[np.int64],
    outcome: NDArray[np.bool_],
    weight: NDArray[np.float64] | None = None,
) -> float:
    """AUC of a category whose levels are scored by the outcome's rate in other subjects.

    Cross-fitted target encoding: subjects are divided at random into five folds; a level's
    score in a fold is its rate of positives in the other four, with one subject of the
    overall rate added, so that a level seen nowhere else scores the overall rate. A category
    of many levels that mean nothing therefore stays near 0.5.

    Args:
        codes: int64 from 0 on, shape [subjects].
        outcome: bool, both values occur, shape [subjects].
        weight: Weights, shape [subjects]; None where each is 1.

    Returns:
        From 0.5 to 1. The score already points upwards, so an AUC below 0.5 is the noise of
        the cross-fitting, not a reversed signal, and counts as 0.5.
    """
    folds = np.random.default_rng(_SEED).integers(_FOLDS, size=codes.size)
    cells = codes * _FOLDS + folds
    size = (int(codes.max()) + 1) * _FOLDS
    own = np.ones(codes.size) if weight is None else weight
    positives = np.bincount(cells[outcome], own[outcome], minlength=size)
    total = np.bincount(cells, own, minlength=size)
    other_positives = _in_other_folds(positives)
    other_total = _in_other_folds(total)
    rate = weighted_mean(outcome, own)
    score = (other_positives + _PRIOR_SUBJECTS * rate) / (other_total + _PRIOR_SUBJECTS)
    ranks, order = np.unique(score, return_inverse=True)
    positives_by_score = np.bincount(order, weights=positives, minlength=ranks.size)
    negatives_by_score = np.bincount(order, weights=total - positives, minlength=ranks.size)
    return max(0.5, _auc(positives_by_score, negatives_by_score))


def standard_error_of_chance(positives: float, negatives: float) -> float:
    """Standard error of the AUC of a feature without discrimination.

    That of the Mann-Whitney statistic without ties, over the number of pairs: Mann and
    Whitney, Annals of Mathematical Statistics 18 (1947), 50-60.

    Args:
        positives: Number of positive labels, the effective one where they are weighted.
        negatives: Number of negative labels.
    """
    return math.sqrt((positives + negatives + 1) / (12 * positives * negatives))


def _in_other_folds(cells: NDArray[Any]) -> NDArray[np.float64]:
    by_level = cells.reshape(-1, _FOLDS)
    others: NDArray[np.float64] = (by_level.sum(axis=1, keepdims=True) - by_level).ravel()
    return others


def _auc(positives: NDArray[np.generic], negatives: NDArray[np.generic]) -> float:
    """AUC from counts per level, levels in rising order; a tie counts half."""
    positive_counts = positives.astype(np.float64)
    negative_counts = negatives.astype(np.float64)
    below = np.cumsum(negative_counts) - negative_counts
    won = np.sum(positive_counts * (below + negative_counts / 2))
    return float(won / (positive_counts.sum() * negative_counts.sum()))
