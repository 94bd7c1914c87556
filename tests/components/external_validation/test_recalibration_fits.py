"""Which fits of an update exist, and that those found are at the maximum of the likelihood."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from components.external_validation.recalibration import recalibrate
from pipeline.results.validation import UPDATE_METHODS

Numbers = NDArray[np.float64]


@settings(max_examples=60)
@given(
    below=st.lists(st.integers(-8, 0), min_size=1, max_size=12),
    above=st.lists(st.integers(0, 8), min_size=1, max_size=12),
    reverse=st.booleans(),
)
def test_separated_outcomes_have_no_logistic_recalibration(
    below: list[int], above: list[int], reverse: bool
) -> None:
    """Nor where the subjects at the threshold itself have both outcomes."""
    logit = np.array([*below, *above], np.float64)
    outcome = np.array([float(reverse)] * len(below) + [float(not reverse)] * len(above))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert recalibrate("logistic_recalibration", logit, outcome) is None
        assert recalibrate("recalibration_in_the_large", logit, outcome) is not None


def test_predictions_that_are_far_off_are_recalibrated() -> None:
    """Newton's method from the observed outcomes diverges here."""
    found = recalibrate(
        "recalibration_in_the_large", np.array([-1.0, -1.0, 8.0]), np.array([1.0, 1.0, 0.0])
    )
    assert found is not None
    updated = found.apply(np.array([-1.0, -1.0, 8.0]))
    assert updated.mean() == pytest.approx(2 / 3)


def overlap(one: Numbers, other: Numbers) -> bool:
    return bool(one.min() < other.max() and other.min() < one.max())


@settings(max_examples=25)
@given(
    spread=st.sampled_from([0.1, 1.0, 3.0, 8.0]),
    mean=st.sampled_from([-6.0, 0.0, 3.0]),
    slope=st.sampled_from([-1.0, 0.1, 1.0, 3.0]),
    seed=st.integers(0, 1_000),
)
def test_a_fit_without_warnings_solves_its_equations(
    spread: float, mean: float, slope: float, seed: int
) -> None:
    """At the maximum the residuals add up to 0, and with a slope those by logit, too."""
    random = np.random.default_rng(seed)
    logit = np.clip(random.normal(mean, spread, 120), -16.0, 16.0)
    outcome = (random.random(120) < 1 / (1 + np.exp(-slope * logit))).astype(np.float64)

    positive, negative = logit[outcome > 0], logit[outcome == 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        large, logistic = (recalibrate(method, logit, outcome) for method in UPDATE_METHODS)

    assert (large is not None) == (len(positive) > 0 and len(negative) > 0)
    assert (logistic is not None) == (large is not None and overlap(positive, negative))
    if large is not None:
        assert (outcome - large.apply(logit)).sum() == pytest.approx(0, abs=1e-5)
    if logistic is not None:
        residual = outcome - logistic.apply(logit)
        assert [residual.sum(), residual @ logit] == pytest.approx([0, 0], abs=1e-4)
