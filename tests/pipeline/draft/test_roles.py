"""Arm, days, dates and parameters of a draft are found by names and counts."""

from __future__ import annotations

from pathlib import Path

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
    ["trt", "treatment", "rx", "arm", "TRT01P", "allocation", "group", "tx", "Rand_Arm", "drug"],
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
        "event": {"column": "CNSR", "equals": 0},
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
