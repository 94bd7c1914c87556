"""Sums over weighted subjects, against counts by hand and numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.weights import (
    effective_number,
    error_of_weighted_mean,
    is_weighted,
    mean_and_deviation,
    weighted_mean,
)

few_examples = settings(max_examples=20, deadline=None)
drawn = st.lists(st.floats(1, 20), min_size=3, max_size=40)


def test_subjects_of_weight_one_or_none_are_not_weighted() -> None:
    assert not is_weighted(np.array([1.0, 0.0, np.nan], np.float32))
    assert not is_weighted(np.array([True, False]))
    assert is_weighted(np.array([1.0, 0.0, 1.25], np.float32))


@few_examples
@given(weights=drawn)
def test_the_effective_number_is_at_most_that_of_the_subjects(weights: list[float]) -> None:
    found = effective_number(np.array([*weights, 0.0]))

    assert 1 <= found <= len(weights)
    assert effective_number(np.full(len(weights), 1.7)) == len(weights)


@few_examples
@given(weights=drawn, factor=st.floats(0.01, 100))
def test_mean_and_error_do_not_depend_on_the_scale_of_the_weights(
    weights: list[float], factor: float
) -> None:
    own = np.array(weights)
    values = np.sin(np.arange(len(own)))

    assert weighted_mean(values, own) == pytest.approx(np.average(values, weights=own))
    assert weighted_mean(values, own * factor) == pytest.approx(weighted_mean(values, own))
    error = error_of_weighted_mean(values, own)
    assert error_of_weighted_mean(values, own * factor) == pytest.approx(error)


def test_equal_weights_have_the_mean_and_the_error_of_unweighted_values() -> None:
    values = np.array([1.0, 2.0, 4.0, 9.0])

    found = error_of_weighted_mean(values, np.full(4, 2.5))

    assert found == pytest.approx(values.std(ddof=1) / 2)
    assert mean_and_deviation(values, np.full(4, 2.5)) == pytest.approx((4.0, values.std(ddof=1)))


def test_a_deviation_is_that_of_the_subjects_who_are_stood_for() -> None:
    values, weights = np.array([0.0, 1.0]), np.array([3.0, 1.0])

    mean, deviation = mean_and_deviation(np.tile(values, 500), np.tile(weights, 500))

    assert (mean, deviation) == pytest.approx((0.25, math.sqrt(3) / 4), rel=1e-3)
