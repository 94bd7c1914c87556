"""Hyperparameters are chosen inside the training subjects of each fold, and of the final model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import trainer.cross_fit as module
import trainer.final_fit as final_module
from pipeline.study.sections import check_hyperparameters
from tests.each import each
from tests.trainer.test_cross_fit import ENCODING, SMALL, dealt, flipped, trial
from trainer.arrays import Arrays
from trainer.courses import train_stack
from trainer.cross_fit import OutOfFold, cross_fit
from trainer.final_fit import fit_on_all
from trainer.model import Hyperparameters
from trainer.procedures import plan_everyone, plan_models
from trainer.search_space import MOST_SETS, SPACE, other_sets

FLAT = dataclasses.replace(SMALL, depth=0, max_epochs=1)
"""The linear start alone, nearly."""

WILD = dataclasses.replace(SMALL, dropout=0.0, weight_decay=0.0, learning_rate=0.3, max_epochs=6)
STIFF = dataclasses.replace(SMALL, depth=0, max_epochs=1, penalty=1e6)
"""Predicts nearly the base rate."""

SETS = (FLAT, WILD, STIFF)


def tuned(arrays: Arrays, folds: NDArray[np.int64]) -> OutOfFold:
    return cross_fit(arrays, folds, ENCODING, SETS[0], 3, others=SETS[1:])


def predicted_by(arrays: Arrays, folds: NDArray[np.int64], hyper: Hyperparameters) -> OutOfFold:
    return cross_fit(arrays, folds, ENCODING, hyper, 3)


def scores(arrays: Arrays, folds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Loss on the inner parts: `[sets, procedures]`."""
    plan = plan_models(folds, arrays, 3)
    return np.array(
        [
            [course.best_score for course in train_stack(plan, arrays, ENCODING, h, 3).courses]
            for h in SETS
        ]
    )


@pytest.mark.parametrize("folds", [3, pytest.param(5, marks=pytest.mark.slow)])
def test_every_procedure_predicts_by_the_set_with_the_least_loss_on_its_inner_parts(
    folds: int,
) -> None:
    arrays, assigned = trial(60, strength=0.7), dealt(60, folds, 2)

    found = tuned(arrays, assigned)

    assert len(set(found.chosen.tolist())) > 1
    alone = [predicted_by(arrays, assigned, hyper).logits for hyper in SETS]
    for procedure, item in enumerate(found.chosen):
        np.testing.assert_allclose(found.logits[procedure], alone[item][procedure], atol=1e-5)
    order = arrays.order(assigned)
    best = scores(arrays.take(order), assigned[order]).argmin(axis=0)
    np.testing.assert_array_equal(found.chosen, best)


def _largest_change(folds: int, flipped_folds: Sequence[int]) -> float:
    """Change of the predictions of some folds when their own labels are flipped, each in turn."""
    arrays, assigned = trial(60, strength=0.7), dealt(60, folds, 1)
    before = tuned(arrays, assigned).probabilities
    changes = []
    for fold in flipped_folds:
        own = assigned[:, 0] == fold
        after = tuned(flipped(arrays, own), assigned).probabilities
        changes.append(float(np.abs(before[own] - after[own]).max()))
    return max(changes)


@pytest.mark.parametrize("folds", [3, pytest.param(5, marks=pytest.mark.slow)])
def test_no_procedure_chooses_by_the_labels_of_the_fold_that_it_predicts(folds: int) -> None:
    assert _largest_change(folds, (0, 1)) < 1e-6


def test_a_choice_that_peeks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def peeking(plan: Any, arrays: Arrays, *more: Any) -> Any:
        found = train_stack(plan, arrays, *more)
        for course in found.courses:
            rows = course.procedure.predicted
            losses = np.logaddexp(0, course.logits()[rows] * (1 - 2 * arrays.labels[rows]))
            course._scores[course._best] = float(losses.mean())
        return found

    monkeypatch.setattr(module, "train_stack", peeking)

    assert _largest_change(5, (0,)) > 0.01


def test_the_final_model_chooses_on_its_own_inner_parts() -> None:
    arrays = trial(80, strength=0.7)
    subjects = arrays.take(arrays.order())
    plan = plan_everyone(subjects, 1)
    losses = [
        train_stack(plan, subjects, ENCODING, hyper, 1).courses[0].best_score for hyper in SETS
    ]

    found = fit_on_all(arrays, ENCODING, SETS[0], 1, others=SETS[1:])

    assert found.hyperparameters == SETS[int(np.argmin(losses))]
    assert found.history.score == pytest.approx(min(losses))


@pytest.mark.slow
def test_with_more_subjects_each_fold_chooses_on_a_quarter_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "STACKED_SUBJECTS", 10)
    monkeypatch.setattr(final_module, "STACKED_SUBJECTS", 10)
    arrays, assigned = trial(60), dealt(60, 2, 1)
    sets = (STIFF, SMALL)

    found = cross_fit(arrays, assigned, ENCODING, sets[0], 3, others=sets[1:])

    own = assigned[:, 0] == 0
    after = cross_fit(flipped(arrays, own), assigned, ENCODING, sets[0], 3, others=sets[1:])
    np.testing.assert_allclose(after.probabilities[own], found.probabilities[own], atol=1e-6)
    np.testing.assert_array_equal(found.chosen, [1, 1])


def test_without_other_sets_there_is_no_choice() -> None:
    arrays, assigned = trial(40), dealt(40, 2, 1)
    assert predicted_by(arrays, assigned, SMALL).chosen.tolist() == [0, 0]


def test_progress_is_that_of_all_sets() -> None:
    told: list[tuple[int, int]] = []

    cross_fit(
        *(trial(40), dealt(40, 2, 1), ENCODING, SMALL, 3),
        progress=lambda epoch, total, _: told.append((epoch, total)),
        others=(dataclasses.replace(SMALL, learning_rate=0.02),),
    )

    assert [epoch for epoch, _ in told] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert {total for _, total in told} == {8}


class TestOtherSets:
    def test_they_are_different_and_include_the_untuned_ones_once(self) -> None:
        others = other_sets(Hyperparameters(), (), seed=1)
        assert len({Hyperparameters(), *others}) == MOST_SETS == len(others) + 1

    def test_they_follow_the_seed_alone(self) -> None:
        first, again, other = (other_sets(Hyperparameters(), (), s) for s in (1, 1, 2))
        assert first == again
        assert first != other

    def test_what_the_study_file_chose_stays(self) -> None:
        chosen = {"depth": 1, "penalty": 3.0}
        own = Hyperparameters(**chosen)  # type: ignore[arg-type]
        for item in each(other_sets(own, chosen, seed=1)):
            assert (item.depth, item.penalty) == (1, 3.0)

    def test_a_space_of_few_values_has_no_more_sets(self) -> None:
        others = other_sets(Hyperparameters(), SPACE.keys() - {"depth"}, seed=1)
        assert sorted(item.depth for item in others) == [0, 1]

    def test_a_study_file_may_choose_each_of_them(self) -> None:
        for item in each(other_sets(Hyperparameters(), (), seed=1)):
            assert check_hyperparameters(dataclasses.asdict(item))
