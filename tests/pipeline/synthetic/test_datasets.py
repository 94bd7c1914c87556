"""The datasets of the synthetic trial: its calendar and its gaps."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.synthetic.simulate import simulate
from pipeline.synthetic.trial import SyntheticTrial
from tests.each import each


def test_a_worsening_falls_on_days_5_to_180(trial: Any) -> None:
    days = trial["adtte"].query("CNSR == 0")["AVAL"]
    assert days.min() >= 5
    assert days.max() <= 180


def test_some_events_come_before_the_landmark(trial: Any) -> None:
    early = trial["adtte"].query("CNSR == 0 and AVAL <= 28")
    assert 0.01 < len(early) / 2_000 < 0.04


def test_some_subjects_drop_out_before_the_landmark_and_more_after_it(trial: Any) -> None:
    last_day = trial["adsl"]["EOSDY"]
    assert 0.01 < (last_day <= 28).mean() < 0.05
    assert 0.08 < last_day.between(29, 179).mean() < 0.16


def test_completers_are_followed_up_to_day_180_and_dropouts_are_not(trial: Any) -> None:
    adsl = trial["adsl"].query("SAFFL == 'Y'")
    completed = adsl["EOSSTT"] == "COMPLETED"
    assert (completed == (adsl["EOSDY"] >= 180)).all()
    assert (completed == (adsl["DCSREAS"] == "")).all()


@pytest.mark.parametrize(
    ("dataset", "day"), [("adlb", "ADY"), ("advs", "ADY"), ("adae", "ASTDY"), ("adae", "AENDY")]
)
def test_there_is_no_study_day_zero(dataset: Any, day: Any, trial: Any) -> None:
    days = trial[dataset][day]
    assert (days != 0).all()
    assert (days < 0).any()


@pytest.mark.parametrize(
    ("dataset", "day", "date"),
    [
        ("adlb", "ADY", "ADT"),
        ("advs", "ADY", "ADT"),
        ("adae", "ASTDY", "ASTDT"),
        ("adae", "AENDY", "AENDT"),
        ("adtte", "AVAL", "ADT"),
    ],
)
def test_dates_count_from_the_first_dose_as_day_1(
    dataset: Any, day: Any, date: Any, trial: Any
) -> None:
    rows = trial[dataset].dropna(subset=[day])
    first_dose = trial["adsl"].set_index("USUBJID")["TRTSDT"].loc[rows["USUBJID"]].to_numpy()
    elapsed = rows[date].to_numpy() - first_dose
    assert (np.where(elapsed >= 0, elapsed + 1, elapsed) == rows[day]).all()


@pytest.mark.parametrize(
    ("dataset", "day"),
    [("adlb", "ADY"), ("advs", "ADY"), ("adae", "ASTDY"), ("adae", "AENDY"), ("adtte", "AVAL")],
)
def test_nothing_is_recorded_after_the_end_of_study(dataset: Any, day: Any, trial: Any) -> None:
    rows = trial[dataset].dropna(subset=[day])
    last_day = trial["adsl"].set_index("USUBJID")["EOSDY"].loc[rows["USUBJID"]].to_numpy()
    assert (rows[day].to_numpy() <= last_day).all()


def test_an_adverse_event_ends_on_or_after_its_first_day(trial: Any) -> None:
    ended = trial["adae"].dropna(subset=["AENDY"])
    assert (ended["AENDY"] >= ended["ASTDY"]).all()


def test_only_events_under_treatment_are_treatment_emergent(trial: Any) -> None:
    adae = trial["adae"]
    assert ((adae["TRTEMFL"] == "Y") == (adae["ASTDY"] > 0)).all()


def test_adverse_events_are_numbered_from_1_in_the_order_of_their_days(trial: Any) -> None:
    adae = trial["adae"]
    assert (adae["AESEQ"] == adae.groupby("USUBJID").cumcount() + 1).all()
    assert adae.groupby("USUBJID")["ASTDY"].apply(lambda days: days.is_monotonic_increasing).all()


@pytest.mark.parametrize(
    ("visit", "first", "last"), [(0, -3, 1), (2, 12, 16), (4, 24, 31), (12, 80, 88)]
)
def test_visits_lie_in_their_windows(visit: Any, first: Any, last: Any, trial: Any) -> None:
    adlb = trial["adlb"]
    days = adlb["ADY"][adlb["AVISITN"] == visit]
    assert (days.min(), days.max()) == (first, last)


def test_a_few_visits_of_week_4_are_later_than_the_landmark(trial: Any) -> None:
    days = trial["adlb"].query("AVISITN == 4")["ADY"]
    assert 0.02 < (days > 28).mean() < 0.06


def test_subjects_have_about_twenty_event_rows(trial: Any) -> None:
    rows = sum(len(trial[name]) for name in ("adae", "adlb", "advs", "adtte"))
    assert 18 < rows / 2_000 < 25


def test_the_first_score_is_the_baseline_score_of_the_subject(trial: Any) -> None:
    scores = trial["advs"].query("PARAMCD == 'SCORE' and ABLFL == 'Y'")
    severity = trial["adsl"].set_index("USUBJID")["SEVBL"].loc[scores["USUBJID"]].to_numpy()
    assert (scores["AVAL"].to_numpy() == severity).all()


def test_percent_change_refers_to_the_baseline_row(trial: Any) -> None:
    rows = trial["advs"].query("ABLFL == ''")
    baseline = trial["advs"].query("ABLFL == 'Y'").set_index(["USUBJID", "PARAMCD"])["AVAL"]
    expected = baseline.loc[pd.MultiIndex.from_frame(rows[["USUBJID", "PARAMCD"]])].to_numpy()
    assert (rows["BASE"].to_numpy() == expected).all()
    assert np.allclose(rows["PCHG"], 100 * (rows["AVAL"] - expected) / expected)


def test_arms_are_balanced_within_each_site_up_to_one_permuted_block() -> None:
    adsl = simulate(SyntheticTrial(subjects=1_000, sites=7), 0).datasets["adsl"]
    active = adsl["TRT01P"] == b"Active"
    for site in each(np.unique(adsl["SITEID"])):
        members = adsl["SITEID"] == site
        assert abs(2 * int(active[members].sum()) - int(members.sum())) <= 2


@pytest.mark.parametrize(
    ("subjects", "sites"), [(100, 5), (250, 5), (1_000, 20), (10_000, 200), (1_000_000, 200)]
)
def test_there_is_a_site_per_50_subjects_between_5_and_200(subjects: Any, sites: Any) -> None:
    assert SyntheticTrial(subjects).site_count == sites


def test_every_site_lies_in_one_of_five_countries(trial: Any) -> None:
    adsl = trial["adsl"]
    assert adsl["COUNTRY"].nunique() == 5
    assert adsl["SITEID"].nunique() == 40
    assert (adsl.groupby("SITEID")["COUNTRY"].nunique() == 1).all()


def test_never_treated_subjects_have_no_treatment_and_no_rows(trial: Any) -> None:
    untreated = trial["adsl"].query("SAFFL == 'N'")
    assert 0 < len(untreated) < 20
    assert untreated[["TRTSDT", "TRTEDT", "EOSDY"]].isna().all(axis=None)
    assert (untreated["TRT01A"] == "").all()
    for name in ("adae", "adlb", "advs", "adtte"):
        assert not trial[name]["USUBJID"].isin(untreated["USUBJID"]).any()


def missing_shares(trial: SyntheticTrial) -> dict[str, tuple[float, int, float]]:
    """Observed share, number of rows and configured share."""
    block = simulate(trial, 0)
    adsl, adlb = block.datasets["adsl"], block.datasets["adlb"]
    older = adsl["AGE"] >= 65
    weight = np.isnan(adsl["WEIGHTBL"])
    return {
        "lab": (np.isnan(adlb["AVAL"]).mean(), len(adlb["AVAL"]), trial.lab_missing),
        "smoking": ((adsl["SMOKFL"] == b"").mean(), 1_000, trial.smoking_missing),
        "weight": (weight[~older].mean(), int((~older).sum()), trial.weight_missing),
        "weight_older": (weight[older].mean(), int(older.sum()), trial.weight_missing_older),
    }


@pytest.mark.parametrize("what", ["lab", "smoking", "weight", "weight_older"])
def test_missing_shares_are_as_configured(what: Any) -> None:
    configured = SyntheticTrial(
        subjects=1_000,
        lab_missing=0.2,
        smoking_missing=0.3,
        weight_missing=0.1,
        weight_missing_older=0.5,
    )
    observed, rows, share = missing_shares(configured)[what]
    assert abs(observed - share) < 3 * np.sqrt(share * (1 - share) / rows)


def test_nothing_is_missing_where_nothing_shall_be() -> None:
    complete = SyntheticTrial(
        subjects=1_000,
        lab_missing=0,
        smoking_missing=0,
        weight_missing=0,
        weight_missing_older=0,
    )
    assert {observed for observed, _, _ in missing_shares(complete).values()} == {0.0}


def test_body_mass_index_is_missing_exactly_where_weight_is(trial: Any) -> None:
    adsl = trial["adsl"]
    assert (adsl["BMIBL"].isna() == adsl["WEIGHTBL"].isna()).all()
