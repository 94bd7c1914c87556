"""Evidence of moved distributions on counts."""

from __future__ import annotations

import dataclasses
import math

import pytest
from scipy.stats import chi2_contingency, norm

from pipeline.monitoring.alarms.drift import input_looks
from pipeline.monitoring.alarms.watched import Counts, WatchedInput, WeekOfCounts
from tests.each import each
from tests.pipeline.monitoring.alarms.weekly import age, monday, week_of_counts


def test_evidence_is_that_of_a_likelihood_ratio_test() -> None:
    looks = input_looks(age([week_of_counts(0, 40, 60, 100, 20)]), 0.01)
    [values], [missing] = looks.values, looks.missing
    tables = ([[300, 400, 300], [40, 60, 100]], [[50, 1000], [20, 200]])
    for look, table in each(list(zip((values, missing), tables, strict=True))):
        tested = chi2_contingency(table, correction=False, lambda_="log-likelihood")
        assert look.evidence == pytest.approx(norm.isf(tested.pvalue / 2))
    assert (values.bin, values.estimate, values.expected) == ("3", 0.5, 0.3)
    assert (values.direction, missing.direction) == ("higher", "more")
    assert missing.estimate == pytest.approx(20 / 220)
    assert missing.expected == pytest.approx(50 / 1050)


def test_each_look_has_one_week_of_the_error() -> None:
    looks = input_looks(age([week_of_counts(number, 60, 80, 60) for number in (0, 1, 5)]), 0.052)
    assert [look.boundary for look in looks.values] == pytest.approx(
        [norm.isf(0.0005), norm.isf(0.0005), norm.isf(0.002)]
    )


def test_lower_values_and_fewer_missing_ones_have_their_directions() -> None:
    looks = input_looks(age([week_of_counts(0, 100, 60, 40, 0)]), 0.01)
    assert looks.values[0].direction == "lower"
    assert looks.missing[0].direction == "fewer"


def test_categories_have_no_direction_but_a_bin() -> None:
    looks = input_looks(age([week_of_counts(0, 40, 60, 100)], ordered=False), 0.01)
    assert (looks.values[0].direction, looks.values[0].bin) == ("other", "3")


def test_a_bin_that_the_training_has_not_counts() -> None:
    counts = WeekOfCounts(monday(0), Counts({"1": 60, "2": 80, "3": 60, "": 50}))
    looks = input_looks(age([counts], ordered=False), 0.01)
    assert looks.values[0].bin == ""
    assert looks.values[0].evidence > 5


def test_bins_in_which_few_are_expected_are_joined() -> None:
    rare = Counts({"1": 500, "2": 496, "3": 2, "4": 2})
    week = WeekOfCounts(monday(0), Counts({"1": 100, "2": 97, "3": 3}))
    watched = WatchedInput("SITE", "drift", rare, [week])
    [look] = input_looks(watched, 0.01).values
    # 7 of 1,200 are fewer than 5 of 200: both join bin 2, which leaves 500 and 500, 100 and 100.
    assert look.evidence == pytest.approx(0, abs=1e-6)


def test_a_window_is_thirteen_weeks_or_as_many_as_hold_a_hundred() -> None:
    many = input_looks(age([week_of_counts(number, 30, 40, 30, 0) for number in range(20)]), 0.01)
    assert many.values[-1].subjects == 1300
    few = input_looks(age([week_of_counts(number, 2, 2, 1, 0) for number in range(60)]), 0.01)
    # 20 weeks of 5 subjects.
    assert few.values[0].week == monday(19)
    assert few.values[-1].subjects == 100
    rare = input_looks(age([week_of_counts(number, 0, 1, 0, 0) for number in range(120)]), 0.01)
    assert rare.values == ()


def test_a_risk_is_never_missing() -> None:
    watched = dataclasses.replace(age([week_of_counts(0, 40, 60, 100)]), kind="risk_drift")
    looks = input_looks(watched, 0.01)
    assert looks.values
    assert looks.missing == ()


def test_what_is_missing_altogether_is_found_though_no_value_is_left() -> None:
    looks = input_looks(age([week_of_counts(0, 0, 0, 0, 150)]), 0.01)
    assert looks.values == ()
    assert looks.missing[0].beyond
    assert math.isfinite(looks.missing[0].evidence)


def test_a_count_below_0_is_refused() -> None:
    with pytest.raises(ValueError, match="AGE: counts must not be below 0"):
        input_looks(age([week_of_counts(0, -1, 40, 40)]), 0.01)
