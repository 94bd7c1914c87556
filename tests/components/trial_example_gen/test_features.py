"""What becomes a feature: nothing that was not known by the landmark, study day 28."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.components.trial_example_gen.hand_made_trial import (
    REMOVED,
    Trial,
    events_dataset,
    make_trial,
)

HEADER = "USUBJID,LBTESTCD,LBDY,LBSTRESN,LBNRIND"
BOUNDARY = [
    HEADER,
    "S1,ALT,1,20,LOW",
    "S1,ALT,28,50,NORMAL",
    "S1,ALT,29,900,HIGH",
    "S1,ALT,,800,HIGH",
    "S2,ALT,29,700,HIGH",
]
DATED_DM = ["USUBJID,AGE,SEX,DIED,RFSTDTC", "S1,61,F,Y,2014-01-01", "S2,72,M,N,2014-01-01"]


def alt(aggregate: str, **more: Any) -> dict[str, Any]:
    described = {
        "kind": "number",
        "dataset": "lb",
        "where": {"column": "LBTESTCD", "equals": "ALT"},
        "aggregate": aggregate,
        **more,
    }
    if aggregate not in ("count", "any"):
        described.setdefault("column", "LBSTRESN")
    return {"features.alt": described}


@pytest.mark.parametrize(
    ("aggregate", "of_rows", "of_no_row"),
    [
        ("last", 50.0, None),
        ("first", 20.0, None),
        ("mean", 35.0, None),
        ("min", 20.0, None),
        ("max", 50.0, None),
        ("change", 30.0, None),
        ("count", 2.0, 0.0),
        ("any", 1.0, 0.0),
    ],
)
def test_an_aggregate_is_of_the_dated_rows_up_to_the_landmark(
    tmp_path: Path, aggregate: str, of_rows: float, of_no_row: float | None
) -> None:
    trial = make_trial(tmp_path, alt(aggregate), lb=BOUNDARY)
    assert trial.feature("alt") == {"S1": of_rows, "S2": of_no_row}


@pytest.mark.parametrize(("aggregate", "expected"), [("last", "NORMAL"), ("first", "LOW")])
def test_a_category_is_that_of_the_last_or_first_row_up_to_the_landmark(
    tmp_path: Path, aggregate: str, expected: str
) -> None:
    changes = alt(aggregate, kind="category", column="LBNRIND")
    trial = make_trial(tmp_path, changes, lb=BOUNDARY)
    assert trial.feature("alt") == {"S1": expected, "S2": None}


def test_the_order_is_that_of_the_days_not_of_the_file(tmp_path: Path) -> None:
    trial = make_trial(
        tmp_path, alt("last"), lb=[HEADER, "S1,ALT,20,2,", "S1,ALT,27,3,", "S1,ALT,9,1,"]
    )
    assert trial.feature("alt")["S1"] == 3.0


def test_of_two_rows_of_one_day_the_later_record_is_last(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, alt("last"), lb=[HEADER, "S1,ALT,9,2,", "S1,ALT,9,1,"])
    assert trial.feature("alt")["S1"] == 1.0


def test_of_two_rows_of_one_day_that_of_the_later_file_name_is_last(tmp_path: Path) -> None:
    changes = {"datasets.lb.file": "lb*.csv", **alt("last")}
    trial = make_trial(
        tmp_path, changes, lb=[HEADER, "S2,ALT,9,5,", "S1,ALT,9,1,"], lb2=[HEADER, "S1,ALT,9,2,"]
    )
    assert trial.feature("alt") == {"S1": 2.0, "S2": 5.0}


def test_a_missing_value_is_passed_over(tmp_path: Path) -> None:
    lb = [HEADER, "S1,ALT,1,20,LOW", "S1,ALT,9,,", "S2,ALT,1,,"]
    trial = make_trial(tmp_path, {**alt("last"), **category("last")}, lb=lb)
    assert trial.feature("alt") == {"S1": 20.0, "S2": None}
    assert trial.feature("flag") == {"S1": "LOW", "S2": None}


def test_the_first_category_passes_missing_ones_over(tmp_path: Path) -> None:
    lb = [HEADER, "S1,ALT,1,20,", "S1,ALT,9,30,HIGH", "S1,ALT,12,30,LOW"]
    assert make_trial(tmp_path, category("first"), lb=lb).feature("flag")["S1"] == "HIGH"


def category(aggregate: str) -> dict[str, Any]:
    return {
        "features.flag": {
            "kind": "category",
            "dataset": "lb",
            "column": "LBNRIND",
            "aggregate": aggregate,
        }
    }


def test_a_row_whose_condition_is_unknown_does_not_count(tmp_path: Path) -> None:
    changes = alt("count", where={"column": "LBNRIND", "equals": "HIGH"})
    lb = [HEADER, "S1,ALT,1,20,HIGH", "S1,ALT,2,20,"]
    assert make_trial(tmp_path, changes, lb=lb).feature("alt")["S1"] == 1.0


def test_the_change_of_a_single_value_is_unknown(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, alt("change"), lb=[HEADER, "S1,ALT,1,20,"])
    assert trial.feature("alt")["S1"] is None


def test_each_parameter_becomes_a_feature_of_its_own(tmp_path: Path) -> None:
    changes = {
        "features.lab": {
            "kind": "number",
            "dataset": "lb",
            "column": "LBSTRESN",
            "each": ["ALT", "CK-MB"],
            "aggregate": "last",
        }
    }
    lb = [HEADER, "S1,ALT,1,20,", "S1,CK-MB,1,5,", "S2,CK-MB,1,6,"]
    trial = make_trial(tmp_path, changes, lb=lb)
    assert trial.feature("lab_ALT") == {"S1": 20.0, "S2": None}
    assert trial.feature("lab_CK_MB") == {"S1": 5.0, "S2": 6.0}


def test_a_missing_value_of_a_subject_is_a_missing_feature(tmp_path: Path) -> None:
    changes = {"features.SEX": {"kind": "category"}}
    trial = make_trial(tmp_path, changes, dm=["USUBJID,AGE,SEX,DIED", "S1,,,Y", "S2,72,M,N"])
    assert trial.feature("AGE") == {"S1": None, "S2": 72.0}
    assert trial.feature("SEX") == {"S1": None, "S2": "M"}


def test_a_number_can_be_read_as_a_category(tmp_path: Path) -> None:
    changes = {"features.AGE": {"kind": "category"}}
    assert make_trial(tmp_path, changes).feature("AGE") == {"S1": "61", "S2": "72"}


def test_without_a_single_row_an_aggregate_is_missing_and_a_count_0(tmp_path: Path) -> None:
    changes = {
        **alt("last"),
        "features.n": {"kind": "number", "dataset": "lb", "aggregate": "count"},
    }
    trial = make_trial(tmp_path, changes, lb=[HEADER])
    assert trial.feature("alt") == {"S1": None, "S2": None}
    assert trial.feature("n") == {"S1": 0.0, "S2": 0.0}


def dated_events(folder: Path, landmark: object, *events: str) -> Trial:
    changes = {
        "datasets.ae": events_dataset(date="AESTDTC"),
        "datasets.dm.columns.RFSTDTC": {"type": "date"},
        "subject.reference_date": "RFSTDTC",
        "landmark": landmark,
        "features.events": {"kind": "number", "dataset": "ae", "aggregate": "count"},
    }
    return make_trial(folder, changes, dm=DATED_DM, ae=["USUBJID,AESTDTC", *events])


@pytest.mark.parametrize(
    ("day", "counts"),
    [
        ("2013-12-31", 1.0),
        ("2014-01-28", 1.0),
        ("2014-01-29", 0.0),
        ("2013", 1.0),
        ("2014-01", 0.0),
        ("2014", 0.0),
        ("", 0.0),
    ],
)
def test_a_date_counts_only_if_it_can_not_lie_after_the_landmark(
    tmp_path: Path, day: str, counts: float
) -> None:
    trial = dated_events(tmp_path, {"day": 28}, f"S1,{day}")
    assert trial.feature("events")["S1"] == counts


def test_a_partial_date_counts_once_the_landmark_lies_after_its_month(tmp_path: Path) -> None:
    trial = dated_events(tmp_path, {"day": 31}, "S1,2014-01")
    assert trial.feature("events")["S1"] == 1.0


def test_baseline_is_the_end_of_the_first_study_day(tmp_path: Path) -> None:
    trial = dated_events(tmp_path, "baseline", "S1,2014-01-01", "S2,2014-01-02")
    assert trial.feature("events") == {"S1": 1.0, "S2": 0.0}


def test_rows_of_a_subject_with_a_partial_reference_date_count_as_undated(tmp_path: Path) -> None:
    changes = {
        "datasets.ae": events_dataset(date="AESTDTC"),
        "datasets.dm.columns.RFSTDTC": {"type": "date"},
        "subject.reference_date": "RFSTDTC",
        "features.events": {"kind": "number", "dataset": "ae", "aggregate": "count"},
    }
    dm = ["USUBJID,AGE,SEX,DIED,RFSTDTC", "S1,61,F,Y,2014-01", "S2,72,M,N,2014-01-01"]
    ae = ["USUBJID,AESTDTC", "S1,2014-01-05", "S2,2014-01-05"]
    assert make_trial(tmp_path, changes, dm=dm, ae=ae).feature("events") == {"S1": 0.0, "S2": 1.0}


def test_undated_rows_count_if_their_dataset_is_known_by_the_landmark(tmp_path: Path) -> None:
    changes = {
        "datasets.lb.day": REMOVED,
        "datasets.lb.known": "baseline",
        **alt("mean"),
    }
    lb = ["USUBJID,LBTESTCD,LBSTRESN", "S1,ALT,20", "S1,ALT,40"]
    assert make_trial(tmp_path, changes, lb=lb).feature("alt") == {"S1": 30.0, "S2": None}


def test_rows_after_the_landmark_change_no_feature(tmp_path: Path) -> None:
    changes = {**alt("max"), **category("last")}
    changes["features.n"] = {"kind": "number", "dataset": "lb", "aggregate": "count"}
    early = [HEADER, "S1,ALT,1,20,LOW", "S2,ALT,28,30,LOW"]
    late = ["S1,ALT,29,9999,PLANTED", "S2,ALT,400,9999,PLANTED", "S2,ALT,,9999,PLANTED"]
    without = make_trial(tmp_path, changes, lb=early)
    names = [feature.name for feature in without.study.resolved_features]
    expected = [without.feature(name) for name in names]
    planted = make_trial(tmp_path, changes, lb=[*early, *late])
    assert planted.counts["lb"]["used"] == 5
    assert [planted.feature(name) for name in names] == expected
