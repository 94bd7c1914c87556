"""Times to events: the leukaemia trial of 6-mercaptopurine, which the textbooks work through.

Freireich EJ, et al. Blood 1963;21:699-716: weeks of remission of 21 patients with
6-mercaptopurine and 21 with placebo. The estimates are those of Klein JP, Moeschberger ML.
Survival Analysis, 2nd ed. (example 1.2 and what follows from it), and of R's package survival.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.trial_analysis.analyse import analyse
from components.trial_analysis.curves import (
    kaplan_meier,
    last_shown,
    median_time,
    numbers_at_risk,
    restricted_mean,
    thinned,
)
from components.trial_analysis.subjects import Times, TrialSubjects
from components.trial_analysis.survival import hazard_ratio, log_rank
from pipeline.results.analysis import EndpointAnalysis
from tests.components.trial_analysis.hand_made_subjects import repeated, settings_of, times, trial
from tests.each import each

TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

REMISSION = times([*TREATED, *PLACEBO], [*RELAPSED, *([1] * 21)])
WITH_DRUG = np.arange(42) < 21
ALL = np.ones(42, bool)


def endpoint(subjects: TrialSubjects, smallest: int = 5) -> EndpointAnalysis:
    [found] = analyse(subjects, settings_of(subjects, smallest, randomised=True)).endpoints
    return found


@pytest.mark.parametrize(
    ("week", "survival"),
    [(6, 0.857), (7, 0.807), (10, 0.753), (13, 0.690), (16, 0.627), (22, 0.538), (23, 0.448)],
)
def test_the_curve_is_that_of_the_textbook(week: int, survival: float) -> None:
    curve = kaplan_meier(REMISSION, WITH_DRUG)
    assert curve.at(week).value == pytest.approx(survival, abs=5e-4)
    assert curve.at(week + 0.5).value == pytest.approx(survival, abs=5e-4)


def test_the_curves_interval_is_that_of_survfit_with_log_log() -> None:
    # survfit(Surv(time, relapse) ~ 1, conf.type = "log-log"): week 6 .857 (.620 to .952), by
    # hand with Greenwood's error .0764: .857 ** exp(+-1.96 * .0764 / (.857 * |ln .857|)).
    found = kaplan_meier(REMISSION, WITH_DRUG).at(6)
    assert (found.lower, found.upper) == pytest.approx((0.620, 0.952), abs=5e-4)


def test_before_the_first_event_no_subject_had_it() -> None:
    assert kaplan_meier(REMISSION, WITH_DRUG).at(5.9).value == 1


def test_at_risk_is_who_is_still_under_observation() -> None:
    curve = kaplan_meier(REMISSION, WITH_DRUG)
    assert [curve.at_risk_at(week) for week in (0, 6, 7, 10, 35, 36)] == [21, 21, 17, 15, 1, 0]


def test_the_log_rank_test_is_that_of_survdiff() -> None:
    # survdiff(Surv(time, relapse) ~ treat): chi-squared 16.8 on 1 degree of freedom, p = 4e-05.
    found = log_rank(REMISSION, WITH_DRUG, ALL)
    assert found is not None
    assert found.statistic == pytest.approx(16.79, abs=5e-3)
    assert found.p_value == pytest.approx(4.17e-5, rel=0.01)


def test_the_hazard_ratio_is_that_of_coxph() -> None:
    # coxph(Surv(time, relapse) ~ treat), Efron: coefficient 1.5721, standard error .4124.
    ratio, proportional = hazard_ratio(REMISSION, ~WITH_DRUG, np.arange(42))
    assert ratio.value == pytest.approx(math.exp(1.5721), rel=1e-3)
    assert ratio.lower == pytest.approx(math.exp(1.5721 - 1.96 * 0.4124), rel=2e-3)
    assert ratio.upper == pytest.approx(math.exp(1.5721 + 1.96 * 0.4124), rel=2e-3)
    # The example of proportional hazards in every textbook.
    assert proportional is not None
    assert proportional.p_value > 0.5


def test_where_all_have_the_event_at_once_no_curve_can_differ() -> None:
    assert log_rank(times([5] * 10, [1] * 10), np.arange(10) < 5, np.ones(10, bool)) is None


def test_where_one_group_has_all_its_events_first_there_is_no_hazard_ratio() -> None:
    found = times([*range(1, 21), *range(101, 121)], [1] * 40)
    ratio, _ = hazard_ratio(found, np.arange(40) < 20, np.arange(40))
    assert ratio.value is None


def test_hazards_that_cross_are_not_proportional() -> None:
    early = times([*range(1, 101), *range(301, 401)], [1] * 200)
    spread = times([*range(101, 301)], [1] * 200)
    both = Times(
        np.concatenate([early.time, spread.time]), np.concatenate([early.event, spread.event])
    )
    _, proportional = hazard_ratio(both, np.arange(400) < 200, np.arange(400))
    assert proportional is not None
    assert proportional.p_value < 0.001


def test_without_events_in_a_group_there_is_no_hazard_ratio() -> None:
    found = times([5, 6, 7, 8], [1, 1, 0, 0])
    ratio, proportional = hazard_ratio(found, np.array([True, True, False, False]), np.arange(4))
    assert (ratio.value, proportional) == (None, None)


def test_the_restricted_mean_is_the_area_under_the_curve() -> None:
    # Of four subjects one has the event at 1, one at 3: 1 + 2 * .75 + 1 * .5 up to 4.
    curve = kaplan_meier(times([1, 3, 4, 4], [1, 1, 0, 0]), np.ones(4, bool))
    mean, variance = restricted_mean(curve, 4)
    assert mean == pytest.approx(3.0)
    # The areas after the events are 2 and .5: 2 ** 2 / (4 * 3) + .5 ** 2 / (3 * 2).
    assert variance == pytest.approx(4 / 12 + 0.25 / 6)


def test_a_shown_step_is_at_least_five_subjects() -> None:
    curve = kaplan_meier(REMISSION, ~WITH_DRUG)
    points = thinned(curve, step=1.0, ends=23)
    # Five relapse by week 3, eight more by week 8, five more by week 15; then only three.
    assert [point.time for point in points] == [0, 3, 8, 15]
    left = [21 * (point.survival.value or 0) for point in points]
    assert left == pytest.approx([21, 16, 8, 3])


def test_shown_times_are_those_of_a_grid_not_of_events() -> None:
    curve = kaplan_meier(times([3.7] * 6 + [9.2] * 6, [1] * 12), np.ones(12, bool))
    assert [point.time for point in thinned(curve, step=5.0, ends=10)] == [0, 5, 10]


def test_a_curve_ends_where_too_few_are_left() -> None:
    curve = kaplan_meier(REMISSION, WITH_DRUG)
    # At week 20 still eight patients are at risk, at week 22 seven.
    assert last_shown(curve, step=1.0, smallest=8) == 20
    assert last_shown(curve, step=2.0, smallest=7) == 22
    assert last_shown(curve, step=1.0, smallest=22) is None


def test_numbers_at_risk_never_differ_by_few_subjects() -> None:
    time = [10.0] * 2 + [30.0] * 6 + [50.0] * 12
    curve = kaplan_meier(times(time, [1] * 20), np.ones(20, bool))
    shown = {item.time: item.subjects for item in numbers_at_risk(curve, 50, smallest=5)}
    # At 20 two have left since 0: not shown. At 40 eight have, at 50 none has since then.
    assert shown == {0: 20, 10: 20, 20: None, 30: None, 40: 12, 50: 12}


def test_an_endpoint_has_a_curve_of_each_arm_and_a_comparison() -> None:
    arms = [*repeated(("6-MP", 21), ("Placebo", 21))]
    found = endpoint(trial(arms, times={"relapse": REMISSION}))
    placebo, drug = found.curves
    assert (placebo.level, placebo.subjects, placebo.events) == ("Placebo", 21, 21)
    assert (drug.level, drug.subjects, drug.events, drug.unknown) == ("6-MP", 21, 9, 0)
    [comparison] = found.comparisons
    assert comparison.log_rank is not None
    assert comparison.log_rank.p_value_holm == comparison.log_rank.p_value
    assert comparison.hazard_ratio.value == pytest.approx(math.exp(-1.5721), rel=1e-3)
    assert "6-MP against Placebo: hazard ratio 0.21" in comparison.says


@pytest.mark.parametrize(
    ("group", "median"),
    [
        # print(survfit(Surv(time, relapse) ~ treat, conf.type = "log-log")): 8 (4 to 11) and 23
        # (13 to none).
        (~WITH_DRUG, (8, 4, 11)),
        (WITH_DRUG, (23, 13, None)),
    ],
)
def test_the_median_is_that_of_survfit(
    group: NDArray[Any], median: tuple[int, int, int | None]
) -> None:
    found = median_time(kaplan_meier(REMISSION, group), step=1.0, ends=35)
    assert (found.value, found.lower, found.upper) == median


def test_the_median_is_reported_on_the_grid_and_only_while_the_curve_is_shown() -> None:
    curve = kaplan_meier(REMISSION, ~WITH_DRUG)
    assert median_time(curve, step=5.0, ends=20).value == 10
    assert median_time(curve, step=1.0, ends=7).value is None


def test_subjects_without_a_time_are_left_out_and_counted() -> None:
    arms = repeated(("Active", 12), ("Placebo", 12))
    unknown = times([math.nan] * 2 + [5] * 22, [0] * 2 + [1] * 22)
    placebo, active = endpoint(trial(arms, times={"death": unknown})).curves
    assert (active.subjects, active.unknown) == (10, 2)
    assert (placebo.subjects, placebo.unknown) == (12, 0)


def test_an_arm_that_is_too_small_has_no_curve_and_no_comparison() -> None:
    arms = repeated(("Active", 4), ("Other", 20), ("Placebo", 20))
    found = endpoint(trial(arms, times={"death": times([5] * 44, [1] * 44)}))
    shown = {curve.level: curve.subjects for curve in found.curves}
    assert shown["Active"] is None
    # With the total it would follow from the others.
    assert list(shown.values()).count(None) == 2
    assert all(comparison.hazard_ratio.value is None for comparison in each(found.comparisons))


def test_without_events_curves_stay_at_the_top_and_nothing_is_compared() -> None:
    arms = repeated(("Active", 12), ("Placebo", 12))
    found = endpoint(trial(arms, times={"death": times([5] * 24, [0] * 24)}))
    assert [len(curve.points) for curve in found.curves] == [1, 1]
    assert found.comparisons[0].absent == "Fewer than 5 subjects had the event."
