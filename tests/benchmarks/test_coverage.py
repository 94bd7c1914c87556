from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from benchmarks.coverage import (
    Interval,
    intervals_of_folds,
    jackknife,
    report,
    row_of,
    true_performance,
)
from benchmarks.simulated_trials import fit_ridge, predict, simulate_subjects
from components.evaluator.fold_scores import ModelScores
from components.evaluator.score_table import ScoreTable


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
    model = fit_ridge(subjects.design, outcome)
    score = predict(model, subjects.design).astype(np.float32)[:, None]
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


def test_ridge_regression_ranks_subjects_it_was_not_fitted_to() -> None:
    train, fresh = simulate_subjects(800, seed=6), simulate_subjects(800, seed=7)

    found = predict(fit_ridge(train.design, train.outcome[:, 0]), fresh.design)

    assert roc_auc_score(fresh.outcome[:, 0], found) > 0.7


@pytest.mark.parametrize(("lower", "held"), [(0.6, 1.0), (0.72, 0.0), (np.nan, 0.0)])
def test_an_interval_holds_the_true_value_or_not(lower: Any, held: Any) -> None:
    row = row_of(250, "response", "cross_fit", "auc", [Interval(0.75, lower, 0.9, np.nan, 80)], 0.7)

    assert row.coverage == held
    assert f"{100 * held:.1f} ±" in report([row])
