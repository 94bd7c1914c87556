"""Performance of predictions whose outcome is known, with 95 % intervals, from tallies.

Subjects are weighted by the inverse probability of censoring; the weights are taken as given.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.estimates import NORMAL_95, Estimate, normal_interval, wilson_interval
from pipeline.monitoring.tallies import FloatArray, Outcomes

_IntArray = NDArray[np.int64]
_SIDES = np.array([[0.0], [1.0]])
_STEPS = 50
_CLOSE = 1e-9


def auc(found: Outcomes) -> Estimate:
    """Area under the ROC curve.

    Its variance is DeLong's (DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-45),
    from the placement of each subject among those of the other side; the interval is symmetric on
    the scale of the logit.

    Args:
        found: Subjects by cell.

    Returns:
        Without a number where a side has no subject.
    """
    area, below = placements(found.weight)
    if area is None:
        return Estimate()
    return _logit_interval(area, math.sqrt(_spread(found.square, found.weight, below, area)))


def placements(weight: FloatArray) -> tuple[float | None, FloatArray]:
    """The AUC, and the share of the other side that each cell is ranked rightly beside.

    Args:
        weight: Weights without and with the outcome, `[2, cells]`; subjects of one cell are tied.

    Returns:
        The AUC, None where a side has no weight; shares `[2, cells]`.

    Examples:
        >>> placements(np.array([[2.0, 1.0], [0.0, 3.0]]))[0]
        0.8333333333333334
    """
    without, with_outcome = weight
    if not (without.sum() > 0 and with_outcome.sum() > 0):
        return None, np.zeros_like(weight)
    lower = (np.cumsum(without) - without / 2) / without.sum()
    higher = 1 - (np.cumsum(with_outcome) - with_outcome / 2) / with_outcome.sum()
    area = float(with_outcome @ lower / with_outcome.sum())
    return area, np.stack([higher, lower])


def _spread(square: FloatArray, weight: FloatArray, below: FloatArray, area: float) -> float:
    totals = weight.sum(axis=1)
    return float((square * (below - area) ** 2 / totals[:, None] ** 2).sum())


def _logit_interval(area: float, error: float) -> Estimate:
    if not 0 < area < 1 or error == 0:
        return Estimate(area)
    reach = NORMAL_95 * error / (area * (1 - area))
    middle = math.log(area / (1 - area))
    lower, upper = (1 / (1 + math.exp(-end)) for end in (middle - reach, middle + reach))
    return Estimate(area, lower, upper)


def brier(found: Outcomes) -> Estimate:
    """Mean squared distance of prediction and outcome.

    Args:
        found: Subjects by cell.
    """
    total = found.weight.sum()
    if not total > 0:
        return Estimate()
    score = _brier_sum(found) / total
    losses = (found.means - _SIDES) ** 2
    error = math.sqrt(float((found.square * (losses - score) ** 2).sum())) / total
    return _at_least_zero(normal_interval(float(score), float(error)))


def _brier_sum(found: Outcomes) -> float:
    return float((found.second - 2 * _SIDES * found.first + _SIDES * found.weight).sum())


def _at_least_zero(found: Estimate) -> Estimate:
    return Estimate(found.value, max(found.lower or 0.0, 0.0), found.upper)


def calibration_in_the_large(found: Outcomes) -> Estimate:
    """Mean prediction minus observed rate.

    Args:
        found: Subjects by cell.
    """
    total = found.weight.sum()
    if not total > 0:
        return Estimate()
    value = (found.first.sum() - found.weight[1].sum()) / total
    residuals = found.means - _SIDES - value
    error = math.sqrt(float((found.square * residuals**2).sum())) / total
    return normal_interval(float(value), float(error))


def calibration_slope(found: Outcomes) -> Estimate:
    """Slope of the outcome's logistic regression on the logit of the prediction.

    Its error is that of the sandwich, as the subjects are weighted.

    Args:
        found: Subjects by cell.

    Returns:
        Without a number where a side has no subject, or all predictions are alike.
    """
    if not (found.weight.sum(axis=1) > 0).all():
        return Estimate()
    means = np.clip(found.means, 1e-6, 1 - 1e-6)
    logits = np.log(means / (1 - means)).ravel()
    sides = np.repeat([0.0, 1.0], found.weight.shape[1])
    weight, square = found.weight.ravel(), found.square.ravel()
    design = np.stack([np.ones_like(logits), logits])
    at = np.array([0.0, 1.0])
    for _ in range(_STEPS):
        fitted = expit(at @ design)
        information = (design * (weight * fitted * (1 - fitted))) @ design.T
        if not np.linalg.cond(information) < 1 / _CLOSE:
            return Estimate()
        step = np.linalg.solve(information, design @ (weight * (sides - fitted)))
        at = at + step
        if np.abs(step).max() < _CLOSE:
            break
    else:
        return Estimate()
    fitted = expit(at @ design)
    meat = (design * (square * (sides - fitted) ** 2)) @ design.T
    inverse = np.linalg.inv(information)
    return normal_interval(float(at[1]), math.sqrt(float((inverse @ meat @ inverse)[1, 1])))


def observed_rate(found: Outcomes) -> Estimate:
    """Share with the outcome, with Wilson's interval for the effective number of subjects.

    Args:
        found: Subjects by cell.
    """
    total = float(found.weight.sum())
    if not total > 0:
        return Estimate()
    share = float(found.weight[1].sum()) / total
    effective = total**2 / float(found.square.sum())
    return Estimate(share, *wilson_interval(share * effective, effective))


Pairs = Mapping[Hashable, FloatArray]
"""Of subjects that two models predicted: by outcome, cell of the champion and cell of the other
model the sum of their weights, that of the squares, and of the difference d of squared distances
(other minus champion) the sums of w d, w² d and w² d²."""


def paired_auc(pairs: Pairs) -> Estimate:
    """AUC of the other model minus that of the champion on the same subjects.

    DeLong's variance of a difference: of the differences of placements.

    Args:
        pairs: Subjects by outcome and cells.

    Returns:
        Without a number where a side has no subject.
    """
    sides, cells, sums = _columns(pairs)
    if not len(sides):
        return Estimate()
    areas, placed = [], []
    for model in range(2):
        weight = np.zeros((2, int(cells.max()) + 1))
        np.add.at(weight, (sides, cells[:, model]), sums[:, 0])
        area, below = placements(weight)
        if area is None:
            return Estimate()
        areas.append(area)
        placed.append(below[sides, cells[:, model]])
    value = areas[1] - areas[0]
    totals = np.array([sums[sides == side, 0].sum() for side in (0, 1)])[sides]
    spread = (sums[:, 1] * (placed[1] - placed[0] - value) ** 2 / totals**2).sum()
    return normal_interval(value, math.sqrt(float(spread)))


def paired_brier(pairs: Pairs) -> Estimate:
    """Brier score of the other model minus that of the champion on the same subjects.

    Args:
        pairs: Subjects by outcome and cells.
    """
    _, _, sums = _columns(pairs)
    total = sums[:, 0].sum()
    if not total > 0:
        return Estimate()
    _, square, linear, of_square, squared = sums.sum(axis=0)
    value = linear / total
    spread = squared - 2 * value * of_square + value**2 * square
    return normal_interval(float(value), math.sqrt(max(float(spread), 0.0)) / float(total))


def _columns(pairs: Pairs) -> tuple[_IntArray, _IntArray, FloatArray]:
    names = np.array(list(pairs), np.int64).reshape(-1, 3)
    sums = np.array(list(pairs.values()), np.float64).reshape(-1, 5)
    return names[:, 0], names[:, 1:], sums
