"""Where a model is wrong, of hand-made predictions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from notebooks.results.error_analysis import missing_bands, prediction_bands, task_errors

_OUTCOME = np.array([1.0] * 10 + [0.0] * 30)
_SEX = ["F"] * 20 + ["M"] * 20


def test_the_overall_error_is_the_mean_log_loss() -> None:
    found = task_errors(np.full(40, 0.25), _OUTCOME, {}, [], smallest=10)
    assert found is not None
    assert (found.overall.subjects, found.overall.observed) == (40, 0.25)
    assert found.overall.log_loss.value == pytest.approx(
        -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    )
    # One in four has the outcome, as was predicted.
    assert found.overall.unexpected.value == pytest.approx(0.0)


def test_a_group_that_is_predicted_wrongly_has_more_than_its_share_of_the_loss() -> None:
    # F: half have the outcome, M none; all are predicted the same.
    found = task_errors(np.full(40, 0.25), _OUTCOME, {"sex": _SEX}, [], smallest=10)
    assert found is not None
    of = {group.group[0][1]: group for group in found.groups}
    worst = -(math.log(0.25) + math.log(0.75)) / 2
    assert of["F"].log_loss.value == pytest.approx(worst)
    assert of["M"].log_loss.value == pytest.approx(-math.log(0.75))
    assert of["F"].share_of_subjects == 0.5
    assert of["F"].share_of_loss == pytest.approx(worst / (worst - math.log(0.75)))
    assert of["F"].excess == pytest.approx(-of["M"].excess)
    assert of["F"].unexpected.value is not None
    assert of["F"].unexpected.value > 0


def test_small_groups_are_suppressed_with_what_would_disclose_them() -> None:
    groups = ["F"] * 5 + ["M"] * 12 + ["U"] * 23
    found = task_errors(np.full(40, 0.25), _OUTCOME, {"sex": groups}, [], smallest=10)
    assert found is not None
    assert [group.group for group in found.groups] == [(("sex", "U"),)]
    assert found.hidden == 2


def test_what_is_suppressed_elsewhere_is_suppressed_here() -> None:
    hidden = [(("sex", "F"),)]
    found = task_errors(np.full(40, 0.25), _OUTCOME, {"sex": _SEX}, [], 10, hidden)
    assert found is not None
    assert [group.group for group in found.groups] == [(("sex", "M"),)]


def test_pairs_of_groupings_are_groups_too() -> None:
    arms = ["A", "B"] * 20
    found = task_errors(
        np.full(40, 0.25), _OUTCOME, {"sex": _SEX, "arm": arms}, [("sex", "arm")], smallest=10
    )
    assert found is not None
    assert (("sex", "F"), ("arm", "B")) in {group.group for group in found.groups}


def test_too_few_subjects_have_no_errors() -> None:
    assert task_errors(np.full(9, 0.5), np.zeros(9), {}, [], smallest=10) is None


def test_bands_of_predictions_have_round_edges_and_enough_subjects() -> None:
    names = prediction_bands(np.linspace(0.005, 0.995, 100), smallest=25)
    assert dict(zip(*np.unique(names, return_counts=True), strict=True)) == {
        "<25 %": 25,
        "25 to <50 %": 25,
        "50 to <75 %": 25,
        ">=75 %": 25,
    }


def test_few_subjects_are_one_band() -> None:
    assert prediction_bands(np.array([0.1, 0.9]), smallest=2) == ["any", "any"]


def test_missing_values_are_counted_in_bands() -> None:
    found = missing_bands(np.array([0, 1, 2, 3, 5, 6, 40]))
    assert found == ["none", "1 or 2", "1 or 2", "3 to 5", "3 to 5", "6 or more", "6 or more"]


def test_errors_of_weighted_subjects_are_weighted_means() -> None:
    outcome = np.array([1.0] * 10 + [0.0] * 30)
    weight = np.where(outcome > 0, 3.0, 1.0)

    found = task_errors(np.full(40, 0.25), outcome, {}, [], smallest=10, weight=weight)

    assert found is not None
    # Half of the weight has the outcome.
    assert found.overall.log_loss.value == pytest.approx(-(np.log(0.25) + np.log(0.75)) / 2)
    assert (found.overall.subjects, found.overall.observed) == (40, 0.25)
