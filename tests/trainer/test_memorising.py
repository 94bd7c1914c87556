"""Out of fold a model that memorises its subjects is no better than guessing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

import trainer.cross_fit as module
from trainer.arrays import Arrays
from trainer.cross_fit import cross_fit
from trainer.final_fit import fit_on_all
from trainer.model import Encoding, Hyperparameters
from trainer.procedures import Plan, plan_models

pytestmark = pytest.mark.slow

SUBJECTS, SEEDS = 200, 50
TASKS = tuple(f"noise_{seed}" for seed in range(SEEDS))
ENCODING = Encoding(numbers=2, categories=1, codes=SUBJECTS, tasks=TASKS)
MEMORISING = Hyperparameters(
    members=4, width=8, depth=1, dropout=0.0, max_epochs=2, batch_size=64, penalty=1e-4
)
FOLDS = (np.random.default_rng(0).permutation(SUBJECTS) % 5)[:, np.newaxis]


def noise() -> Arrays:
    """Labels of 50 seeds that no feature predicts; a category names each subject."""
    labels = [np.random.default_rng(seed).integers(0, 2, SUBJECTS) for seed in range(SEEDS)]
    return Arrays(
        numbers=np.random.default_rng(SEEDS).normal(size=(SUBJECTS, 2)).astype(np.float32),
        categories=np.arange(SUBJECTS, dtype=np.int32)[:, np.newaxis],
        labels=np.stack(labels, axis=1).astype(np.float32),
        weights=np.ones((SUBJECTS, SEEDS), np.float32),
    )


def mean_auc(scores: NDArray[np.float32], labels: NDArray[np.float32]) -> float:
    """Mean over seeds and folds."""
    return float(
        np.mean(
            [
                roc_auc_score(labels[rows, seed], scores[rows, seed])
                for rows in (FOLDS[:, 0] == fold for fold in range(5))
                for seed in range(SEEDS)
            ]
        )
    )


def test_it_knows_the_subjects_that_it_is_trained_on() -> None:
    arrays = noise()

    fitted = fit_on_all(arrays, ENCODING, MEMORISING, seed=1)

    assert mean_auc(fitted.predict(arrays).astype(np.float32), arrays.labels) > 0.9


def test_out_of_fold_it_guesses() -> None:
    arrays = noise()

    found = cross_fit(arrays, FOLDS, ENCODING, MEMORISING, seed=1)

    assert 0.47 < mean_auc(found.probabilities[:, 0], arrays.labels) < 0.52


def test_a_model_that_was_trained_on_those_it_predicts_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def peek(folds: NDArray[np.int64], arrays: Arrays, seed: int) -> Plan:
        plan = plan_models(folds, arrays, seed)
        everyone = np.arange(len(arrays))
        return dataclasses.replace(plan, trained=tuple(everyone for _ in plan.trained))

    monkeypatch.setattr(module, "plan_models", peek)
    arrays = noise()

    found = cross_fit(arrays, FOLDS, ENCODING, MEMORISING, seed=1)

    assert mean_auc(found.probabilities[:, 0], arrays.labels) > 0.9
