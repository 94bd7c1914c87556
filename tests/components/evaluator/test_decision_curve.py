from typing import Any

import numpy as np
import pytest

from components.evaluator.curves import curves_of, fold_curves_of
from components.evaluator.decision_curve import Treated, decision_point
from components.evaluator.fold_scores import ModelScores
from components.evaluator.score_table import ScoreTable
from tests.each import each


def trial(subjects: Any, repeats: Any = 1, seed: Any = 4) -> Any:
    """Outcomes and the predictions of repeats that differ."""
    generator = np.random.default_rng(seed)
    logit = generator.normal(-1, 1, subjects)
    outcome = generator.random(subjects) < 1 / (1 + np.exp(-logit))
    noise = generator.normal(0, 0.4, (subjects, repeats))
    score = (1 / (1 + np.exp(-(logit[:, None] + noise)))).astype(np.float32)
    fold = np.stack([generator.permutation(subjects) % 5 for _ in range(repeats)], 1)
    return ModelScores(outcome, fold.astype(np.int16), score)


def treated_at(scores: Any, threshold: Any) -> Any:
    return scores.score >= np.float32(threshold)


def test_net_benefit_counts_a_false_positive_by_the_odds_of_the_threshold() -> None:
    # 15 of 20 subjects with the outcome and 10 of 80 without it are treated from 20 % on, where
    # a false positive costs a quarter of a true one.
    point = decision_point(0.2, Treated.once(15, 10, 20, 80))

    assert point.net_benefit == pytest.approx(15 / 100 - 10 / 100 / 4)
    assert point.treat_all == pytest.approx(20 / 100 - 80 / 100 / 4)
    assert point.over_all == pytest.approx(point.net_benefit - point.treat_all)


def test_the_intervals_are_those_of_the_means_over_subjects() -> None:
    gains = np.repeat([1.0, -0.25, 0.0], [15, 10, 75])
    # Relative to treating all: 5 missed outcomes, 70 spared treatments.
    over_all = np.repeat([-1.0, 0.25, 0.0], [5, 70, 25])

    point = decision_point(0.2, Treated.once(15, 10, 20, 80))

    for values, lower, upper in (
        (gains, point.lower, point.upper),
        (over_all, point.over_all_lower, point.over_all_upper),
    ):
        reach = 1.959964 * values.std(ddof=1) / 10
        assert (lower, upper) == pytest.approx((values.mean() - reach, values.mean() + reach))


def test_treating_all_subjects_differs_by_nothing_from_treating_all() -> None:
    point = decision_point(0.3, Treated.once(20, 80, 20, 80))

    assert (point.net_benefit, point.over_all) == (pytest.approx(point.treat_all), 0.0)


def test_an_interval_that_counts_no_event_is_not_given() -> None:
    none_found = decision_point(0.3, Treated.once(0, 10, 20, 80))
    none_missed = decision_point(0.3, Treated.once(20, 10, 20, 80))

    assert (none_found.lower, none_found.upper) == (None, None)
    assert none_found.over_all_lower is not None
    assert (none_missed.over_all_lower, none_missed.over_all_upper) == (None, None)
    assert none_missed.lower is not None


@pytest.mark.parametrize(("positives", "negatives"), [(9, 91), (91, 9)])
def test_an_interval_of_too_few_events_is_not_given(positives: int, negatives: int) -> None:
    point = decision_point(0.3, Treated.once(5, 5, positives, negatives))

    assert (point.lower, point.over_all_lower) == (None, None)


@pytest.mark.parametrize("missed", [0, 5])
def test_a_point_is_useful_only_if_both_intervals_are_above_0(missed: Any) -> None:
    point = decision_point(0.2, Treated.once(200 - missed, 100, 200, 800))

    assert point.is_useful == (missed > 0)


def test_a_subject_counts_with_its_mean_over_the_repeats() -> None:
    # The first subject is treated in one of two repeats, the second in both, the third in none.
    treated = np.array([[True, False], [True, True], [False, False]])

    found = Treated.of(treated, np.array([True, False, True]))

    assert found == Treated(0.5, 1.0, 0.25, 1.0, 2, 1)
    assert found.untreated == Treated(1.5, 0.0, 1.25, 0.0, 2, 1)


def test_the_curve_is_counted_at_the_points_of_the_roc_curve() -> None:
    scores = trial(600)
    curves = curves_of(scores.first_repeat, [0.3], smallest=25)
    positives, negatives = scores.positives, scores.subjects - scores.positives
    rates = {
        point.threshold: (point.true_positive_rate, point.false_positive_rate)
        for point in curves.roc
    }

    for point in each(curves.decision):
        true, false = rates[point.threshold]
        odds = point.threshold / (1 - point.threshold)
        by_hand = (true * positives - odds * false * negatives) / scores.subjects
        assert point.net_benefit == pytest.approx(by_hand)
    assert 0.3 in [point.threshold for point in curves.decision]


def test_out_of_fold_the_curve_is_the_mean_over_the_repeats() -> None:
    scores = trial(400, repeats=6)

    curves = fold_curves_of(scores, [0.3], smallest=20, folds=5)

    (point,) = (point for point in curves.decision if point.threshold == 0.3)
    gain = np.where(scores.outcome, 1.0, -3 / 7)[:, None] * treated_at(scores, 0.3)
    by_subject = gain.mean(axis=1)
    assert point.net_benefit == pytest.approx(by_subject.mean())
    # One quarter of the variance is added for the training of the models of five folds.
    reach = 1.959964 * by_subject.std(ddof=1) / 20 * np.sqrt(1.25)
    assert point.upper is not None
    assert point.upper - point.net_benefit == pytest.approx(reach, rel=1e-6)


@pytest.mark.parametrize("repeats", [1, 2, 7])
@pytest.mark.parametrize("seed", range(5))
def test_between_two_thresholds_lies_the_smallest_group_of_subjects(
    repeats: Any, seed: Any
) -> None:
    scores, smallest = trial(300, repeats, seed), 30

    curves = fold_curves_of(scores, [], smallest, folds=5)

    thresholds = [point.threshold for point in each(curves.decision)]
    for low, high in zip([0.0, *thresholds], [*thresholds, 1.1], strict=True):
        # Thresholds are rounded: a subject may lie on the other side of the fourth digit.
        between = treated_at(scores, low - 5e-5) & ~treated_at(scores, high + 5e-5)
        assert between.any(axis=1).sum() >= smallest


def test_a_prediction_of_certainty_has_no_point() -> None:
    scores = np.repeat([0.2, 1.0], 100).astype(np.float32)
    table = ScoreTable.of_rows(scores, np.arange(200) % 2, np.ones(200, bool))

    curves = curves_of(table, [], smallest=20)

    assert [point.threshold for point in curves.roc] == [1.0, 1.0, 0.0]
    assert curves.decision == ()


def test_out_of_fold_the_curve_is_a_weighted_mean_over_weighted_subjects() -> None:
    scores = trial(400, repeats=3)
    weight = 1 + np.arange(400) % 4 / 2
    weighted = ModelScores(scores.outcome, scores.fold, scores.score, weight)

    curve = fold_curves_of(weighted, [0.3], smallest=20, folds=5).decision

    (point,) = (point for point in curve if point.threshold == 0.3)
    gain = np.where(scores.outcome, 1.0, -3 / 7) * treated_at(scores, 0.3).mean(axis=1)
    assert point.net_benefit == pytest.approx(np.average(gain, weights=weight))
