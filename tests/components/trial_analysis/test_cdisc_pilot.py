"""CDISC Pilot 01 against tables of others and against computations by hand.

The report (CDISCPilot01, Clinical Study Report) could not be read. Looked up in tables that others
made of the same data: 86 patients with placebo, 84 each with the low and the high dose; age 75.2
(SD 8.59), 75.7 (8.29) and 74.4 (7.89) years, as in the tables of demographics of R's packages for
clinical reports. Counts of men and of who completed are those of ADSL.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from pipeline.results.analysis import Analysis, EndpointAnalysis, SurvivalComparison
from pipeline.study.load import load_study
from pipeline.study.shipped import SCHEMAS
from tests.components.trial_analysis.analysis_runs import analyse_trial

PLACEBO, LOW, HIGH = "Placebo", "Xanomeline Low Dose", "Xanomeline High Dose"


@pytest.fixture(scope="module")
def analysis(trial_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    study = load_study(SCHEMAS / "cdisc_pilot01" / "study.yaml")
    data_root = trial_data_dir / "cdisc_pilot01"
    return analyse_trial(study, data_root, tmp_path_factory.mktemp("cdisc"))


@pytest.fixture(scope="module")
def adtte(trial_data_dir: Path) -> pd.DataFrame:
    frame, _ = pyreadstat.read_xport(trial_data_dir / "cdisc_pilot01" / "adam" / "adtte.xpt")
    return frame


@pytest.fixture(scope="module")
def endpoint(analysis: Analysis) -> EndpointAnalysis:
    [found] = analysis.endpoints
    return found


def comparison(endpoint: EndpointAnalysis, level: str) -> SurvivalComparison:
    [found] = [item for item in endpoint.comparisons if item.comparison.level == level]
    return found


def log_rank_by_hand(group: pd.DataFrame, control: pd.DataFrame) -> float:
    """Chi-squared of observed and expected events (Peto R, Peto J. 1972)."""
    difference = variance = 0.0
    both = pd.concat([group, control])
    for day in sorted(both[both["CNSR"] == 0]["AVAL"].unique()):
        at_risk, inside = (both["AVAL"] >= day).sum(), (group["AVAL"] >= day).sum()
        events = ((both["AVAL"] == day) & (both["CNSR"] == 0)).sum()
        difference += (
            (group["AVAL"] == day) & (group["CNSR"] == 0)
        ).sum() - events * inside / at_risk
        if at_risk > 1:
            share = inside / at_risk
            variance += events * share * (1 - share) * (at_risk - events) / (at_risk - 1)
    return float(difference**2 / variance)


def test_the_arms_are_those_that_others_count(analysis: Analysis) -> None:
    [arm] = analysis.factors
    assert arm.control == PLACEBO
    assert {level.name: level.subjects for level in arm.levels} == {PLACEBO: 86, LOW: 84, HIGH: 84}


def test_age_and_sex_are_those_that_others_report(analysis: Analysis) -> None:
    # Age 75.2 (8.59), 75.7 (8.29), 74.4 (7.89); men 33 (38 %), 34 (40 %), 44 (52 %).
    rows = {row.name: row for row in analysis.characteristics}
    ages = {n.level: (round(n.mean or 0, 1), round(n.sd or 0, 2)) for n in rows["AGE"].numbers}
    assert ages == {PLACEBO: (75.2, 8.59), LOW: (75.7, 8.29), HIGH: (74.4, 7.89)}
    men = {c.level: c.subjects for c in rows["SEX"].counts if c.value == "M"}
    assert men == {PLACEBO: 33, LOW: 34, HIGH: 44}


def test_races_of_few_patients_are_suppressed(analysis: Analysis) -> None:
    rows = {row.name: row for row in analysis.characteristics}
    counts = [c.subjects for c in rows["RACE"].counts if c.value.startswith("BLACK")]
    assert counts == [None, None, None]


def test_who_did_not_complete_is_the_rest_of_the_58_25_and_27_who_did(analysis: Analysis) -> None:
    # Completed week 24: 58 of 86, 25 of 84, 27 of 84; one with the high dose had left by day 1.
    rates = {rate.level: rate for rate in analysis.tasks[0].rates}
    assert analysis.tasks[0].task == "discontinued"
    assert rates[PLACEBO].events == 86 - 58
    assert rates[LOW].events == 84 - 25
    assert (rates[HIGH].events, rates[HIGH].unknown) == (84 - 27 - 1, 1)


def test_patients_with_a_dermatologic_event_are_those_of_the_data(
    endpoint: EndpointAnalysis, adtte: pd.DataFrame
) -> None:
    expected = adtte[adtte["CNSR"] == 0]["TRTA"].value_counts().to_dict()
    assert {curve.level: curve.events for curve in endpoint.curves} == expected


@pytest.mark.parametrize("arm", [PLACEBO, LOW, HIGH])
def test_curves_are_those_of_a_product_by_hand(
    arm: str, endpoint: EndpointAnalysis, adtte: pd.DataFrame
) -> None:
    [curve] = [item for item in endpoint.curves if item.level == arm]
    group = adtte[adtte["TRTA"] == arm]
    assert len(curve.points) > 4
    for point in curve.points:
        days = sorted(group[(group["CNSR"] == 0) & (group["AVAL"] <= point.time)]["AVAL"].unique())
        product = np.prod(
            [
                1
                - ((group["AVAL"] == day) & (group["CNSR"] == 0)).sum()
                / (group["AVAL"] >= day).sum()
                for day in days
            ]
        )
        assert point.survival.value == pytest.approx(product, abs=1e-9)


@pytest.mark.parametrize("arm", [PLACEBO, LOW, HIGH])
def test_every_step_of_a_curve_is_at_least_five_patients(
    arm: str, endpoint: EndpointAnalysis, adtte: pd.DataFrame
) -> None:
    [curve] = [item for item in endpoint.curves if item.level == arm]
    events = adtte[(adtte["TRTA"] == arm) & (adtte["CNSR"] == 0)]["AVAL"]
    told = [(events <= point.time).sum() for point in curve.points]
    assert min(np.diff(told)) >= 5
    at_end = (adtte[adtte["TRTA"] == arm]["AVAL"] >= curve.ends).sum()
    assert at_end >= 20


def test_medians_are_those_of_survfit(endpoint: EndpointAnalysis) -> None:
    # survfit(Surv(AVAL, 1 - CNSR) ~ TRTA, conf.type = "log-log"): placebo not reached, low dose 33
    # and high dose 36 days; here rounded up to the curve's grid of 2 days.
    medians = {curve.level: curve.median.value for curve in endpoint.curves}
    assert medians == {PLACEBO: None, LOW: 34, HIGH: 36}


@pytest.mark.parametrize("arm", [LOW, HIGH])
def test_the_log_rank_test_is_that_of_a_sum_by_hand(
    arm: str, endpoint: EndpointAnalysis, adtte: pd.DataFrame
) -> None:
    found = comparison(endpoint, arm).log_rank
    assert found is not None
    expected = log_rank_by_hand(adtte[adtte["TRTA"] == arm], adtte[adtte["TRTA"] == PLACEBO])
    assert found.statistic == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("arm", [LOW, HIGH])
def test_the_hazard_ratio_makes_the_partial_likelihoods_slope_zero(
    arm: str, endpoint: EndpointAnalysis, adtte: pd.DataFrame
) -> None:
    # Efron's partial likelihood, differentiated by hand: at the estimate the observed number of
    # events in the arm is the expected one.
    ratio = comparison(endpoint, arm).hazard_ratio.value
    assert ratio is not None
    both = adtte[adtte["TRTA"].isin([arm, PLACEBO])]
    observed = expected = 0.0
    for day in both[both["CNSR"] == 0]["AVAL"].unique():
        risk = both[both["AVAL"] >= day]["TRTA"].eq(arm)
        events = both[(both["AVAL"] == day) & (both["CNSR"] == 0)]["TRTA"].eq(arm)
        observed += events.sum()
        for place in range(len(events)):
            share = place / len(events)
            in_arm = ratio * (risk.sum() - share * events.sum())
            expected += in_arm / (in_arm + (~risk).sum() - share * (~events).sum())
    assert observed == pytest.approx(expected, rel=1e-5)
