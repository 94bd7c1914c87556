"""Updates of predictions made by hand, against statsmodels and against arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from components.external_validation.recalibration import (
    MOST_FOLDS,
    benefit,
    deal_folds,
    observed_to_expected,
    recalibrate,
    updates,
)
from pipeline.log_odds import log_odds
from pipeline.results.validation import UPDATE_METHODS
from tests.each import each

Numbers = NDArray[np.float64]


def trial(subjects: int, shift: float, slope: float, seed: int = 3) -> tuple[Numbers, Numbers]:
    """Logits of a model, and outcomes of subjects whose true logit is `shift + slope × logit`."""
    random = np.random.default_rng(seed)
    logit = random.normal(-1, 1.2, subjects)
    risk = 1 / (1 + np.exp(-(shift + slope * logit)))
    return logit, (random.random(subjects) < risk).astype(np.float64)


def hashes(subjects: int) -> list[bytes]:
    return [f"{number * 2654435761 % 2**32:08x}".encode() for number in range(subjects)]


@pytest.mark.parametrize(("shift", "slope"), [(0.0, 1.0), (0.8, 1.0), (-1.5, 0.6), (0.3, 1.7)])
def test_recalibration_in_the_large_is_a_regression_with_the_logit_as_offset(
    shift: float, slope: float
) -> None:
    logit, outcome = trial(700, shift, slope)

    expected = sm.GLM(outcome, np.ones(700), sm.families.Binomial(), offset=logit).fit(tol=1e-14)
    found = recalibrate("recalibration_in_the_large", logit, outcome)

    assert found is not None
    assert found.intercept == pytest.approx(expected.params[0], abs=1e-7)
    assert found.intercept_error == pytest.approx(expected.bse[0], rel=1e-6)
    assert found.slope == 1.0


@pytest.mark.parametrize(("shift", "slope"), [(0.0, 1.0), (0.8, 1.0), (-1.5, 0.6), (0.3, 1.7)])
def test_logistic_recalibration_is_a_regression_on_the_logit(shift: float, slope: float) -> None:
    logit, outcome = trial(700, shift, slope)

    expected = sm.GLM(outcome, sm.add_constant(logit), sm.families.Binomial()).fit(tol=1e-14)
    found = recalibrate("logistic_recalibration", logit, outcome)

    assert found is not None
    assert [found.intercept, found.slope] == pytest.approx(list(expected.params), abs=1e-7)
    assert [found.intercept_error, found.slope_error] == pytest.approx(list(expected.bse), rel=1e-6)


def test_one_outcome_has_no_recalibration_in_the_large() -> None:
    assert recalibrate("recalibration_in_the_large", np.zeros(8), np.ones(8)) is None


@settings(max_examples=40)
@given(
    positives=st.integers(0, 40),
    negatives=st.integers(0, 40),
    order=st.randoms(use_true_random=False),
)
def test_folds_are_alike_in_the_outcome_and_do_not_depend_on_the_order(
    positives: int, negatives: int, order: object
) -> None:
    outcome = np.array([1.0] * positives + [0.0] * negatives)
    names = hashes(len(outcome))
    dealt = deal_folds(names, outcome)

    if min(positives, negatives) < 2:
        assert dealt is None
        return
    assert dealt is not None
    folds = min(MOST_FOLDS, positives, negatives)
    for level in (0.0, 1.0):
        sizes = np.bincount(dealt[outcome == level], minlength=folds)
        assert sizes.max() - sizes.min() <= 1
    shuffled = list(range(len(names)))
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    again = deal_folds([names[i] for i in shuffled], outcome[shuffled])
    assert again is not None
    assert again.tolist() == dealt[shuffled].tolist()


def test_a_shift_of_the_intercept_is_recovered_within_its_interval() -> None:
    logit, outcome = trial(2_000, shift=0.7, slope=1.0)
    fold = deal_folds(hashes(2_000), outcome)
    assert fold is not None

    large, logistic = updates(logit, outcome, fold, [0.3])

    assert large.intercept.lower is not None
    assert large.intercept.upper is not None
    assert large.intercept.lower < 0.7 < large.intercept.upper
    assert large.log_loss_gain.lower is not None
    assert large.log_loss_gain.lower > 0
    assert large.brier_gain.lower is not None
    assert large.brier_gain.lower > 0
    assert logistic.slope is not None
    assert logistic.slope.lower is not None
    assert logistic.slope.upper is not None
    assert logistic.slope.lower < 1 < logistic.slope.upper


def test_the_gain_of_a_model_that_is_right_is_not_above_0_on_average() -> None:
    """On the subjects that it was fitted to every update gains; out of fold it loses a little."""
    apparent, honest = [], []
    for seed in range(20):
        logit, outcome = trial(120, 0.0, 1.0, seed)
        fold = deal_folds(hashes(120), outcome)
        fit = recalibrate("logistic_recalibration", logit, outcome)
        assert fold is not None
        assert fit is not None
        right, updated = 1 / (1 + np.exp(-logit)), fit.apply(logit)
        likelihood = [
            np.where(outcome > 0, np.log(p), np.log1p(-p)).mean() for p in (right, updated)
        ]
        apparent.append(likelihood[1] - likelihood[0])
        honest.append(updates(logit, outcome, fold, [])[1].log_loss_gain.value or 0.0)

    assert min(apparent) >= 0
    assert np.mean(honest) < 0


def test_an_updated_prediction_is_made_by_a_fit_without_its_subject() -> None:
    """With two folds the intercept of each is the log odds of the other fold's outcomes."""
    logit = np.zeros(8)
    outcome = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    fold = np.array([0, 0, 0, 0, 1, 1, 1, 1])

    (large,) = [
        found
        for found in updates(logit, outcome, fold, [])
        if found.method == "recalibration_in_the_large"
    ]

    # Fold 0 (3 of 4) is predicted .25 and fold 1 (1 of 4) .75.
    loss = -(3 * math.log(0.25) + math.log(0.75)) / 4
    assert large.log_loss_gain.value == pytest.approx(math.log(2) - loss)
    assert large.brier_gain.value == pytest.approx(0.25 - (3 * 0.75**2 + 0.25**2) / 4)


def test_each_updates_interval_is_students_widened_for_the_folds_common_subjects() -> None:
    logit, outcome = trial(300, 0.5, 1.0)
    fold = deal_folds(hashes(300), outcome)
    assert fold is not None
    from scipy import stats

    large = updates(logit, outcome, fold, [])[0]
    updated = np.empty(300)
    for number in range(10):
        held = fold == number
        fit = recalibrate("recalibration_in_the_large", logit[~held], outcome[~held])
        assert fit is not None
        updated[held] = fit.apply(logit[held])
    gain = (1 / (1 + np.exp(-logit)) - outcome) ** 2 - (updated - outcome) ** 2
    reach = stats.t.ppf(0.975, 299) * gain.std(ddof=1) * math.sqrt((1 + 1 / 9) / 300)

    assert large.brier_gain.value == pytest.approx(gain.mean())
    assert large.brier_gain.upper == pytest.approx(gain.mean() + reach)


def test_net_benefit_weighs_false_positives_by_the_odds_of_the_threshold() -> None:
    probability = np.array([0.9, 0.2, 0.3, 0.1])
    outcome = np.array([1.0, 1.0, 0.0, 0.0])

    # From .2 on: two true positives, one false positive.
    assert benefit(probability, outcome, 0.2).mean() == pytest.approx((2 - 1 * 0.25) / 4)


def test_observed_to_expected_has_the_interval_of_its_logarithm() -> None:
    probability = np.full(100, 0.2)
    outcome = np.array([1.0] * 30 + [0.0] * 70)

    found = observed_to_expected(probability, outcome)

    error = math.sqrt(0.7 / 30)
    assert found.value == pytest.approx(1.5)
    assert found.lower == pytest.approx(1.5 * math.exp(-1.959964 * error), rel=1e-5)


@pytest.mark.parametrize(("events", "has_interval"), [(9, False), (10, True), (91, False)])
def test_observed_to_expected_of_few_events_or_few_others_has_no_interval(
    events: int, has_interval: bool
) -> None:
    outcome = np.array([1.0] * events + [0.0] * (100 - events))

    found = observed_to_expected(np.full(100, 0.2), outcome)

    assert found.value == pytest.approx(events / 20)
    assert (found.lower is not None) is has_interval


def test_logits_of_certain_predictions_are_finite() -> None:
    assert np.isfinite(log_odds(np.array([0.0, 1.0], np.float32))).all()


def test_every_method_can_be_fitted() -> None:
    logit, outcome = trial(200, 0.0, 1.0)

    assert [
        method for method in each(UPDATE_METHODS) if recalibrate(method, logit, outcome) is None
    ] == []


def test_a_whole_weight_is_the_subject_so_many_times() -> None:
    rng = np.random.default_rng(3)
    logit = rng.normal(size=300)
    outcome = (rng.random(300) < 1 / (1 + np.exp(-0.6 * logit + 0.4))).astype(float)
    weight = rng.integers(1, 4, 300).astype(float)
    rows = np.repeat(np.arange(300), weight.astype(int))
    probability = 1 / (1 + np.exp(-logit))

    for method in each(UPDATE_METHODS):
        found = recalibrate(method, logit, outcome, weight)
        expected = recalibrate(method, logit[rows], outcome[rows])
        assert found is not None
        assert expected is not None
        assert (found.intercept, found.slope) == pytest.approx((expected.intercept, expected.slope))
        # A subject of weight 3 is one subject: its error is larger than that of three.
        assert found.intercept_error > expected.intercept_error
    ratio = observed_to_expected(probability, outcome, weight)
    of_rows = observed_to_expected(probability[rows], outcome[rows])
    assert ratio.value == pytest.approx(of_rows.value)
    assert ratio.lower is not None
    assert of_rows.lower is not None
    assert ratio.lower < of_rows.lower


def test_the_gain_of_an_update_is_a_weighted_mean_with_the_error_of_one() -> None:
    rng = np.random.default_rng(4)
    logit = rng.normal(size=200)
    outcome = (rng.random(200) < 1 / (1 + np.exp(-logit - 1))).astype(float)
    weight = rng.uniform(1, 3, 200)
    fold = np.arange(200) % 5

    large = updates(logit, outcome, fold, [], weight)[0]

    gain = np.empty(200)
    for number in range(5):
        held = fold == number
        fit = recalibrate("recalibration_in_the_large", logit[~held], outcome[~held], weight[~held])
        assert fit is not None
        before = 1 / (1 + np.exp(-logit[held]))
        gain[held] = (before - outcome[held]) ** 2 - (fit.apply(logit[held]) - outcome[held]) ** 2
    mean = float(np.average(gain, weights=weight))
    assert large.brier_gain.value == pytest.approx(mean)
    influence = weight * (gain - mean) / weight.sum()
    error = np.sqrt((influence**2).sum() * 200 / 199 * 1.25)
    assert large.brier_gain.upper is not None
    reach = large.brier_gain.upper - mean
    assert reach == pytest.approx(1.972 * error, rel=1e-3)


def test_the_error_of_a_weighted_fit_is_that_of_the_sandwich() -> None:
    rng = np.random.default_rng(8)
    logit = rng.normal(size=200)
    outcome = (rng.random(200) < 1 / (1 + np.exp(-logit))).astype(float)
    weight = rng.uniform(1, 4, 200)

    found = recalibrate("logistic_recalibration", logit, outcome, weight)

    assert found is not None
    design = np.column_stack([np.ones(200), logit])
    fitted = 1 / (1 + np.exp(-(found.intercept + found.slope * logit)))
    bread = np.linalg.inv(design.T @ (design * (weight * fitted * (1 - fitted))[:, None]))
    scores = design * (weight * (outcome - fitted))[:, None]
    errors = np.sqrt(np.diag(bread @ scores.T @ scores @ bread))
    assert (found.intercept_error, found.slope_error) == pytest.approx(errors, rel=1e-5)
