"""Thresholds of prediction sets: by hand, and their coverage in simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.uncertainty.conformal import (
    Threshold,
    conformal_quantile,
    fit_threshold,
    members_of,
    with_unknown_group,
)


def alone(subjects: int) -> NDArray[np.bool_]:
    """Membership in no group."""
    return np.zeros((subjects, 0), np.bool_)


def test_quantile_counts_the_new_subject() -> None:
    # 18 of 19 + 1 subjects are .9; without the new one .9 of 19 would be the 18th too, of 20 not.
    assert conformal_quantile(np.arange(1.0, 20.0), np.ones(19), 0.9) == 18.0
    assert conformal_quantile(np.arange(1.0, 21.0), np.ones(20), 0.9) == 19.0


def test_quantile_of_too_few_subjects_leaves_no_subject_out() -> None:
    assert conformal_quantile(np.arange(8.0), np.ones(8), 0.9) == math.inf


def test_quantile_is_weighted_and_the_new_subject_has_the_largest_weight() -> None:
    # .5 of 1 + 1 + 4 + 4 is 5: reached with the third.
    assert conformal_quantile(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 4.0]), 0.5) == 3.0
    # .5 of 4 + 1 + 1 + 4 is 5: reached with the second.
    assert conformal_quantile(np.array([1.0, 2.0, 3.0]), np.array([4.0, 1.0, 1.0]), 0.5) == 2.0


def test_groups_add_to_the_threshold() -> None:
    members = np.array([[True, False], [True, True], [False, False]])

    assert Threshold(0.5, {0: 0.1, 1: -0.3}, 0.4)(members) == pytest.approx([0.6, 0.3, 0.5])


def test_a_subject_whose_groups_are_not_all_known_has_the_threshold_without_groups() -> None:
    slices = {"sex": np.array(["F", "M", "F", ""]), "age": np.array(["old", "old", "", ""])}
    groups = [{"sex": "F"}, {"age": "young"}]
    unknown = with_unknown_group(slices, groups, 4)

    assert unknown.tolist() == [False, False, True, True]
    found = Threshold(0.5, {0: 0.1, 1: -0.3}, 0.4)(members_of(slices, groups, 4), unknown)
    assert found == pytest.approx([0.6, 0.5, 0.4, 0.4])


def test_members_of_a_pair_have_both_values() -> None:
    slices = {"sex": np.array(["F", "F", "M"]), "age": np.array(["old", "young", "old"])}

    found = members_of(slices, [{"sex": "F"}, {"sex": "F", "age": "old"}], 3)

    assert found.tolist() == [[True, True], [True, False], [False, False]]


def test_a_group_with_too_few_subjects_has_the_threshold_of_the_level() -> None:
    rng = np.random.default_rng(0)
    members = np.arange(2_000)[:, None] < 499

    found = fit_threshold(rng.random(2_000), np.ones(2_000), members, 0.9)

    assert found.of_group == {}
    assert fit_threshold(rng.random(2_000), np.ones(2_000), members, 0.9, 499).of_group


def test_overlapping_groups_are_each_covered_as_asked_for() -> None:
    rng = np.random.default_rng(1)
    women, old = rng.random(20_000) < 0.5, rng.random(20_000) < 0.3
    # Without groups .99 of young men and .74 of old women would be covered.
    score = rng.random(20_000) * (1 + 0.5 * women + 0.5 * old)
    members = np.stack([women, ~women, old, ~old], axis=1)
    half = np.arange(20_000) < 10_000
    threshold = fit_threshold(score[half], np.ones(10_000), members[half], 0.9)

    covered = score[~half] <= threshold(members[~half])

    shares = [covered[members[~half][:, group]].mean() for group in range(4)]
    assert shares == pytest.approx([0.9] * 4, abs=0.02)
    alike = fit_threshold(score[half], np.ones(10_000), alone(10_000), 0.9)
    women_alike = (score[~half] <= alike(alone(10_000)))[members[~half][:, 0]].mean()
    assert women_alike < 0.87


def test_a_start_that_is_near_gives_the_same_threshold() -> None:
    rng = np.random.default_rng(2)
    score, members = rng.random(3_000), rng.random((3_000, 3)) < 0.5
    found = fit_threshold(score, np.ones(3_000), members, 0.9)

    again = fit_threshold(score, np.ones(3_000), members, 0.9, start=found)

    assert again(members) == pytest.approx(found(members), abs=1e-6)
