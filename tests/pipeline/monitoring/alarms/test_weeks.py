"""Sides of comparisons and what their differences have in common."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.monitoring.alarms.weeks import Sizes, pairs
from tests.each import each


def sizes(*subjects: float, weight: float = 1.0) -> Sizes:
    of_weeks = np.array(subjects)
    return Sizes(100.0, of_weeks * weight, of_weeks * weight**2)


def test_the_training_is_compared_with_all_weeks_so_far() -> None:
    found = list(pairs([1, 3], "training"))
    assert [pair.now.weeks.tolist() for pair in found] == [[True, False], [True, True]]
    for pair in each(found):
        assert not pair.before.weeks.any()
        assert pair.before.training


def test_thirteen_weeks_are_compared_with_all_before_them() -> None:
    # After week 14 week 1 is earlier; after week 17 weeks 1 and 4 are.
    found = list(pairs([1, 4, 14, 17], "earlier"))
    assert [pair.at for pair in found] == [2, 3]
    assert [pair.before.weeks.tolist() for pair in found] == [
        [True, False, False, False],
        [True, True, False, False],
    ]
    assert [pair.now.weeks.tolist() for pair in found] == [
        [False, True, True, False],
        [False, False, True, True],
    ]


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_looks_share_the_noise_of_the_training(weight: float) -> None:
    # Variances are 1/100 + 1/50 and 1/100 + 1/100, their covariance 1/100 + 50 / (50 x 100).
    found = sizes(50, 50, weight=weight).correlations(list(pairs([1, 2], "training")))
    assert found == pytest.approx([0.0, math.sqrt(0.02 / 0.03)])


def test_a_window_shares_the_weeks_of_the_window_before() -> None:
    # After week 14: weeks 2 to 14 (20 + 30) beside training and week 1 (100 + 10).
    # After week 15: weeks 3 to 15 (30 + 40) beside training and weeks 1 and 2 (100 + 10 + 20).
    compared = list(pairs([1, 2, 14, 15], "earlier"))
    covariance = 110 / (110 * 130) - 20 / (50 * 130) + 30 / (50 * 70)
    variances = (1 / 50 + 1 / 110) * (1 / 70 + 1 / 130)
    found = sizes(10, 20, 30, 40).correlations(compared)
    assert found == pytest.approx([0.0, covariance / math.sqrt(variances)])


def test_weights_make_fewer_effective_subjects() -> None:
    mixed = Sizes(100.0, np.array([4.0]), np.array([10.0]))
    [pair] = pairs([1], "training")
    assert mixed.effective(pair.now) == 1.6
    assert mixed.effective(pair.before) == 100
