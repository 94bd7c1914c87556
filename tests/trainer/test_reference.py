"""Reference models: against a count by hand and scikit-learn called directly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info

from pipeline.names import BASE_RATE
from pipeline.results.reference_models import (
    GRADIENT_BOOSTING,
    RANDOM_FOREST,
    RIDGE,
    TITLES,
)
from tests.each import each
from trainer import reference_folds
from trainer.arrays import Arrays
from trainer.linear import choose_penalties, design_matrix
from trainer.model import Encoding
from trainer.reference import PENALTIES, BaseRates, fit_predict
from trainer.reference_folds import (
    ReferenceSubjects,
    predict_out_of_fold,
    predict_split,
)

FITTED = (RIDGE, RANDOM_FOREST, GRADIENT_BOOSTING)
ENCODING = Encoding(numbers=3, categories=1, codes=4, tasks=("a", "b"))


def trial(subjects: int, seed: int = 1) -> ReferenceSubjects:
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(subjects, 3)).astype(np.float32)
    logits = numbers @ np.array([[1.0, 0.0], [0.0, -1.0], [0.5, 0.5]])
    labels = (rng.random((subjects, 2)) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    weights = (rng.random((subjects, 2)) < 0.9).astype(np.float32)
    arrays = Arrays(numbers, rng.integers(0, 4, (subjects, 1)).astype(np.int32), labels, weights)
    arms = rng.choice(np.array([b"Active", b"Placebo"], object), subjects)
    return ReferenceSubjects(arrays, arms, np.array([b"%06d" % n for n in range(subjects)], object))


def folds_of(subjects: int, repeats: int = 3) -> NDArray[np.int64]:
    rng = np.random.default_rng(0)
    return np.stack([rng.permutation(subjects) % 5 for _ in range(repeats)], axis=1)


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forests that are grown fast, where it does not matter how well they predict."""
    monkeypatch.setattr("trainer.reference.TREES", 10)


def test_the_base_rate_is_counted_by_arm_over_known_labels() -> None:
    labels = np.array([[1, 0], [0, 0], [1, 1], [1, 0]], np.float32)
    weights = np.array([[1, 1], [1, 1], [1, 1], [0, 1]], np.float32)
    arms = np.array([b"Active", b"Active", b"Placebo", b"Placebo"], object)
    arrays = Arrays(np.zeros((4, 0)), np.zeros((4, 0), int), labels, weights)
    rates = BaseRates.of(arrays, arms)
    expected = [[0.5, 0.0], [1.0, 0.5]]
    assert rates.predict(np.array([b"Active", b"Placebo"], object)).tolist() == expected


def test_an_arm_without_a_known_label_has_the_rate_of_all_subjects() -> None:
    labels = np.array([[1], [0], [1]], np.float32)
    weights = np.array([[1], [1], [0]], np.float32)
    arms = np.array([b"Active", b"Active", b"Placebo"], object)
    rates = BaseRates.of(Arrays(np.zeros((3, 0)), np.zeros((3, 0), int), labels, weights), arms)
    assert rates.predict(np.array([b"Placebo", b"New"], object)).tolist() == [[0.5], [0.5]]


@pytest.mark.parametrize("step", ["fit", "predict_proba"])
def test_boosting_of_a_small_trial_keeps_to_one_thread(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    original = getattr(HistGradientBoostingClassifier, step)

    def observed(*arguments: Any, **options: Any) -> Any:
        threads.extend(pool["num_threads"] for pool in threadpool_info())
        return original(*arguments, **options)

    monkeypatch.setattr(HistGradientBoostingClassifier, step, observed)
    fit_predict(GRADIENT_BOOSTING, trial(60).arrays, trial(20, seed=2).arrays, ENCODING, seed=0)
    assert set(threads) == {1}


def test_ridge_is_scikit_learns_on_the_subjects_with_a_known_label() -> None:
    train, new = trial(300).arrays, trial(40, seed=2).arrays
    found = fit_predict(RIDGE, train, new, ENCODING, seed=0)
    for task in (0, 1):
        known = train.weights[:, task] > 0
        penalty = choose_penalties(train, ENCODING, PENALTIES)[task]
        model = LogisticRegression(C=1 / penalty, solver="newton-cholesky")
        model.fit(design_matrix(train, ENCODING)[known], train.labels[known, task])
        expected = model.predict_proba(design_matrix(new, ENCODING))[:, 1]
        assert found[:, task] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", FITTED)
def test_an_unknown_label_changes_nothing(name: str) -> None:
    train, new = trial(200).arrays, trial(20, seed=2).arrays
    flipped = Arrays(
        train.numbers,
        train.categories,
        np.where(train.weights > 0, train.labels, 1 - train.labels),
        train.weights,
    )
    first = fit_predict(name, train, new, ENCODING, seed=0)
    assert np.array_equal(first, fit_predict(name, flipped, new, ENCODING, seed=0))


@pytest.mark.parametrize("name", FITTED)
def test_a_task_with_one_kind_of_label_is_predicted_by_its_rate(name: str) -> None:
    train = trial(60).arrays
    sure = Arrays(train.numbers, train.categories, np.ones_like(train.labels), train.weights)
    assert fit_predict(name, sure, train.head(3), ENCODING, seed=0).tolist() == [[1, 1]] * 3


def test_out_of_fold_each_subject_is_predicted_without_itself() -> None:
    """The model of a fold, fitted by hand on the other four, gives the same numbers."""
    subjects, folds = trial(120), folds_of(120)
    found = predict_out_of_fold(subjects, folds, ENCODING, (RIDGE,), seed=0)[RIDGE]
    outside = folds[:, 1] == 3
    # The order of subjects is that of their pseudonyms.
    expected = fit_predict(
        RIDGE, subjects.arrays.take(~outside), subjects.arrays.take(outside), ENCODING, seed=3
    )
    assert found.probabilities[outside, 1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", [BASE_RATE, *FITTED])
def test_a_subjects_own_label_does_not_move_its_prediction(name: str) -> None:
    subjects, folds = trial(100), folds_of(100, repeats=1)
    labels = subjects.arrays.labels.copy()
    labels[7] = 1 - labels[7]
    arrays = Arrays(
        subjects.arrays.numbers, subjects.arrays.categories, labels, subjects.arrays.weights
    )
    changed = ReferenceSubjects(arrays, subjects.arms, subjects.pseudonyms)
    first, second = (
        predict_out_of_fold(each_trial, folds, ENCODING, (name,), seed=0)[name].probabilities
        for each_trial in (subjects, changed)
    )
    assert np.array_equal(first[7], second[7])
    assert not np.array_equal(first, second)


@pytest.mark.usefixtures("few_trees")
def test_forest_and_boosting_predict_two_repeats_the_others_all() -> None:
    subjects, folds = trial(100), folds_of(100)
    found = predict_out_of_fold(subjects, folds, ENCODING, tuple(TITLES), seed=0)
    predicted = {
        name: np.isfinite(model.probabilities).all(axis=(0, 2)).tolist()
        for name, model in found.items()
    }
    assert predicted == {
        BASE_RATE: [True] * 3,
        RIDGE: [True] * 3,
        RANDOM_FOREST: [True, True, False],
        GRADIENT_BOOSTING: [True, True, False],
    }
    assert [found[name].record.repeats for name in TITLES] == [3, 3, 2, 2]


@pytest.mark.usefixtures("few_trees")
def test_predictions_do_not_depend_on_the_order_of_the_subjects() -> None:
    subjects, folds = trial(150), folds_of(150, repeats=1)
    order = np.random.default_rng(3).permutation(150)
    found = predict_out_of_fold(subjects, folds, ENCODING, tuple(TITLES), seed=0)
    moved = predict_out_of_fold(subjects.take(order), folds[order], ENCODING, tuple(TITLES), seed=0)
    for name in each(TITLES):
        assert np.array_equal(found[name].probabilities[order], moved[name].probabilities)


def test_a_large_trial_is_sampled_by_pseudonym(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_folds, "MOST_SUBJECTS", 50)
    found = predict_split(trial(200), trial(10, seed=2), ENCODING, (BASE_RATE, RIDGE), seed=0)
    assert found[RIDGE].record.most_subjects == 50
    assert found[BASE_RATE].record.most_subjects == 200
    expected = fit_predict(
        RIDGE, trial(200).arrays.head(50), trial(10, seed=2).arrays, ENCODING, seed=0
    )
    assert found[RIDGE].probabilities[:, 0] == pytest.approx(expected, abs=1e-6)
