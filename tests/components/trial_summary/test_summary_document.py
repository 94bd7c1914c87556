"""What the summary says of the trial made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.results.trial_progress import COMPLETED
from pipeline.store.models import TrialProgress
from tests.components.trial_summary.trial_made_by_hand import (
    SUMMARY,
    rows,
    study_of,
    summarised,
    value,
)


def changed(data: Path, folder: Path, dataset: str, **columns: Any) -> Path:
    """A copy of the trial with other columns in a dataset."""
    for path in data.iterdir():
        frame = pd.read_csv(path)
        if path.name == f"{dataset}.csv":
            frame = frame.assign(**columns)
        frame.to_csv(folder / path.name, index=False)
    return folder


def test_enrolment_is_counted_by_arm_site_and_month(summary: dict[str, Any]) -> None:
    assert value(summary, "enrolment", "subjects") == 85
    assert value(summary, "enrolment", "subjects", arm="P") == 40
    assert value(summary, "enrolment", "subjects", site="1") == 45
    assert value(summary, "enrolment", "subjects", period="2024-03") == 73
    assert value(summary, "enrolment", "subjects", period="2024-04") == 12


def test_a_site_is_counted_within_a_period(summary: dict[str, Any]) -> None:
    # 73 in March: 45 of site 1 and 28 of site 2, which is suppressed with the small site 3.
    assert value(summary, "enrolment", "subjects", period="2024-03", site="1") == 45


def test_a_date_without_a_month_counts_for_no_month(data: Path, tmp_path: Path) -> None:
    vague = changed(data, tmp_path, "dm", RANDDT=["2024"] * 30 + ["2024-03"] * 55)
    found = summarised(study_of(), vague, tmp_path / "out")
    assert value(found, "enrolment", "subjects") == 85
    assert value(found, "enrolment", "subjects", period="2024-03") == 55


def test_those_outside_the_population_are_not_counted(data: Path, tmp_path: Path) -> None:
    inside = {"column": "SITE", "equals": "1"}
    found = summarised(study_of(population=inside), data, tmp_path)
    assert value(found, "enrolment", "subjects") == 45


def test_the_summary_may_have_a_population_of_its_own(data: Path, tmp_path: Path) -> None:
    study = study_of(
        population={"column": "SITE", "equals": "1"},
        summary={**SUMMARY, "population": {"column": "SITE", "in": ["1", "2"]}},
    )
    assert value(summarised(study, data, tmp_path), "enrolment", "subjects") == 80


def test_events_are_of_those_who_were_treated(data: Path, tmp_path: Path) -> None:
    treated = ["N"] * 10 + ["Y"] * 60 + ["N"] * 10 + ["Y"] * 5
    trial = changed(data, tmp_path, "dm", STATUS=treated)
    safety = {"column": "STATUS", "equals": "Y"}
    found = summarised(
        study_of(summary={**SUMMARY, "disposition": None, "safety": safety}),
        trial,
        tmp_path / "out",
    )
    assert value(found, "enrolment", "subjects", arm="A") == 45
    # 10 of the 20 of A with an event were not treated, and 10 more of A.
    assert value(found, "adverse_events", "share", arm="A") == 10 / 35


def test_few_who_were_not_treated_do_not_follow_from_two_totals(data: Path, tmp_path: Path) -> None:
    trial = changed(data, tmp_path, "dm", STATUS=["N"] * 4 + ["Y"] * 81)
    safety = {"column": "STATUS", "equals": "Y"}
    found = summarised(
        study_of(summary={**SUMMARY, "disposition": None, "safety": safety}),
        trial,
        tmp_path / "out",
    )
    assert value(found, "enrolment", "subjects") == 81
    assert any("not treated" in absent["reason"] for absent in found["absent"])


def test_a_subject_with_two_rows_is_left_out(data: Path, tmp_path: Path) -> None:
    subjects = [f"S{i:02d}" for i in range(85)]
    trial = changed(data, tmp_path, "dm", USUBJID=["S01", *subjects[1:]])
    assert value(summarised(study_of(), trial, tmp_path / "out"), "enrolment", "subjects") == 83


def test_a_small_site_and_one_that_would_disclose_it_are_not_shown(
    summary: dict[str, Any],
) -> None:
    sites = {r["site"] for r in rows(summary, "enrolment", "subjects", period=None) if r["site"]}
    # Site 3 has 5 subjects: with both others shown it would follow from the total of 85.
    assert sites == {"1"}


def test_what_is_suppressed_of_enrolment_is_suppressed_everywhere(summary: dict[str, Any]) -> None:
    assert {record["site"] for record in summary["records"]} == {None, "1"}


def test_no_count_of_subjects_is_small(summary: dict[str, Any]) -> None:
    counts = [r["value"] for r in summary["records"] if r["measure"] == "subjects"]
    assert min(counts) >= 10
    assert min(record["subjects"] for record in summary["records"]) >= 10


def test_a_small_arm_and_one_that_would_disclose_it_are_shown_nowhere(
    data: Path, tmp_path: Path
) -> None:
    by_dose = study_of(arm={"columns": ["DOSE"], "control": "P"})
    found = summarised(by_dose, data, tmp_path)
    # Five got B: with A and P shown they would follow from the total of 85.
    assert {record["arm"] for record in found["records"]} == {None, "P"}


def test_disposition_is_a_share_of_the_arm(summary: dict[str, Any]) -> None:
    found = rows(summary, "disposition", "share", category=COMPLETED)
    shown = {record["arm"]: record["value"] for record in found}
    assert shown == {None: 55 / 85, "A": 25 / 45, "P": 30 / 40}


def test_exposure_is_a_mean_with_its_interval(summary: dict[str, Any]) -> None:
    (record,) = rows(summary, "exposure", "mean", parameter="days", arm="P")
    assert record["value"] == 110
    # 40 values of 100 and 120: standard deviation 10.127, Student's t 2.0227.
    assert record["upper"] - 110 == pytest.approx(2.0227 * 10.127 / 40**0.5, abs=1e-3)


def test_a_subject_with_several_events_counts_once(summary: dict[str, Any]) -> None:
    shown = {
        r["arm"]: r["value"] for r in rows(summary, "adverse_events", "share", category="SKIN")
    }
    assert shown == {"A": 20 / 45, "P": 10 / 40}


def test_only_treatment_emergent_events_count(summary: dict[str, Any]) -> None:
    assert value(summary, "adverse_events", "share", arm="P") == 10 / 40


def test_a_rare_event_is_suppressed(summary: dict[str, Any]) -> None:
    assert not rows(summary, "adverse_events", "share", arm="A", category="EYE")


def wilson(events: int, subjects: int) -> tuple[float, float]:
    z, rate = 1.959964, events / subjects
    middle = (rate + z * z / (2 * subjects)) / (1 + z * z / subjects)
    spread = rate * (1 - rate) / subjects + z * z / (4 * subjects * subjects)
    reach = z * spread**0.5 / (1 + z * z / subjects)
    return middle - reach, middle + reach


def test_a_risk_difference_has_newcombes_interval(summary: dict[str, Any]) -> None:
    (found,) = rows(summary, "adverse_events", "risk_difference", arm="A", category="SKIN")
    (low_a, high_a), (low_p, high_p) = wilson(20, 45), wilson(10, 40)
    difference = 20 / 45 - 10 / 40
    assert found["value"] == pytest.approx(difference)
    below = ((20 / 45 - low_a) ** 2 + (high_p - 0.25) ** 2) ** 0.5
    above = ((high_a - 20 / 45) ** 2 + (0.25 - low_p) ** 2) ** 0.5
    assert found["lower"] == pytest.approx(difference - below, abs=1e-6)
    assert found["upper"] == pytest.approx(difference + above, abs=1e-6)


def test_a_subject_counts_with_the_worst_severity(summary: dict[str, Any]) -> None:
    # 12 of A are severe; the 8 whose worst event is mild are too few, and would follow from
    # the 12, the 25 without any event and the 45.
    assert not rows(summary, "adverse_events", "share", arm="A", severity="MILD")
    assert not rows(summary, "adverse_events", "share", arm="A", severity="SEVERE")
    assert value(summary, "adverse_events", "share", arm="P", severity="MILD") == 10 / 40


def test_a_class_is_divided_by_severity_too(summary: dict[str, Any]) -> None:
    mild = {"arm": "P", "category": "SKIN", "severity": "MILD"}
    assert value(summary, "adverse_events", "share", **mild) == 10 / 40


def test_visits_come_in_their_order(summary: dict[str, Any]) -> None:
    means = rows(summary, "endpoint", "mean", arm="P", parameter="Score")
    assert [record["visit"] for record in means] == ["Week 2", "Week 10"]
    assert [record["value"] for record in means] == [12.5, 20.5]


def test_a_subject_with_two_values_at_a_visit_counts_with_their_mean(
    data: Path, tmp_path: Path
) -> None:
    values = pd.read_csv(data / "qs.csv")
    # At week 10 every subject of P has 20 or 21; now each has a second value, 10 less.
    second = values[values["VISIT"] == "Week 10"].assign(AVAL=lambda frame: frame["AVAL"] - 10)
    trial = changed(data, tmp_path, "qs")
    pd.concat([values, second]).to_csv(trial / "qs.csv", index=False)
    found = summarised(study_of(), trial, tmp_path / "out")
    (record,) = rows(found, "endpoint", "mean", arm="P", visit="Week 10")
    assert record["value"] == 15.5


def test_the_number_behind_a_mean_does_not_disclose_how_few_lack_a_value(
    summary: dict[str, Any],
) -> None:
    # 40 of the 45 of A came to the visits: five are missing, a small group.
    (of_a, of_p) = rows(summary, "endpoint", "mean", visit="Week 2")[::-1]
    assert (of_a["arm"], of_a["subjects"]) == ("A", 35)
    assert (of_p["arm"], of_p["subjects"]) == ("P", 40)


def test_completeness_counts_missing_values_in_tens(summary: dict[str, Any]) -> None:
    # Age and date of 85 subjects; the four ages that are missing are fewer than ten.
    assert value(summary, "completeness", "share", category="dm") == 1


def test_completeness_is_the_share_of_values_that_are_there(data: Path, tmp_path: Path) -> None:
    ages = [None] * 20 + [50.0] * 65
    trial = changed(data, tmp_path, "dm", AGE=ages)
    found = summarised(study_of(summary={"enrolment": "RANDDT"}), trial, tmp_path / "out")
    assert value(found, "completeness", "share") == pytest.approx(150 / 170)
    assert value(found, "completeness", "share", site="1") == pytest.approx(70 / 90)


def test_completeness_is_reported_by_dataset_too(summary: dict[str, Any]) -> None:
    records = rows(summary, "completeness", "share", site=None)
    assert [record["category"] for record in records] == [None, "dm", "ae", "qs"]
    # 33 subjects have an event: at least 25 of the 85.
    assert [record["subjects"] for record in records] == [85, 85, 25, 75]


def test_a_code_of_a_missing_value_is_no_value(data: Path, tmp_path: Path) -> None:
    datasets = study_of().to_content()["datasets"]
    datasets["dm"]["columns"]["AGE"] |= {"range": [18, 100], "missing": [999]}
    ages = [999.0] * 20 + [50.0] * 65
    trial = changed(data, tmp_path, "dm", AGE=ages)
    found = summarised(study_of(datasets=datasets), trial, tmp_path / "out")
    assert value(found, "completeness", "share", category="dm") == pytest.approx(150 / 170)


def test_a_subject_whose_own_row_the_examples_reject_is_not_counted(
    data: Path, tmp_path: Path
) -> None:
    datasets = study_of().to_content()["datasets"]
    datasets["dm"]["columns"]["AGE"] |= {"range": [18, 100]}
    ages = [7.0] * 10 + [50.0] * 75
    trial = changed(data, tmp_path, "dm", AGE=ages)
    found = summarised(study_of(datasets=datasets), trial, tmp_path / "out")
    assert value(found, "enrolment", "subjects") == 75
    assert value(found, "enrolment", "subjects", arm="A") == 35
    # The first 20 subjects have an event.
    events = value(found, "adverse_events", "share", arm="A")
    assert events == pytest.approx(10 / 35)


def test_a_subject_of_two_rows_is_not_counted(data: Path, tmp_path: Path) -> None:
    trial = changed(data, tmp_path, "dm")
    frame = pd.read_csv(trial / "dm.csv")
    pd.concat([frame, frame[:10]]).to_csv(trial / "dm.csv", index=False)
    assert value(summarised(study_of(), trial, tmp_path / "out"), "enrolment", "subjects") == 75


def test_what_only_the_summary_reads_rejects_no_row_and_is_missing(
    data: Path, tmp_path: Path
) -> None:
    datasets = study_of().to_content()["datasets"]
    datasets["dm"]["columns"]["DAYS"] |= {"range": [0, 500]}
    days = [9000.0] * 20 + [100.0] * 65
    trial = changed(data, tmp_path, "dm", DAYS=days)
    found = summarised(study_of(datasets=datasets), trial, tmp_path / "out")
    assert value(found, "enrolment", "subjects") == 85
    [of_a] = rows(found, "exposure", "mean", arm="A")
    assert (of_a["value"], of_a["subjects"]) == (100, 25)


def test_disposition_may_be_a_dataset_of_its_own(data: Path, tmp_path: Path) -> None:
    subjects = pd.read_csv(data / "dm.csv")
    trial = changed(data, tmp_path, "ae")
    rows_of = subjects.rename(columns={"STATUS": "DSDECOD"})[["USUBJID", "DSDECOD"]]
    other = rows_of.assign(DSDECOD="LEFT", DSCAT="OTHER")
    # Site 2's last subjects say two things of themselves.
    second = rows_of[60:70].assign(DSDECOD="LEFT", DSCAT="END")
    pd.concat([rows_of.assign(DSCAT="END"), other, second]).to_csv(trial / "ds.csv", index=False)
    text = {"type": "text"}
    columns = {"USUBJID": text, "DSDECOD": text, "DSCAT": text}
    datasets = study_of().to_content()["datasets"]
    datasets["ds"] = {
        "file": "ds.csv",
        "format": "csv",
        "rows": "many_per_subject",
        "known": "after",
        "columns": columns,
    }
    disposition = {
        "dataset": "ds",
        "where": {"column": "DSCAT", "equals": "END"},
        "column": "DSDECOD",
        "completed": "DONE",
    }
    study = study_of(datasets=datasets, summary={**SUMMARY, "disposition": disposition})
    found = summarised(study, trial, tmp_path / "out")
    assert value(found, "disposition", "subjects", category=COMPLETED, arm="P") == 20


def test_what_the_study_file_does_not_describe_is_said_to_be_absent(
    data: Path, tmp_path: Path
) -> None:
    found = summarised(study_of(summary={}), data, tmp_path)
    absent = {item["section"]: item["reason"] for item in found["absent"]}
    assert set(absent) == {"enrolment", "disposition", "exposure", "adverse_events", "endpoint"}
    assert absent["enrolment"] == "no date (summary.enrolment): nothing is shown by month"
    assert absent["exposure"] == "the study file's `summary` does not describe it"


def test_without_arms_what_is_shown_by_arm_is_absent(data: Path, tmp_path: Path) -> None:
    found = summarised(study_of(arm=None), data, tmp_path)
    absent = {item["section"]: item["reason"] for item in found["absent"]}
    assert "the study file names none" in absent["adverse_events"]
    assert value(found, "disposition", "subjects", category=COMPLETED) == 55


def test_a_record_has_the_columns_of_the_store(summary: dict[str, Any]) -> None:
    columns = {column.name for column in TrialProgress.__table__.columns}
    assert {frozenset(record) for record in summary["records"]} == {
        frozenset(columns - {"run", "number"})
    }


def test_several_buckets_give_the_same_summary(
    data: Path, tmp_path: Path, summary: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.reading.buckets._BUCKET_BYTES", 500)
    assert summarised(study_of(), data, tmp_path) == summary
