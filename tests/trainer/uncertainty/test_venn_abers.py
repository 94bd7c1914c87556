"""Venn-Abers intervals against hand computation and against a fit again for each subject."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from tests.each import each
from trainer.uncertainty.venn_abers import fit_venn_abers, merged


def fitted_again(
    score: NDArray[Any], label: NDArray[Any], weight: NDArray[Any], new: float, outcome: int
) -> float:
    """The definition: isotonic regression of all subjects and a new one, at its score."""
    known = weight > 0
    fitted = IsotonicRegression().fit(
        np.append(score[known], new),
        np.append(label[known], outcome),
        sample_weight=np.append(weight[known], weight[known].mean()),
    )
    return float(fitted.predict([new])[0])


@st.composite
def calibrated(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Scores with ties, labels, and weights of which the first is above 0."""
    subjects = draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    score = (rng.integers(0, draw(st.integers(1, 40)), subjects) / 40).astype(np.float32)
    weight = rng.integers(0, 3, subjects) * 1.5 if draw(st.booleans()) else np.ones(subjects)
    weight[0] = 1.0
    return score, rng.integers(0, 2, subjects).astype(float), weight


def test_interval_of_four_subjects_by_hand() -> None:
    score, label = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 1, 0, 1])

    lower, upper = fit_venn_abers(score, label, np.ones(4))(np.array([0.2, 0.4]))

    # At .2 with the outcome: 0 | 1, 1, 0 pooled | 1; without it: 0 | 1, 0, 0 pooled | 1.
    assert (lower[0], upper[0]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    # At .4 with the outcome: 1, 1 alone; without it 1, 0, 1, 0 pooled.
    assert (lower[1], upper[1]) == (pytest.approx(1 / 2), pytest.approx(1.0))


@given(calibrated())
@settings(max_examples=200, deadline=None)
def test_steps_are_the_fits_with_each_new_subject(
    subjects: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
) -> None:
    score, label, weight = subjects
    interval = fit_venn_abers(score, label, weight)

    for new in each(np.unique(score[weight > 0])):
        lower, upper = interval(np.array([new]))
        assert lower[0] == pytest.approx(fitted_again(*subjects, new, 0), abs=1e-6)
        assert upper[0] == pytest.approx(fitted_again(*subjects, new, 1), abs=1e-6)


@given(calibrated())
@settings(deadline=None)
def test_a_whole_weight_counts_as_that_many_subjects_of_the_calibration(
    subjects: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
) -> None:
    score, label, _ = subjects
    twice = fit_venn_abers(score, label, np.full(len(score), 2.0))
    once = fit_venn_abers(score, label, np.ones(len(score)))

    # Both the subjects and the new one count twice: the scale of weights has no influence.
    assert np.allclose(twice.lower, once.lower)
    assert np.allclose(twice.upper, once.upper)


def test_unknown_outcomes_have_no_influence() -> None:
    score, label, weight = np.array([0.2, 0.5, 0.8]), np.array([0, 1, 1]), np.array([1.0, 0.0, 1.0])

    found = fit_venn_abers(score, label, weight)

    assert len(found.lower) == 2
    assert np.allclose(found.upper, fit_venn_abers(score[[0, 2]], label[[0, 2]], np.ones(2)).upper)


def test_lower_is_below_upper_and_both_rise_with_the_score() -> None:
    rng = np.random.default_rng(3)
    score = rng.random(3_000)
    found = fit_venn_abers(score, rng.random(3_000) < score, np.ones(3_000))

    assert (found.lower < found.upper).all()
    assert (np.diff(found.lower) >= 0).all()
    assert (np.diff(found.upper) >= 0).all()


@pytest.mark.parametrize(("fewest", "steps"), [(1, 500), (30, 33)])
def test_steps_are_few_and_each_has_enough_subjects(fewest: int, steps: int) -> None:
    rng = np.random.default_rng(4)
    score = rng.random(1_000).astype(np.float32)
    found = fit_venn_abers(score, rng.random(1_000) < score, np.ones(1_000), fewest, 500)

    held = np.bincount(np.searchsorted(found.starts, score, side="right"))
    assert len(found.lower) == steps
    assert held.min() >= max(fewest, 2)


def test_a_new_score_between_two_belongs_to_the_nearer() -> None:
    found = fit_venn_abers(np.array([0.2, 0.4]), np.array([0, 1]), np.ones(2))

    assert found(np.array([0.29]))[1][0] == found(np.array([0.2]))[1][0]
    assert found(np.array([0.31]))[1][0] == found(np.array([0.4]))[1][0]


def test_interval_narrows_with_the_number_of_subjects() -> None:
    def width(subjects: int) -> float:
        rng = np.random.default_rng(5)
        score = rng.random(subjects)
        lower, upper = fit_venn_abers(score, rng.random(subjects) < score, np.ones(subjects))(score)
        return float(np.mean(upper - lower))

    assert width(4_000) < width(1_000) / 2 < width(250) / 4


def test_merged_probability_is_calibrated_where_the_prediction_is_not() -> None:
    rng = np.random.default_rng(6)
    truth = rng.random(20_000)
    outcome, score = rng.random(20_000) < truth, truth**3
    interval = fit_venn_abers(score[:10_000], outcome[:10_000], np.ones(10_000))

    found = merged(*interval(score[10_000:]))

    assert np.mean(np.abs(found - truth[10_000:])) < 0.03
    assert np.mean(np.abs(score[10_000:] - truth[10_000:])) > 0.2
