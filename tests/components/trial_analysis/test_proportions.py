"""Two groups and an outcome, held against worked examples of the literature."""

from __future__ import annotations

import pytest

from components.trial_analysis.proportions import (
    Observed,
    equality_test,
    number_needed,
    rate,
    risk_difference,
    risk_ratio,
)
from pipeline.estimates import Estimate


def ends(found: Estimate) -> tuple[float | None, float | None]:
    return found.lower, found.upper


def test_the_rate_of_81_in_263_is_that_of_newcombes_example() -> None:
    # Newcombe RG. Two-sided confidence intervals for the single proportion. Stat Med
    # 1998;17:857-72, method 3: 81 of 263 gives .2553 to .3662 (quoted from memory; by hand,
    # (p + z^2/2n +- z sqrt(p q/n + z^2/4n^2)) / (1 + z^2/n) with z = 1.96 gives the same).
    found = rate(Observed(263, 81))
    assert found.value == pytest.approx(81 / 263)
    assert ends(found) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize(
    ("group", "control", "interval"),
    [
        # Newcombe RG. Interval estimation for the difference between independent proportions.
        # Stat Med 1998;17:873-90, method 10. The examples are quoted from memory; the formula is
        # as in https://metricgate.com/docs/newcombe-hybrid-score-ci.
        ((70, 56), (80, 48), (0.0524, 0.3339)),
        ((10, 9), (10, 3), (0.1705, 0.8090)),
        ((56, 5), (29, 0), (-0.0381, 0.1926)),
        ((10, 10), (20, 0), (0.6791, 1.0)),
    ],
)
def test_the_risk_difference_has_newcombes_interval(
    group: tuple[int, int], control: tuple[int, int], interval: tuple[float, float]
) -> None:
    found = risk_difference(Observed(*group), Observed(*control))
    assert found.value == pytest.approx(group[1] / group[0] - control[1] / control[0])
    assert ends(found) == pytest.approx(interval, abs=5e-5)


def test_the_risk_ratio_of_aspirin_on_infarction_is_that_of_the_physicians_health_study() -> None:
    # Steering Committee of the Physicians' Health Study. N Engl J Med 1989;321:129-35, whose
    # abstract has an adjusted .56 (.45 to .70). The counts, 139 of 11,037 against 239 of 11,034,
    # are quoted from memory; by hand: ln(.5814) +- 1.96 * sqrt(1/139 - 1/11037 + 1/239 -
    # 1/11034) = ln(.5814) +- .2075.
    found = risk_ratio(Observed(11_037, 139), Observed(11_034, 239))
    assert found.value == pytest.approx(0.5814, abs=5e-5)
    assert ends(found) == pytest.approx((0.4725, 0.7154), abs=2e-4)


def test_a_ratio_to_no_events_is_none_and_no_events_have_no_interval() -> None:
    assert risk_ratio(Observed(20, 4), Observed(20, 0)) == Estimate()
    assert risk_ratio(Observed(20, 0), Observed(20, 4)) == Estimate(value=0.0)


def test_large_counts_are_compared_by_chi_squared() -> None:
    # 30 of 100 against 15 of 100: 200 (30 * 85 - 70 * 15)^2 / (100 * 100 * 45 * 155) = 6.452.
    found = equality_test(Observed(100, 30), Observed(100, 15))
    assert found.name == "Pearson's chi-squared test"
    assert found.statistic == pytest.approx(6.4516, abs=5e-5)
    assert found.p_value == pytest.approx(0.01109, abs=5e-6)


def test_small_counts_are_compared_by_fishers_test() -> None:
    # Fisher RA. The Design of Experiments, 1935: of 4 cups with milk first the lady names 3,
    # of 4 others 1: p = 2 * (16 + 1) / 70 for both sides.
    found = equality_test(Observed(4, 3), Observed(4, 1))
    assert found.name == "Fisher's exact test"
    assert found.p_value == pytest.approx(34 / 70)


def test_where_no_subject_had_the_event_no_rate_can_differ() -> None:
    assert equality_test(Observed(30, 0), Observed(30, 0)).p_value == 1


def test_the_number_needed_is_one_by_the_difference_in_whole_subjects() -> None:
    # 1 / .20 = 5, 1 / .35 = 2.86, 1 / .05 = 20.
    found = number_needed(Estimate(value=-0.20, lower=-0.35, upper=-0.05))
    assert (found.direction, found.value, found.lower, found.upper) == ("fewer", 5, 3, 20)
    assert found.says == "One event fewer for every 5 subjects (95 % interval 3 to 20)."


def test_a_number_needed_passes_through_infinity_where_the_difference_may_be_none() -> None:
    # Altman DG. Confidence intervals for the number needed to treat. BMJ 1998;317:1309-12: 10
    # percentage points, -5 to 25, are 10 to benefit, from 4 through infinity to 20 to harm.
    found = number_needed(Estimate(value=-0.10, lower=-0.25, upper=0.05))
    assert (found.direction, found.value_means) == ("undecided", "fewer")
    assert (found.value, found.lower, found.upper) == (10, 4, 20)
    assert "with no difference, and" in found.says


def test_without_a_difference_no_number_of_subjects_is_needed() -> None:
    found = number_needed(Estimate(value=0.0, lower=-0.1, upper=0.1))
    assert (found.direction, found.value) == ("undecided", None)


def test_more_events_need_a_number_too() -> None:
    found = number_needed(Estimate(value=0.04, lower=0.02, upper=0.06))
    assert (found.direction, found.value, found.lower, found.upper) == ("more", 25, 17, 50)
