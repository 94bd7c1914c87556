"""Performance to be expected before outcomes are known, from calibrated probabilities.

A subject with a calibrated prediction p has the outcome with probability p: so the predictions
alone say how often they will be right. This is confidence-based performance estimation, NannyML's
idea (NannyML, documentation, "Estimation of Performance of the Monitored Model"; Białek J,
Kuberski W, Perrakis N, Bifet A. Estimating Model Performance Under Covariate Shift Without
Labels. arXiv:2401.08348, 2024). It sees a population that is easier or harder to predict. It
assumes that there is no concept drift: that subjects with the same inputs have the same risk as in
training. Where that has changed it is wrong and shows nothing of it; and for inputs beyond the
range of training it is not known whether the probabilities are calibrated.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.estimates import NORMAL_95, Estimate
from pipeline.monitoring.observed import placements
from pipeline.monitoring.tallies import Outcomes

ASSUMES = (
    "Expected performance assumes that there is no concept drift: that subjects with the same "
    "inputs have the same risk as in training."
)
"""What is always said beside an expected performance."""


def expected_auc(expected: Outcomes) -> Estimate:
    """The AUC to be expected, and the interval that the observed one lies in 19 times of 20.

    Args:
        expected: Subjects by cell, see `pipeline.monitoring.tallies.expected_outcomes`.

    Returns:
        Without a number where all predictions are 0 or all are 1.
    """
    area, below = placements(expected.weight)
    if area is None:
        return Estimate()
    totals = expected.weight.sum(axis=1)
    # What the AUC gains where a subject of a cell has the outcome instead of not having it.
    gains = (below[1] - area) / totals[1] - (below[0] - area) / totals[0]
    return _within(area, math.sqrt(float((_variance(expected) * gains**2).sum())))


def expected_brier(expected: Outcomes) -> Estimate:
    """The Brier score to be expected, likewise.

    Args:
        expected: Subjects by cell.
    """
    subjects = expected.count.sum()
    if not subjects > 0:
        return Estimate()
    # Of a prediction p the expected squared distance is p (1 - p).
    value = float((expected.first[0]).sum() / subjects)
    means = expected.weight[1] / np.maximum(expected.count.sum(axis=0), 1e-12)
    error = math.sqrt(float((_variance(expected) * (1 - 2 * means) ** 2).sum())) / subjects
    return _within(value, float(error))


def _variance(expected: Outcomes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Variance of the number with the outcome in each cell: the sum of p (1 - p)."""
    return np.asarray(expected.first[0], np.float64)


def _within(value: float, error: float) -> Estimate:
    reach = NORMAL_95 * error
    return Estimate(value, max(value - reach, 0.0), min(value + reach, 1.0))
