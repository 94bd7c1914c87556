from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from trainer.arrays import Arrays
from trainer.linear import choose_penalties, fit_linear
from trainer.model import Encoding

ENCODING = Encoding(numbers=2, categories=2, codes=5, tasks=("death", "ae"))
NUMBERS = np.array([[0.8, -0.5], [-0.4, 0.0]])
CODES = np.array([[0.0, 0.5], [1.0, 0.0], [-1.0, -0.5], [0.3, 0.0], [-0.3, 0.0]])


def truth(arrays: Any) -> Any:
    return arrays.numbers @ NUMBERS + CODES[arrays.categories].sum(axis=1) + np.array([-0.5, 0.2])


def trial(count: Any, seed: Any = 0) -> Any:
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=(count, 2)).astype(np.float32)
    categories = generator.integers((0, 3), (3, 5), size=(count, 2)).astype(np.int32)
    blank = Arrays(numbers, categories, np.zeros((count, 2)), np.ones((count, 2), np.float32))
    chance = 1 / (1 + np.exp(-truth(blank)))
    labels = (generator.random((count, 2)) < chance).astype(np.float32)
    return Arrays(numbers, categories, labels, blank.weights)


def logits(start: Any, arrays: Any) -> Any:
    return arrays.numbers @ start.numbers + start.codes[arrays.categories].sum(axis=1) + start.bias


def one_hot(arrays: Any) -> Any:
    return np.concatenate([arrays.numbers, np.eye(5)[arrays.categories].sum(axis=1)], axis=1)


def test_linear_start_is_scikit_learns_ridge_logistic_regression() -> None:
    train = trial(500)
    reference = LogisticRegression(C=1 / 10.0, tol=1e-8, max_iter=1000)
    reference.fit(one_hot(train), train.labels[:, 0])

    found = logits(fit_linear(train, ENCODING, penalty=10.0), train)

    np.testing.assert_allclose(found[:, 0], reference.decision_function(one_hot(train)), atol=5e-3)


def test_linear_start_recovers_a_logistic_truth() -> None:
    train, fresh = trial(20_000), trial(1_000, seed=1)

    found = logits(fit_linear(train, ENCODING, penalty=1.0), fresh)

    assert np.sqrt(np.mean((found - truth(fresh)) ** 2)) < 0.06


def test_stronger_penalty_gives_smaller_weights() -> None:
    train = trial(300)

    weak, strong = (fit_linear(train, ENCODING, penalty) for penalty in (1.0, 100.0))

    assert np.linalg.norm(strong.numbers) < np.linalg.norm(weak.numbers)
    assert np.linalg.norm(strong.codes) < np.linalg.norm(weak.codes)


def test_task_without_a_known_label_gets_no_weight() -> None:
    train = trial(200)
    train.weights[:, 1] = 0.0

    found = fit_linear(train, ENCODING, penalty=1.0)

    assert np.all(found.numbers[:, 1] == 0.0)
    assert found.bias[1] == 0.0


def test_outcome_that_no_subject_has_is_predicted_to_be_rare() -> None:
    train = trial(200)
    train.labels[:, 0] = 0.0

    found = logits(fit_linear(train, ENCODING, penalty=1.0), train)

    assert np.all(np.isfinite(found))
    assert np.max(found[:, 0]) < -4.0


@pytest.mark.parametrize("missing_kind", ["numbers", "categories"])
def test_one_kind_of_feature_is_enough(missing_kind: Any) -> None:
    train = trial(200)
    empty = {
        "numbers": (np.zeros((200, 0), np.float32), train.categories),
        "categories": (train.numbers, np.zeros((200, 0), np.int32)),
    }[missing_kind]
    encoding = {
        "numbers": Encoding(0, 2, 5, ENCODING.tasks),
        "categories": Encoding(2, 0, 0, ENCODING.tasks),
    }[missing_kind]

    found = fit_linear(Arrays(*empty, train.labels, train.weights), encoding, 1.0)

    assert found.numbers.shape == (encoding.numbers, 2)
    assert found.codes.shape == (encoding.codes, 2)
    assert np.any(np.concatenate([found.numbers, found.codes]) != 0.0)


def test_the_penalty_is_larger_where_there_is_less_to_learn() -> None:
    strong, noise = (
        choose_penalties(subjects, Encoding(3, 1, 2, ("death", "ae")), (1.0, 10.0, 1000.0))
        for subjects in (_trial_of_strength(2.0), _trial_of_strength(0.0))
    )

    assert np.all(strong < 1000.0)
    assert np.all(noise == 1000.0)


def test_the_penalty_is_that_of_leaving_each_subject_out_in_turn() -> None:
    """Ridge regression refitted without each subject, its intercept unpenalised."""
    subjects = _trial_of_strength(0.4, count=25)
    encoding, penalties = Encoding(3, 1, 2, ("death", "ae")), (0.3, 3.0, 30.0)
    codes = np.eye(2)[subjects.categories[:, 0]]
    design = np.hstack([subjects.numbers, codes]).astype(np.float64)

    def error(task: int, penalty: float) -> float:
        labels = subjects.labels[:, task].astype(np.float64)
        total = 0.0
        for out in range(25):
            rest = np.arange(25) != out
            mean, rate = design[rest].mean(axis=0), labels[rest].mean()
            x, y = design[rest] - mean, labels[rest] - rate
            ridge = penalty / labels.var() * np.eye(5)
            weights = np.linalg.solve(x.T @ x + ridge, x.T @ y)
            total += (labels[out] - rate - (design[out] - mean) @ weights) ** 2
        return total

    expected = [min(penalties, key=lambda c, task=task: error(task, c)) for task in (0, 1)]  # type: ignore[misc]
    assert choose_penalties(subjects, encoding, penalties).tolist() == expected


def test_a_task_with_one_kind_of_label_has_the_largest_penalty() -> None:
    subjects = _trial_of_strength(1.0)
    subjects.labels[:, 1] = 0.0

    chosen = choose_penalties(subjects, Encoding(3, 1, 2, ("death", "ae")), (1.0, 10.0))

    assert chosen[1] == 10.0


def _trial_of_strength(strength: float, count: int = 200) -> Arrays:
    """Three standard normal numbers, the first raises both risks; one category."""
    generator = np.random.default_rng(4)
    numbers = generator.normal(size=(count, 3)).astype(np.float32)
    categories = generator.integers(0, 2, size=(count, 1)).astype(np.int32)
    chance = 1 / (1 + np.exp(-strength * numbers[:, :1]))
    labels = (generator.random((count, 2)) < chance).astype(np.float32)
    return Arrays(numbers, categories, labels, np.ones_like(labels))
