import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

from components.evaluator import performance
from components.evaluator.score_table import ScoreTable


def table(score: Any, label: Any, known: Any = None) -> Any:
    score = np.asarray(score, np.float32)
    label = np.asarray(label, np.float32)
    known = np.ones(len(score), bool) if known is None else np.asarray(known, bool)
    return ScoreTable.of_rows(score, label, known)


def sample(size: Any = 2000, seed: Any = 0, digits: Any = None) -> Any:
    """Predictions that are too extreme for the outcomes, by a factor of 0.7 in the logit."""
    generator = np.random.default_rng(seed)
    logit = generator.normal(-1, 1.5, size)
    score = (1 / (1 + np.exp(-logit))).astype(np.float32)
    if digits:
        score = score.round(digits)
    label = (generator.random(size) < 1 / (1 + np.exp(-0.7 * logit))).astype(np.float32)
    return score, label


def bits(first: Any, second: Any) -> Any:
    return (
        first.score.tobytes() == second.score.tobytes()
        and first.negative.tobytes() == second.negative.tobytes()
        and first.positive.tobytes() == second.positive.tobytes()
    )


def test_subjects_with_an_unknown_outcome_are_left_out() -> None:
    counted = table([0.1, 0.9, 0.9, 0.5], [0, 1, 1, 1], known=[1, 1, 1, 0])

    assert counted.score.tolist() == pytest.approx([0.1, 0.9])
    assert counted.negative.tolist() == [1, 0]
    assert counted.positive.tolist() == [0, 2]
    assert (counted.subjects, counted.positives, counted.negatives) == (3, 2, 1)


def test_parts_merge_to_the_table_of_the_whole_in_any_order() -> None:
    score, label = sample(300, digits=2)
    parts = [table(score[i::7], label[i::7]) for i in range(7)]
    whole = table(score, label)

    assert bits(ScoreTable.merged(parts), whole)
    nested = ScoreTable.merged([ScoreTable.merged(parts[3:]), *reversed(parts[:3])])
    assert bits(nested, whole)


@pytest.mark.parametrize("digits", [None, 1], ids=["distinct", "tied"])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (performance.auc, sk.roc_auc_score),
        (performance.pr_auc, sk.average_precision_score),
        (performance.brier, sk.brier_score_loss),
    ],
    ids=["auc", "pr_auc", "brier"],
)
def test_agrees_with_scikit_learn(ours: Any, theirs: Any, digits: Any) -> None:
    score, label = sample(digits=digits)

    assert ours(table(score, label)) == pytest.approx(theirs(label, score.astype(float)), abs=1e-9)


def test_log_loss_agrees_with_scikit_learn() -> None:
    score, label = sample()

    expected = sk.log_loss(label, score.astype(float))
    assert performance.log_loss(table(score, label)) == pytest.approx(expected, abs=1e-9)


def test_log_loss_of_a_certain_and_wrong_prediction_is_finite() -> None:
    assert performance.log_loss(table([0.0], [1])) == pytest.approx(-math.log(1e-7))


@pytest.mark.parametrize("threshold", [0.1, 0.2, 0.5])
def test_decisions_agree_with_scikit_learn(threshold: Any) -> None:
    score, label = sample(digits=1)
    decided = score >= np.float32(threshold)
    counted = table(score, label)

    assert performance.positive_predictive_value(counted, threshold) == sk.precision_score(
        label, decided
    )
    assert performance.sensitivity(counted, threshold) == sk.recall_score(label, decided)
    assert performance.f1(counted, threshold) == pytest.approx(sk.f1_score(label, decided))
    specificity = sk.recall_score(label, decided, pos_label=0)
    assert performance.specificity(counted, threshold) == specificity
    assert performance.false_positive_rate(counted, threshold) == pytest.approx(1 - specificity)
    missed = 1 - sk.recall_score(label, decided)
    assert performance.false_negative_rate(counted, threshold) == pytest.approx(missed)


def test_a_prediction_equal_to_the_threshold_counts_as_positive() -> None:
    assert performance.sensitivity(table([0.7, 0.6], [1, 0]), 0.7) == 1.0
    assert performance.specificity(table([0.7, 0.6], [1, 0]), 0.7) == 1.0


def test_calibration_in_the_large_is_mean_prediction_minus_observed_rate() -> None:
    counted = table([0.2, 0.4, 0.6, 0.8], [0, 0, 0, 1])

    assert performance.mean_prediction(counted) == pytest.approx(0.5)
    assert performance.observed_rate(counted) == 0.25
    assert performance.calibration_in_the_large(counted) == pytest.approx(0.25)


@pytest.mark.parametrize("size", [60, 500, 20_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_calibration_slope_is_within_a_thousandth_of_the_exact_logistic_fit(
    size: Any, seed: Any
) -> None:
    score, label = sample(size, seed)
    p = score.astype(float)
    logit = np.log(p / (1 - p)).reshape(-1, 1)
    exact = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit, label).coef_[0, 0]

    assert performance.calibration_slope(table(score, label)) == pytest.approx(exact, abs=1e-3)


def test_calibration_slope_of_too_extreme_predictions_is_below_one() -> None:
    score, label = sample(50_000)

    assert performance.calibration_slope(table(score, label)) == pytest.approx(0.7, abs=0.03)


def test_calibration_slope_of_separated_outcomes_does_not_exist() -> None:
    assert math.isnan(performance.calibration_slope(table([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])))


def test_calibration_slope_of_one_single_prediction_does_not_exist() -> None:
    assert math.isnan(performance.calibration_slope(table([0.3, 0.3, 0.3], [0, 1, 0])))


def test_expected_calibration_error_agrees_with_ten_bins_of_equally_many_subjects() -> None:
    score, label = sample(1000, seed=4)
    order = np.argsort(score)
    bins = zip(
        np.array_split(score[order].astype(float), 10),
        np.array_split(label[order].astype(float), 10),
        strict=True,
    )
    expected = sum(len(p) / 1000 * abs(p.mean() - y.mean()) for p, y in bins)

    found = performance.expected_calibration_error(table(score, label))
    assert found == pytest.approx(expected, abs=1e-9)


PROBABILITY_METRICS = (
    performance.auc,
    performance.pr_auc,
    performance.brier,
    performance.log_loss,
    performance.calibration_in_the_large,
    performance.calibration_slope,
    performance.expected_calibration_error,
    performance.mean_prediction,
)
DECISION_METRICS = (
    performance.positive_predictive_value,
    performance.sensitivity,
    performance.f1,
    performance.specificity,
    performance.false_positive_rate,
    performance.false_negative_rate,
)


@pytest.mark.parametrize("metric", PROBABILITY_METRICS, ids=lambda metric: metric.__name__)
@pytest.mark.parametrize(
    "counted", [ScoreTable.empty(), table([0.1, math.nan, 0.7], [0, 1, 1])], ids=["empty", "nan"]
)
def test_probability_metrics_without_a_basis_are_not_a_number(metric: Any, counted: Any) -> None:
    assert math.isnan(metric(counted))


@pytest.mark.parametrize("metric", DECISION_METRICS, ids=lambda metric: metric.__name__)
@pytest.mark.parametrize(
    "counted", [ScoreTable.empty(), table([0.1, math.nan, 0.7], [0, 1, 1])], ids=["empty", "nan"]
)
def test_decision_metrics_without_a_basis_are_not_a_number(metric: Any, counted: Any) -> None:
    assert math.isnan(metric(counted, 0.5))


def test_auc_of_subjects_with_the_same_outcome_is_not_a_number() -> None:
    assert math.isnan(performance.auc(table([0.1, 0.2], [1, 1])))
    assert math.isnan(performance.auc(table([0.1, 0.2], [0, 0])))


def test_positive_predictive_value_without_a_positive_prediction_is_not_a_number() -> None:
    assert math.isnan(performance.positive_predictive_value(table([0.1, 0.2], [1, 0]), 0.5))
