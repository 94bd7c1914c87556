"""Performance from tallies, beside scikit-learn on the same subjects."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from pipeline.estimates import Estimate
from pipeline.monitoring import observed
from pipeline.monitoring.tallies import FloatArray, Outcomes, Tally, outcome_tally, outcomes_of

PREDICTIONS = np.array([0.05, 0.1, 0.1, 0.2, 0.3, 0.35, 0.4, 0.55, 0.7, 0.9])
OUTCOMES = np.array([0.0, 0, 1, 0, 0, 1, 0, 1, 0, 1])
WEIGHTS = np.array([1.0, 1, 2, 1, 1.5, 1, 1, 3, 1, 1])


def tallied(weights: FloatArray = WEIGHTS) -> Outcomes:
    return outcomes_of(outcome_tally(PREDICTIONS, OUTCOMES, weights).sums)


@pytest.mark.parametrize("weights", [np.ones(10), WEIGHTS])
def test_auc_and_brier_score_are_those_of_scikit_learn(weights: FloatArray) -> None:
    found = tallied(weights)

    area = roc_auc_score(OUTCOMES, PREDICTIONS, sample_weight=weights)
    assert observed.auc(found).value == pytest.approx(area)
    score = brier_score_loss(OUTCOMES, PREDICTIONS, sample_weight=weights)
    assert observed.brier(found).value == pytest.approx(score)


def test_the_slope_is_that_of_a_logistic_regression_without_penalty() -> None:
    logits = np.log(PREDICTIONS / (1 - PREDICTIONS))[:, None]
    fitted = LogisticRegression(C=1e12, tol=1e-10).fit(logits, OUTCOMES, WEIGHTS)

    slope = observed.calibration_slope(tallied())
    assert slope.value == pytest.approx(float(fitted.coef_[0, 0]), abs=1e-4)


def test_mean_prediction_minus_observed_rate_is_weighted() -> None:
    found = tallied()

    rate = float(WEIGHTS @ OUTCOMES / WEIGHTS.sum())
    mean = float(WEIGHTS @ PREDICTIONS / WEIGHTS.sum())
    assert observed.observed_rate(found).value == pytest.approx(rate)
    assert observed.calibration_in_the_large(found).value == pytest.approx(mean - rate)


def test_without_a_subject_with_the_outcome_there_is_no_auc_and_no_slope() -> None:
    found = outcomes_of(outcome_tally(PREDICTIONS, np.zeros(10), np.ones(10)).sums)

    assert observed.auc(found) == observed.calibration_slope(found) == Estimate()
    assert observed.brier(found).value is not None


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    held = {"auc": 0, "brier": 0, "rate": 0}
    for _ in range(200):
        predictions = rng.beta(2, 2, 400)
        found = outcomes_of(
            outcome_tally(
                predictions, (rng.random(400) < predictions).astype(float), np.ones(400)
            ).sums
        )
        # Of calibrated predictions from beta(2, 2): the AUC follows from its moments.
        held["auc"] += _holds(observed.auc(found), 0.7571)
        held["brier"] += _holds(observed.brier(found), 0.2)
        held["rate"] += _holds(observed.calibration_in_the_large(found), 0.0)
    assert all(180 <= times <= 199 for times in held.values()), held


def _holds(found: Estimate, truth: float) -> bool:
    assert found.lower is not None
    assert found.upper is not None
    return found.lower <= truth <= found.upper


def test_a_challenger_is_compared_on_the_same_subjects() -> None:
    rng = np.random.default_rng(3)
    other = np.clip(PREDICTIONS + rng.normal(0, 0.2, 10), 0.01, 0.99)
    gain = (other - OUTCOMES) ** 2 - (PREDICTIONS - OUTCOMES) ** 2
    sums = np.stack(
        [WEIGHTS, WEIGHTS**2, WEIGHTS * gain, WEIGHTS**2 * gain, (WEIGHTS * gain) ** 2], axis=1
    )
    names = zip(
        OUTCOMES.astype(int).tolist(),
        (PREDICTIONS * 1000).astype(int).tolist(),
        (other * 1000).astype(int).tolist(),
        strict=True,
    )
    pairs = Tally.of(names, sums).sums

    areas = [roc_auc_score(OUTCOMES, of, sample_weight=WEIGHTS) for of in (PREDICTIONS, other)]
    assert observed.paired_auc(pairs).value == pytest.approx(areas[1] - areas[0])
    scores = [brier_score_loss(OUTCOMES, of, sample_weight=WEIGHTS) for of in (PREDICTIONS, other)]
    assert observed.paired_brier(pairs).value == pytest.approx(scores[1] - scores[0])


def test_a_model_does_not_differ_from_itself() -> None:
    pairs: dict[Hashable, FloatArray] = {
        (side, cell, cell): np.array([1.0, 1, 0, 0, 0]) for side, cell in ((0, 20), (1, 50))
    }

    assert observed.paired_auc(pairs) == observed.paired_brier(pairs) == Estimate(0.0, 0.0, 0.0)
