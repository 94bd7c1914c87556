"""Importance on subjects whose contributions can be computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from pipeline.results.importance import FeaturePair, Importance
from trainer.arrays import Arrays
from trainer.contributions import Contributions
from trainer.importance import MOST_PAIRED, MOST_SUBJECTS, measure_importance

FEATURES = ("age", "bmi", "noise", "sex")


def arrays(scores: Any, codes: Any) -> Arrays:
    """Subjects with three numbers, none of them missing, and a category."""
    numbers = np.concatenate([np.asarray(scores), np.zeros((len(scores), 3))], axis=1)
    none = np.zeros((len(scores), 1), np.float32)
    return Arrays(numbers.astype(np.float32), np.array(codes, np.int32)[:, None], none, none)


def log_odds(numbers: Any, codes: Any) -> Any:
    """Twice the age, half the product of age and BMI for "both", and 3 for the second category."""
    age, bmi = numbers[:, 0], numbers[:, 1]
    of_code = tf.gather(tf.constant([0.0, 3.0]), codes[:, 0])
    return tf.stack([2 * age + of_code, 0.5 * age * bmi], axis=1)


def measured(found: Arrays) -> Importance:
    explained = Contributions(log_odds, numeric=3, reference=[0])
    return measure_importance(explained, found, FEATURES, ["alone", "both"])


FOUR = arrays([[1, 0, 5], [-1, 2, 6], [3, 4, 7], [-3, 0, 8]], [0, 1, 0, 0])


def test_importance_is_the_mean_size_of_the_contributions_the_largest_first() -> None:
    found = measured(FOUR)

    # Of the age 2 * (1 + 1 + 3 + 3) / 4, of the category 3 for one of four subjects.
    assert found.subjects == 4
    assert list(found.tasks["alone"].features) == ["age", "sex", "bmi", "noise"]
    assert found.tasks["alone"].features == pytest.approx(
        {"age": 4.0, "sex": 0.75, "bmi": 0.0, "noise": 0.0}
    )
    # A product is shared by both of its factors: half of 0, 1, 6 and 0.
    assert found.tasks["both"].features == pytest.approx(
        {"age": 0.875, "bmi": 0.875, "sex": 0.0, "noise": 0.0}
    )


def test_a_pair_is_named_where_the_model_uses_two_features_together() -> None:
    found = measured(FOUR)

    assert found.tasks["alone"].pairs == ()
    assert found.tasks["both"].pairs == (FeaturePair(first="age", second="bmi", size=1.75),)


def test_the_order_of_the_subjects_does_not_matter() -> None:
    generator = np.random.default_rng(4)
    many = arrays(generator.normal(size=(2_500, 3)), generator.integers(0, 2, 2_500))
    shuffled = many.take(generator.permutation(2_500))

    found = measured(many)

    assert (found.subjects, found.paired) == (500, 193)
    assert found.subjects <= MOST_SUBJECTS
    assert found.paired <= MOST_PAIRED
    assert measured(shuffled) == found


def test_of_many_subjects_those_at_equal_distances_stand_for_all() -> None:
    ages: NDArray[np.float64] = np.linspace(-3, 3, 5_000)
    zero = np.zeros(5_000)
    many = arrays(np.stack([ages, zero, zero], axis=1), zero)

    assert measured(many).tasks["alone"].features["age"] == pytest.approx(3.0, abs=0.02)
    assert not measured(many).is_shown(MOST_SUBJECTS + 1)
    assert measured(many).is_shown(20)
