import itertools
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from benchmarks.coverage import (
    Interval,
    cross_fit,
    intervals_of_folds,
    jackknife,
    report,
    row_of,
    true_performance,
)
from benchmarks.simulated_trials import deal, predict_by_ridge, simulate_subjects
from components.evaluator.fold_scores import ModelScores
from components.evaluator.score_table import ScoreTable
from tests.each import each


def test_the_true_performance_is_that_of_many_outcomes() -> None:
    generator = np.random.default_rng(1)
    probability = generator.uniform(0.05, 0.6, 300)
    prediction = np.clip(probability + generator.normal(0, 0.1, 300), 0.01, 0.99)
    drawn = [generator.random(300) < probability for _ in range(200)]

    found = true_performance(prediction, probability)

    auc = np.mean([roc_auc_score(outcome, prediction) for outcome in drawn])
    brier = np.mean([brier_score_loss(outcome, prediction) for outcome in drawn])
    assert found["auc"] == pytest.approx(auc, abs=0.008)
    assert found["brier"] == pytest.approx(brier, abs=0.003)


def test_the_jackknife_of_a_mean_is_close_to_its_standard_error() -> None:
    generator = np.random.default_rng(2)
    score, outcome = generator.random(4000).astype(np.float32), generator.random(4000) < 0.5
    group = np.arange(4000) % 20
    parts = [ScoreTable.of_rows(score, outcome, group != number) for number in range(20)]
    whole = ScoreTable.of_rows(score, outcome, np.ones(4000, bool))

    value, lower, upper = jackknife("brier", parts, whole)

    error = ((score - outcome) ** 2).std() / np.sqrt(4000)
    assert (lower + upper) / 2 == pytest.approx(value)
    assert upper - lower == pytest.approx(2 * 2.093 * error, rel=0.5)


def test_intervals_with_the_training_are_wider() -> None:
    subjects = simulate_subjects(200, seed=5)
    outcome = subjects.outcome[:, 1]
    score = np.ascontiguousarray(predict_by_ridge(subjects, subjects)[0][:, 1:2])
    fold = (np.arange(200) % 5).astype(np.int16)[:, None]

    found = {
        (scheme, metric): interval
        for scheme, metric, interval in intervals_of_folds(
            ModelScores(outcome, fold, score), np.arange(200) % 20
        )
    }

    for metric in ("auc", "brier"):
        alone, whole = found["cross_fit, subjects alone", metric], found["cross_fit", metric]
        assert whole.lower < alone.lower < alone.value < alone.upper < whole.upper


def test_the_reference_model_ranks_subjects_it_was_not_fitted_to() -> None:
    train, fresh = simulate_subjects(800, seed=6), simulate_subjects(800, seed=7)

    (found,) = predict_by_ridge(train, fresh)

    assert roc_auc_score(fresh.outcome[:, 0], found[:, 0]) > 0.7


def test_the_reference_model_predicts_the_rate_of_each_arm() -> None:
    """It spares the arms as a run's does: they are a category and no number."""
    train = simulate_subjects(800, seed=6)

    (found,) = predict_by_ridge(train, train)

    for arm in each((0, 1)):
        rate = train.outcome[train.arm == arm].mean(axis=0)
        assert found[train.arm == arm].mean(axis=0) == pytest.approx(rate, abs=0.002)


def test_folds_are_alike_in_arms_and_the_rarest_outcome() -> None:
    trial = simulate_subjects(250, seed=8)
    rarest = trial.outcome[:, trial.outcome.sum(axis=0).argmin()]

    folds = deal(trial, 5, 3, np.random.default_rng(1))

    for repeat in each(range(3)):
        for arm, event in each(itertools.product((0, 1), repeat=2)):
            stratum = folds[(trial.arm == arm) & (rarest == event), repeat]
            counts = np.bincount(stratum, minlength=5)
            assert counts.max() - counts.min() <= 1
    assert (folds[:, 0] != folds[:, 1]).any()


def test_subjects_without_a_label_are_predicted_and_not_evaluated() -> None:
    trial, fresh = simulate_subjects(250, seed=9), simulate_subjects(100, seed=10)
    weight = np.ones(trial.outcome.shape)
    weight[:100, 0] = 0

    found = cross_fit(trial, 1, np.random.default_rng(1), fresh, weight)

    assert [scores.subjects for scores in found.scores] == [150, 250, 250]


@pytest.mark.parametrize(("lower", "held"), [(0.6, 1.0), (0.72, 0.0), (np.nan, 0.0)])
def test_an_interval_holds_the_true_value_or_not(lower: Any, held: Any) -> None:
    row = row_of(250, "response", "cross_fit", "auc", [Interval(0.75, lower, 0.9, np.nan, 80)], 0.7)

    assert row.coverage == held
    assert f"{100 * held:.1f} ±" in report([row])
