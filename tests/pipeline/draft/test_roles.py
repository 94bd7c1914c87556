"""Arm, days, dates and parameters of a draft are found by names and counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.draft.study import draft_study
from tests.pipeline.draft.hand_made_files import draft_of, write_csv


def test_file_with_several_rows_of_a_subject_asks_for_its_day_or_date(data: Path) -> None:
    visits = [
        {"PATNO": f"P-{i % 40:03d}", "PARAMCD": "SYSBP", "ADY": i, "ADT": "2021-04-01", "AVAL": i}
        for i in range(80)
    ]
    write_csv(data / "visits.csv", visits)

    dataset = draft_of(data)["datasets"]["visits"]

    assert dataset["rows"] == "many_per_subject"
    assert dataset["parameter"] == "PARAMCD"
    assert dataset["day"] == "ADY"
    assert {"date", "known"}.isdisjoint(dataset)


@pytest.mark.parametrize("own_date", ["ASTDT", "VISITDT"])
def test_copies_of_the_subjects_dates_are_no_dates_of_rows(tmp_path: Path, own_date: str) -> None:
    subjects = [{"USUBJID": f"S{i}", "TRTSDT": "2021-03-01", "AGE": i / 2} for i in range(30)]
    write_csv(tmp_path / "adsl.csv", subjects)
    rows = [
        {"USUBJID": f"S{i % 30}", "TRTSDT": "2021-03-01", own_date: f"2021-04-{i % 28 + 1:02d}"}
        for i in range(60)
    ]
    write_csv(tmp_path / "adae.csv", rows)

    draft = draft_of(tmp_path)

    assert draft["datasets"]["adae"]["date"] == own_date
    assert draft["subject"]["reference_date"] == "TRTSDT"


def test_dataset_that_keeps_its_testcd_has_one_parameter(tmp_path: Path) -> None:
    write_csv(tmp_path / "adsl.csv", [{"USUBJID": f"S{i}", "AGE": i / 2} for i in range(30)])
    rows = [
        {"USUBJID": f"S{i % 30}", "LBTESTCD": "ALT", "PARAMCD": "ALT", "ADY": i, "AVAL": i / 2}
        for i in range(60)
    ]
    write_csv(tmp_path / "adlb.csv", rows)

    assert draft_study(tmp_path, "mytrial").count("\n    parameter:") == 1
    assert draft_of(tmp_path)["datasets"]["adlb"]["parameter"] == "PARAMCD"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "trt",
            "treatment",
            "rx",
            "arm",
            "TRT01P",
            "allocation",
            "group",
            "tx",
            "Rand_Arm",
            "drug",
        ),
        *("study_arm", "tmt", "interv", "strategy", "dose_group", "Gruppe", "Behandlung", "bras"),
    ],
)
def test_arm_is_found_by_the_names_that_trials_use(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "a.csv", [{"id": i, name: "AB"[i % 2], "x": i / 2} for i in range(40)])

    assert draft_of(tmp_path)["arm"]["columns"] == [name]


def test_dataset_of_times_to_events_becomes_an_analysis(tmp_path: Path) -> None:
    subjects = [{"USUBJID": f"S{i}", "ARM": "AB"[i % 2], "AGE": i / 2} for i in range(40)]
    write_csv(tmp_path / "adsl.csv", subjects)
    rows = [
        {"USUBJID": f"S{i % 40}", "PARAMCD": "OS", "STARTDT": "2021-01-01", "ADT": "2021-02-03"}
        | {"AVAL": i, "CNSR": i % 2}
        for i in range(40)
    ]
    write_csv(tmp_path / "adtte.csv", rows)

    draft = draft_of(tmp_path)

    assert draft["analysis"]["time_to_event"]["event"] == {
        "title": "TODO",
        "dataset": "adtte",
        "time": "AVAL",
        "event": {"column": "CNSR", "equals": "0"},
    }


@pytest.mark.parametrize(
    ("columns", "day"),
    [
        (["VISITDY", "CMENDY", "CMSTDY"], "CMSTDY"),
        (["VISITDY", "MHDY"], "MHDY"),
        (["AENDY", "ASTDY"], "ASTDY"),
        (["VISITDY"], "VISITDY"),
    ],
)
def test_day_of_a_row_is_that_of_its_start(tmp_path: Path, columns: list[str], day: str) -> None:
    write_csv(tmp_path / "adsl.csv", [{"USUBJID": f"S{i}", "AGE": i / 2} for i in range(30)])
    rows = [{"USUBJID": f"S{i % 30}"} | dict.fromkeys(columns, i) for i in range(60)]
    write_csv(tmp_path / "events.csv", rows)

    assert draft_of(tmp_path)["datasets"]["events"]["day"] == day


def test_draft_without_an_arm_says_how_to_name_one(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [{"id": i, "Z": i % 2, "x": i / 2} for i in range(40)])

    text = draft_study(tmp_path, "mytrial")

    assert "# arm: {columns: [COLUMN], control: LEVEL}" in text
    assert "# Columns of 2 to 6 levels: Z" in text


def test_time_and_status_become_a_task_and_an_analysis(tmp_path: Path) -> None:
    rows = [
        {"id": i, "arm": i % 2, "futime": 20 + i, "status": i % 3 == 0, "x": i / 2}
        for i in range(120)
    ]
    write_csv(tmp_path / "a.csv", rows)

    draft = draft_of(tmp_path)
    [task] = draft["tasks"].values()

    assert task["event"]["day"] == task["event"]["follow_up"]["day"] == "futime"
    assert task["event"]["where"] == {"column": "status", "equals": "TODO"}
    assert task["horizon"] == draft["first_day"] == "TODO"
    assert task["event"]["landmark_day"] == "TODO"
    assert draft["analysis"]["time_to_event"]["event"]["time"] == "futime"


@pytest.mark.parametrize("level", ["Placebo", "control", "Standard of care", "sham", "Usual care"])
def test_column_with_a_level_of_a_control_is_the_arm_whatever_its_name(
    tmp_path: Path, level: str
) -> None:
    rows = [{"id": i, "Z": (level, "new")[i % 2], "x": i / 2} for i in range(40)]
    write_csv(tmp_path / "a.csv", rows)

    assert draft_of(tmp_path)["arm"]["columns"] == ["Z"]


def test_control_of_cases_is_no_arm(tmp_path: Path) -> None:
    rows = [{"id": i, "Z": ("control", "case")[i % 2], "x": i / 2} for i in range(40)]
    write_csv(tmp_path / "a.csv", rows)

    assert "arm" not in draft_of(tmp_path)


def test_who_was_assigned_to_no_arm_is_not_in_the_population(tmp_path: Path) -> None:
    arms = ["A", "B", "Screen Failure", "Not Assigned"]
    rows = [{"USUBJID": f"S{i}", "ARM": arms[i % 4], "AGE": i / 2} for i in range(80)]
    write_csv(tmp_path / "dm.csv", rows)

    draft = draft_of(tmp_path)

    assert draft["population"] == {
        "not": {"column": "ARM", "in": ["Not Assigned", "Screen Failure"]}
    }
    assert "# Who is in the trial: 40 rows of ARM look like no arm." in draft_study(tmp_path, "x")


@pytest.mark.parametrize(
    ("time", "status"),
    [
        *(("futime", "fustat"), ("rectime", "censrec"), ("lenfol", "fstat"), ("stop", "event")),
        *(("t", "event"), ("y", "delta"), ("dtime", "d"), ("ttodead", "died"), ("tt", "cens")),
        *(("time_to_event", "event_indicator"), ("days_to_death", "vital_status")),
        *(("pfs_time", "pfs"), ("OS_MONTHS", "OS_STATUS"), ("survtime", "death")),
    ],
)
def test_time_and_status_are_found_by_the_names_that_trials_use(
    tmp_path: Path, time: str, status: str
) -> None:
    rows = [{"id": i, time: 20 + i, status: i % 2, "x": i / 2} for i in range(120)]
    write_csv(tmp_path / "a.csv", rows)

    draft = draft_of(tmp_path)
    event = draft["tasks"]["event_within_horizon"]["event"]

    assert (event["day"], event["where"]["column"]) == (time, status)
    assert list(draft["features"]) == ["x"]


def test_time_and_status_of_one_endpoint_belong_together(tmp_path: Path) -> None:
    rows = [
        {
            "patient_id": i,
            "os_status": i % 2,
            "pfs_status": i % 3,
            "pfs_months": i * i,
            "os_months": i,
        }
        for i in range(120)
    ]
    write_csv(tmp_path / "a.csv", rows)

    event = draft_of(tmp_path)["tasks"]["event_within_horizon"]["event"]

    assert (event["day"], event["where"]["column"]) == ("pfs_months", "pfs_status")


@pytest.mark.parametrize("name", ["smoking_status", "marital_status", "prothrombin_time", "y", "t"])
def test_what_only_sounds_like_a_status_or_time_is_a_feature(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "a.csv", [{"id": i, name: i % 2, "AGE": i / 2} for i in range(30)])

    assert name in draft_of(tmp_path)["features"]


def test_planned_day_gives_way_to_the_date_of_a_row(tmp_path: Path) -> None:
    subjects = [{"USUBJID": f"S{i}", "RFSTDTC": "2021-03-01", "AGE": i / 2} for i in range(30)]
    write_csv(tmp_path / "dm.csv", subjects)
    rows = [{"USUBJID": f"S{i % 30}", "VISITDY": i, "SVSTDTC": "2021-03-09"} for i in range(60)]
    write_csv(tmp_path / "sv.csv", rows)

    draft = draft_of(tmp_path)

    assert draft["datasets"]["sv"]["date"] == "SVSTDTC"
    assert draft["subject"]["reference_date"] == "RFSTDTC"


@pytest.mark.parametrize(
    ("levels", "drafted"),
    [
        (["Severe", "Mild", "Moderate"], ["Mild", "Moderate", "Severe"]),
        (["MILD", "SEVERE"], ["MILD", "SEVERE"]),
        (["1", "2", "3"], "TODO"),
    ],
)
def test_severities_are_those_of_the_data_in_their_order(
    tmp_path: Path, levels: list[str], drafted: Any
) -> None:
    write_csv(tmp_path / "dm.csv", [{"USUBJID": f"S{i}", "AGE": i / 2} for i in range(30)])
    rows = [
        {"USUBJID": f"S{i % 30}", "AESTDY": i, "AESER": "NY"[i % 2], "AEBODSYS": "Skin"}
        | {"AESEV": levels[i % len(levels)]}
        for i in range(60)
    ]
    write_csv(tmp_path / "ae.csv", rows)

    assert draft_of(tmp_path)["summary"]["adverse_events"]["severities"] == drafted


@pytest.mark.parametrize(("levels", "yes"), [("NY", "Y"), (("No", "Yes"), "Yes"), ("01", "1")])
def test_serious_is_the_level_that_says_yes(
    tmp_path: Path, levels: Sequence[str], yes: str
) -> None:
    write_csv(tmp_path / "dm.csv", [{"USUBJID": f"S{i}", "AGE": i / 2} for i in range(30)])
    rows = [{"USUBJID": f"S{i % 30}", "AESTDY": i, "AESER": levels[i % 2]} for i in range(60)]
    write_csv(tmp_path / "ae.csv", rows)

    event = draft_of(tmp_path)["tasks"]["serious_adverse_event"]["event"]

    assert event["where"] == {"column": "AESER", "equals": yes}


@pytest.mark.parametrize("unit", ["LBSTRESU", "AVALU", "unit"])
def test_parameter_whose_unit_changes_is_named_with_the_number_of_units(
    tmp_path: Path, unit: str
) -> None:
    write_csv(tmp_path / "dm.csv", [{"USUBJID": f"S{i}", "AGE": i / 2} for i in range(30)])
    rows = [
        {"USUBJID": f"S{i % 30}", "PARAMCD": ("GLUC", "ALT")[i % 2], "ADY": i, "AVAL": i / 2}
        | {unit: ("mg/dL", "U/L", "mmol/L", "U/L")[i % 4]}
        for i in range(60)
    ]
    write_csv(tmp_path / "lb.csv", rows)

    assert f"# Several units in {unit}: GLUC (2). Their numbers" in draft_study(tmp_path, "mytrial")


def test_units_of_results_as_collected_may_change(tmp_path: Path) -> None:
    write_csv(tmp_path / "dm.csv", [{"USUBJID": f"S{i}", "AGE": i / 2} for i in range(30)])
    rows = [
        {"USUBJID": f"S{i % 30}", "LBTESTCD": "GLUC", "LBDY": i, "LBSTRESN": i / 2}
        | {"LBORRESU": ("mg/dL", "mmol/L")[i % 2], "LBSTRESU": "mmol/L"}
        for i in range(60)
    ]
    write_csv(tmp_path / "lb.csv", rows)

    text = draft_study(tmp_path, "mytrial")

    assert "parameter: LBTESTCD" in text
    assert "Several units" not in text
