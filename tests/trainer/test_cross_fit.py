import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import trainer.courses as module
from trainer.arrays import Arrays
from trainer.calibration import Calibration
from trainer.courses import train_stack
from trainer.cross_fit import OutOfFold, cross_fit
from trainer.model import Encoding, Hyperparameters
from trainer.procedures import Plan, plan_models

ENCODING = Encoding(numbers=3, categories=1, codes=2, tasks=("death", "ae"))
SMALL = Hyperparameters(
    members=4, width=8, depth=1, batch_size=32, max_epochs=4, learning_rate=0.01
)


def trial(count: int, seed: int = 0, strength: float = 1.5) -> Arrays:
    """Three standard normal numbers, one category; the first number raises both risks."""
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=(count, 3)).astype(np.float32)
    categories = generator.integers(0, 2, size=(count, 1)).astype(np.int32)
    chance = 1 / (1 + np.exp(-strength * numbers[:, :1]))
    labels = (generator.random((count, 2)) < chance).astype(np.float32)
    weights = (generator.random((count, 2)) < 0.9).astype(np.float32)
    return Arrays(numbers, categories, labels * weights, weights)


def dealt(count: int, folds: int, repeats: int) -> NDArray[np.int64]:
    """Folds of equal size, in another order in each repeat."""
    order = np.arange(count) % folds
    return np.stack([np.random.default_rng(r).permutation(order) for r in range(repeats)], axis=1)


def predicted(arrays: Arrays, folds: NDArray[np.int64], seed: int = 3) -> OutOfFold:
    return cross_fit(arrays, folds, ENCODING, SMALL, seed)


@pytest.fixture(scope="module")
def sixty() -> NDArray[np.float32]:
    """Predictions of sixty subjects in five folds."""
    return predicted(trial(60), dealt(60, 5, 1)).probabilities


@pytest.mark.parametrize("folds", [2, 3, 5, 7])
def test_no_model_was_trained_on_a_subject_that_it_is_checked_on_or_predicts(folds: int) -> None:
    arrays = trial(70)
    plan = plan_models(dealt(70, folds, 2), arrays, seed=1)

    assert len(plan.procedures) == 2 * folds
    for procedure in plan.procedures:
        assert not np.any(procedure.trained & procedure.predicted)
        assert len(procedure.parts) == 4
        checked = np.concatenate([part.rows for part in procedure.parts])
        np.testing.assert_array_equal(np.sort(checked), np.flatnonzero(procedure.trained))
        for part in procedure.parts:
            seen = np.zeros(70, bool)
            seen[plan.trained[part.model]] = True
            assert seen.any()
            assert not np.any(seen & procedure.predicted)
            assert not np.any(seen[part.rows])


@pytest.mark.parametrize("folds", [3, 5])
def test_every_subject_is_predicted_once_in_each_repeat(folds: int) -> None:
    plan = plan_models(dealt(70, folds, 2), trial(70), seed=1)

    for repeat in (0, 1):
        masks = [p.predicted for p in plan.procedures if p.repeat == repeat]
        np.testing.assert_array_equal(np.sum(masks, axis=0), np.ones(70))


def test_five_folds_share_a_model_for_each_pair_that_it_leaves_out() -> None:
    assert len(plan_models(dealt(50, 5, 1), trial(50), seed=1).trained) == 10
    assert len(plan_models(dealt(50, 4, 1), trial(50), seed=1).trained) == 16


def flipped(arrays: Arrays, rows: NDArray[np.bool_]) -> Arrays:
    """The same subjects; those in `rows` have the opposite labels, all of them known."""
    labels = np.where(rows[:, None], 1 - arrays.labels, arrays.labels).astype(np.float32)
    weights = np.where(rows[:, None], 1, arrays.weights).astype(np.float32)
    return dataclasses.replace(arrays, labels=labels, weights=weights)


def _largest_change(folds: int) -> float:
    """Change of the predictions of fold 0 when the labels of fold 0 are flipped."""
    arrays, assigned = trial(60), dealt(60, folds, 1)
    own = assigned[:, 0] == 0
    before = predicted(arrays, assigned).probabilities[own]
    after = predicted(flipped(arrays, own), assigned).probabilities[own]
    return float(np.abs(before - after).max())


@pytest.mark.parametrize("folds", [3, 5])
def test_the_labels_of_a_fold_do_not_reach_its_own_predictions(folds: int) -> None:
    assert _largest_change(folds) < 1e-6


def test_a_calibration_that_peeks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = module.Course.calibration.fget  # type: ignore[attr-defined]
    arrays_of = module.Course.__init__

    def remember(course: Any, procedure: Any, arrays: Arrays, *more: Any) -> None:
        arrays_of(course, procedure, arrays, *more)
        course.peeked = arrays.labels[procedure.predicted]

    def peek(course: Any) -> Calibration:
        return Calibration(honest(course).slopes, tuple(course.peeked.mean(axis=0).tolist()))

    monkeypatch.setattr(module.Course, "__init__", remember)
    monkeypatch.setattr(module.Course, "calibration", property(peek))

    assert _largest_change(5) > 0.01


def test_the_labels_of_the_other_folds_do_reach_it(sixty: NDArray[np.float32]) -> None:
    arrays, assigned = trial(60), dealt(60, 5, 1)
    own = assigned[:, 0] == 0
    before = sixty[own]
    after = predicted(flipped(arrays, ~own), assigned).probabilities[own]

    assert np.abs(before - after).max() > 0.1


def test_a_model_of_the_stack_is_what_it_is_alone() -> None:
    arrays = trial(90)
    whole = plan_models(dealt(90, 3, 1), arrays, seed=1)
    first = whole.procedures[0]
    alone = Plan(whole.trained[:4], whole.seeds[:4], (first,))
    assert {part.model for part in first.parts} == {0, 1, 2, 3}
    fast = dataclasses.replace(SMALL, learning_rate=0.05, dropout=0.2)

    together, single = (
        train_stack(plan, arrays, ENCODING, fast, 5).courses[0] for plan in (whole, alone)
    )

    assert together.chosen().epoch == single.chosen().epoch > 0
    np.testing.assert_allclose(together.logits(), single.logits(), atol=1e-4)


def test_the_same_seed_gives_the_same_predictions_and_another_seed_others() -> None:
    arrays, assigned = trial(60), dealt(60, 5, 2)
    first = predicted(arrays, assigned).probabilities

    np.testing.assert_allclose(first, predicted(arrays, assigned).probabilities, atol=1e-6)
    assert np.abs(first - predicted(arrays, assigned, seed=4).probabilities).max() > 1e-4


def test_a_signal_is_found_and_its_predictions_are_probabilities_of_every_subject() -> None:
    from sklearn.metrics import roc_auc_score

    arrays = trial(300)
    found = predicted(arrays, dealt(300, 5, 2)).probabilities

    assert found.shape == (300, 2, 2)
    assert found.dtype == np.float32
    assert np.all((found > 0) & (found < 1))
    known = arrays.weights[:, 0] > 0
    assert roc_auc_score(arrays.labels[known, 0], found[known, 0, 0]) > 0.75


def test_linear_models_alone_need_no_ensemble() -> None:
    flat = dataclasses.replace(SMALL, depth=0)

    found = cross_fit(trial(60), dealt(60, 5, 1), ENCODING, flat, 1)

    assert np.all(np.isfinite(found.probabilities))


def test_the_order_of_the_subjects_changes_nothing(sixty: NDArray[np.float32]) -> None:
    arrays, assigned = trial(60), dealt(60, 5, 1)
    order = np.random.default_rng(9).permutation(60)

    shuffled = predicted(arrays.take(order), assigned[order]).probabilities

    np.testing.assert_allclose(shuffled, sixty[order], atol=1e-6)


def test_many_subjects_are_trained_fold_by_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.metrics import roc_auc_score

    for place in ("trainer.cross_fit", "trainer.final_fit"):
        monkeypatch.setattr(f"{place}.STACKED_SUBJECTS", 50)
    arrays, assigned = trial(240), dealt(240, 2, 1)
    own = assigned[:, 0] == 0

    before = predicted(arrays, assigned).probabilities
    after = predicted(flipped(arrays, own), assigned).probabilities

    np.testing.assert_allclose(before[own], after[own], atol=1e-6)
    known = arrays.weights[:, 0] > 0
    assert roc_auc_score(arrays.labels[known, 0], before[known, 0, 0]) > 0.75
