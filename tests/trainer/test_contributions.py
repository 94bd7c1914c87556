"""Contributions to predictions that can be computed by hand."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from trainer.contributions import Contributions, orders, reference_codes

NUMBERS = tf.constant([[1.0, 2.0, -1.0, 0.0, 0.0, 0.0], [0.0, 3.0, 2.0, 1.0, 0.0, 0.0]])
"""Scores of three numbers, and which of them are missing; two subjects."""

CODES = tf.constant([[0], [2]])
"""Codes of one category."""

OF_CODES = tf.constant([0.25, 0.5, 4.0])


def explained(log_odds: Any, reference: int = 1) -> NDArray[np.float64]:
    """Contributions of three numbers and a category, and the reference; `[subjects, 5]`."""
    found = Contributions(log_odds, numeric=3, reference=[reference])(NUMBERS, CODES)
    return np.asarray(found[:, :, 0], np.float64)


def linear(numbers: Any, codes: Any) -> Any:
    """2 for the first number, 10 if it is missing, nothing for the second, -1 for the third."""
    weights = tf.constant([2.0, 0.0, -1.0, 10.0, 0.0, 5.0])
    return (tf.linalg.matvec(numbers, weights) + tf.gather(OF_CODES, codes[:, 0]) + 0.5)[:, None]


def product(numbers: Any, _: Any) -> Any:
    return (numbers[:, 0] * numbers[:, 1])[:, None]


def tangled(numbers: Any, codes: Any) -> Any:
    """All four features together."""
    score = tf.gather(OF_CODES, codes[:, 0])
    return (tf.tanh(numbers[:, 0] * numbers[:, 1] - score) * (1 + numbers[:, 2]))[:, None]


def test_of_a_linear_model_are_weights_times_differences_from_the_reference() -> None:
    assert explained(linear).tolist() == [
        [2.0, 0.0, 1.0, -0.25, 1.0],
        [10.0, 0.0, -2.0, 3.5, 1.0],
    ]


def test_a_missing_value_contributes() -> None:
    assert explained(linear)[1, 0] == 10.0


def test_a_feature_that_the_model_does_not_use_contributes_exactly_nothing() -> None:
    assert np.all(explained(linear)[:, 1] == 0.0)
    assert np.all(explained(product)[:, 2:4] == 0.0)


def test_two_features_that_work_together_share_what_they_do() -> None:
    assert explained(product)[0].tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]


def test_the_sum_is_the_prediction() -> None:
    predicted = np.asarray(tangled(NUMBERS, CODES))[:, 0]
    np.testing.assert_allclose(explained(tangled).sum(axis=1), predicted, atol=1e-5)


def test_the_reference_subject_has_no_contributions() -> None:
    of = Contributions(tangled, numeric=3, reference=[1])
    found = np.asarray(of(tf.zeros([1, 6]), tf.constant([[1]])))[0, :, 0]
    assert found[:-1].tolist() == [0.0] * 4
    assert found[-1] == pytest.approx(math.tanh(-0.5))


def test_a_subject_is_explained_alike_in_any_batch() -> None:
    of = Contributions(tangled, numeric=3, reference=[1])
    alone = np.asarray(of(NUMBERS[1:], CODES[1:]))
    np.testing.assert_allclose(alone[0], np.asarray(of(NUMBERS, CODES))[1], atol=1e-6)


def test_no_subject_has_no_contributions() -> None:
    of = Contributions(linear, numeric=3, reference=[1])
    assert of(NUMBERS[:0], CODES[:0]).shape == (0, 5, 1)


def test_what_three_features_do_is_close_to_the_average_of_all_orders() -> None:
    exact = _over_all_orders(np.array([1.0, 2.0, -1.0]), 0)
    np.testing.assert_allclose(explained(tangled)[0, :-1], exact, atol=0.1)


def _over_all_orders(scores: NDArray[np.float64], code: int) -> NDArray[np.float64]:
    """Shapley values of `tangled` for a subject without missing values."""

    def value(joined: frozenset[int]) -> float:
        numbers = [[*(float(x) if n in joined else 0.0 for n, x in enumerate(scores)), 0, 0, 0]]
        codes = [[code if 3 in joined else 1]]
        return float(tangled(tf.constant(numbers, tf.float32), tf.constant(codes))[0, 0])

    total = np.zeros(4)
    for order in itertools.permutations(range(4)):
        for place, feature in enumerate(order):
            before = frozenset(order[:place])
            total[feature] += value(before | {feature}) - value(before)
    return total / math.factorial(4)


def test_each_order_comes_with_its_reverse() -> None:
    found = {tuple(places) for places in orders(5).tolist()}
    assert found == {tuple(4 - place for place in places) for places in found}


def test_the_reference_has_the_most_frequent_category() -> None:
    vocabulary = [b"1\x1fUK", b"0\x1fM", b"1\x1fPL", b"0\x1fF"]
    assert reference_codes(vocabulary, columns=2) == (1, 0)


def test_a_feature_with_rare_categories_alone_has_their_code_in_the_reference() -> None:
    assert reference_codes([b"0\x1fM"], columns=2) == (0, 2)


def test_a_vocabulary_without_a_category_has_an_entry_that_is_none() -> None:
    assert reference_codes([b"49d0cd50-04bb-48c0-bc6f-5b575dce351a"], columns=1) == (1,)


def pairs(log_odds: Any) -> NDArray[np.float64]:
    found = Contributions(log_odds, numeric=3, reference=[1]).pairs(NUMBERS, CODES)
    return np.asarray(found[:, :, :, 0], np.float64)


def test_two_features_of_a_linear_model_do_nothing_together() -> None:
    np.testing.assert_allclose(pairs(linear), 0.0, atol=1e-5)


def test_a_pair_is_what_both_do_and_neither_does_alone() -> None:
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[1, 0] = 2.0
    assert pairs(product)[0].tolist() == expected.tolist()


def test_pairs_are_symmetric_and_no_feature_is_one_with_itself() -> None:
    found = pairs(tangled)
    np.testing.assert_allclose(found, found.transpose(0, 2, 1), atol=1e-6)
    assert np.all(np.diagonal(found, axis1=1, axis2=2) == 0.0)
    assert np.abs(found).max() > 0.1
