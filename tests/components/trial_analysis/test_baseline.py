"""The table of baseline characteristics."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.trial_analysis.baseline import (
    around,
    characteristics,
    difference_of_numbers,
    difference_of_shares,
)
from components.trial_analysis.disclosure import Disclosure
from components.trial_analysis.subjects import TrialSubjects
from components.trial_analysis.wording import notes
from pipeline.results.baseline import Characteristic
from tests.components.trial_analysis.hand_made_subjects import repeated, settings_of, trial
from tests.each import each

ARMS = repeated(("Active", 10), ("Placebo", 10))


def table(subjects: TrialSubjects, smallest: int = 5) -> dict[str, Characteristic]:
    return {row.name: row for row in characteristics(subjects, Disclosure(subjects, smallest))}


def test_a_number_is_described_by_arm_the_control_first() -> None:
    ages = [float(age) for age in (*range(50, 60), *range(60, 70))]
    row = table(trial(ARMS, numbers={"AGE": ages}))["AGE"]
    placebo, active = row.numbers
    assert (placebo.level, placebo.subjects, placebo.missing, placebo.mean) == (
        "Placebo",
        10,
        0,
        64.5,
    )
    # Of ten consecutive numbers the variance is 82.5 / 9.
    assert active.sd == pytest.approx(math.sqrt(82.5 / 9))
    # Ten years, by that standard deviation.
    [difference] = row.differences
    assert difference.level == "Active"
    assert difference.value == pytest.approx(-10 / math.sqrt(82.5 / 9))


def test_quartiles_are_means_of_five_neighbours_and_so_no_subjects_own_value() -> None:
    values = np.arange(0.0, 1500.0, 100.0)
    assert around(values, 0.5) == pytest.approx((500 + 600 + 700 + 800 + 900) / 5)
    assert around(values, 0.0) == pytest.approx((0 + 100 + 200 + 300 + 400) / 5)
    assert around(values, 1.0) == pytest.approx((1000 + 1100 + 1200 + 1300 + 1400) / 5)


def test_of_few_values_the_mean_of_all_stands_for_each_quartile() -> None:
    values = np.array([*range(13), 103.0])
    assert [around(values, share) for share in (0.25, 0.5, 0.75)] == [values.mean()] * 3


def test_a_category_is_counted_by_arm_with_its_missing_values() -> None:
    sexes = [*repeated(("F", 5), ("M", 5)), *repeated(("F", 5), (None, 5))]
    row = table(trial(ARMS, characteristics={"SEX": sexes}))["SEX"]
    counted = {(c.level, c.value): (c.subjects, c.share) for c in row.counts}
    assert counted == {
        ("Placebo", "F"): (5, 0.5),
        ("Placebo", "M"): (0, 0.0),
        ("Placebo", "missing"): (5, 0.5),
        ("Active", "F"): (5, 0.5),
        ("Active", "M"): (5, 0.5),
        ("Active", "missing"): (0, 0.0),
    }


def test_missing_numbers_are_counted_and_left_out_of_the_mean() -> None:
    ages = [*repeated((60.0, 5), (math.nan, 5)), *repeated((70.0, 10))]
    active = table(trial(ARMS, numbers={"AGE": ages}))["AGE"].numbers[1]
    assert (active.subjects, active.missing, active.mean) == (5, 5, 60)


def test_few_missing_values_are_not_counted_and_neither_is_the_rest() -> None:
    ages = [*repeated((60.0, 8), (math.nan, 2)), *repeated((70.0, 10))]
    active = table(trial(ARMS, numbers={"AGE": ages}))["AGE"].numbers[1]
    assert (active.subjects, active.missing) == (None, None)
    assert active.mean == 60


def test_two_shares_differ_by_their_difference_over_the_root_of_the_mean_variance() -> None:
    # .5 and .3: .2 / sqrt((.25 + .21) / 2).
    found = difference_of_shares(np.array([50.0, 50.0]), np.array([70.0, 30.0]))
    assert found == pytest.approx(0.2 / math.sqrt(0.23))


def test_three_shares_differ_by_the_distance_of_yang_and_dalton() -> None:
    # The second and third share differ by (.2, 0): the root of .2 squared by the first element
    # of the inverse of their 2 x 2 covariance matrix.
    p, q = np.array([0.2, 0.6, 0.2]), np.array([0.4, 0.4, 0.2])
    a, d = (0.6 * 0.4 + 0.4 * 0.6) / 2, (0.2 * 0.8 + 0.2 * 0.8) / 2
    b = -(0.6 * 0.2 + 0.4 * 0.2) / 2
    determinant = a * d - b * b
    expected = math.sqrt(0.2**2 * d / determinant)
    assert difference_of_shares(100 * p, 100 * q) == pytest.approx(expected)  # type: ignore[arg-type]


COUNTS = st.lists(st.integers(0, 30), min_size=3, max_size=3)


@given(COUNTS, COUNTS)
def test_shares_differ_by_nothing_only_where_they_are_the_same(
    group: list[int], control: list[int]
) -> None:
    found = difference_of_shares(np.array(group, float), np.array(control, float))

    if found is None:
        apart = not any(one and other for one, other in zip(group, control, strict=True))
        assert apart
    else:
        same = [
            one * sum(control) == other * sum(group)
            for one, other in zip(group, control, strict=True)
        ]
        assert (found < 1e-6) == all(each(same))


def test_value_that_separates_the_groups_has_no_finite_difference() -> None:
    assert difference_of_shares(np.array([50.0, 0.0]), np.array([0.0, 50.0])) is None


def test_what_does_not_vary_has_no_difference() -> None:
    assert difference_of_numbers(np.full(5, 3.0), np.full(5, 3.0)) is None


def test_a_difference_is_not_shown_where_a_share_is_suppressed() -> None:
    sexes = [*repeated(("F", 3), ("M", 7)), *repeated(("F", 5), ("M", 5))]
    row = table(trial(ARMS, characteristics={"SEX": sexes}))["SEX"]
    assert row.differences[0].value is None


@pytest.mark.parametrize("further", [-1, 0])
def test_the_notes_say_of_how_many_values_quartiles_are_the_mean_of_all(further: int) -> None:
    subjects = trial(ARMS)
    text = " ".join(notes(settings_of(subjects), 20, 0, 0, 0))
    found = re.search(r"of fewer than (\d+) values of all", text)
    assert found
    ordered = np.geomspace(1, 100, int(found[1]) + further)
    quartiles = {around(ordered, share) for share in (0.25, 0.5, 0.75)}
    assert (len(quartiles) == 1) == (further < 0)
