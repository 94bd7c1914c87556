from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from trainer.arrays import Arrays
from trainer.linear import fit_linear
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
