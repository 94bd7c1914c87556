"""TrialSummary on subjects made by hand: 45 with treatment A, 40 with the control P.

Site 1 has 45 of them, site 2 has 35, site 3 five with A. All were enrolled in March 2024 but the
last 12, in April. The smallest group is 10.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import pandas as pd
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from components.trial_summary.graph import SummaryJob, write_summary
from components.trial_summary.plan import plan_summary
from pipeline.errors import UserError
from pipeline.study import Study, load_study, parse_study
from pipeline.trial_progress import COMPLETED

REPOSITORY = Path(__file__).parents[3]
SUMMARY = {
    "enrolment": "RANDDT",
    "disposition": {"column": "STATUS", "completed": "DONE"},
    "exposure": {"days": "DAYS"},
    "adverse_events": {
        "dataset": "ae",
        "where": {"column": "TRTEMFL", "equals": "Y"},
        "category": "SOC",
        "severity": "SEV",
        "severities": ["MILD", "SEVERE"],
    },
    "endpoints": {
        "score": {
            "title": "Score",
            "dataset": "qs",
            "value": "AVAL",
            "visit": "VISIT",
            "order": "VISITNUM",
        }
    },
}


def study_of(**changes: Any) -> Study:
    text = {"type": "text", "known": "after"}
    number = {"type": "number", "known": "after"}
    many = {"format": "csv", "rows": "many_per_subject", "known": "after"}
    content = {
        "study": "hand",
        "title": "Made by hand",
        "datasets": {
            "dm": {
                "file": "dm.csv",
                "format": "csv",
                "rows": "one_per_subject",
                "columns": {
                    "USUBJID": text,
                    "ARM": {"type": "text", "known": "baseline"},
                    "DOSE": {"type": "text", "known": "baseline"},
                    "SITE": {"type": "text", "known": "baseline"},
                    "AGE": {"type": "number", "known": "baseline"},
                    "RANDDT": {"type": "date", "known": "baseline"},
                    "STATUS": text,
                    "DAYS": number,
                },
            },
            "ae": {
                "file": "ae.csv",
                **many,
                "columns": {
                    name: {"type": "text"} for name in ("USUBJID", "SOC", "SEV", "TRTEMFL")
                },
            },
            "qs": {
                "file": "qs.csv",
                **many,
                "columns": {
                    "USUBJID": {"type": "text"},
                    "VISIT": {"type": "text"},
                    "VISITNUM": {"type": "number"},
                    "AVAL": {"type": "number"},
                },
            },
        },
        "subject": {"dataset": "dm", "column": "USUBJID"},
        "arm": {"columns": ["ARM"], "control": "P"},
        "site": {"column": "SITE"},
        "features": {"AGE": {"kind": "number"}},
        "tasks": {
            "left": {
                "kind": "outcome",
                "title": "Left",
                "state": {"positive": {"column": "STATUS", "equals": "LEFT"}},
            }
        },
        "slices": {"smallest_group": 10},
        "summary": SUMMARY,
    }
    return parse_study({**content, **changes}, "the test")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trial")
    n = range(85)
    arm = ["A"] * 40 + ["P"] * 40 + ["A"] * 5
    site = ["1"] * 45 + ["2"] * 35 + ["3"] * 5
    pd.DataFrame(
        {
            "USUBJID": [f"S{i:02d}" for i in n],
            "ARM": arm,
            "DOSE": ["B" if i >= 80 else arm[i] for i in n],
            "SITE": site,
            # Four of the first site have no age.
            "AGE": [None if i < 4 else 50 + i % 7 for i in n],
            "RANDDT": ["2024-03-05" if i < 73 else "2024-04-09" for i in n],
            # 25 of A are done and 20 left; 30 and 10 of P.
            "STATUS": ["DONE" if i < 25 or 40 <= i < 70 else "LEFT" for i in n],
            "DAYS": [100 + i % 2 * 20 for i in n],
        }
    ).to_csv(folder / "dm.csv", index=False)
    events = [(f"S{i:02d}", "SKIN", "MILD", "Y") for i in range(20)]
    # The first twelve of them have a second one, which is severe.
    events += [(f"S{i:02d}", "SKIN", "SEVERE", "Y") for i in range(12)]
    events += [(f"S{i:02d}", "SKIN", "MILD", "Y") for i in range(40, 50)]
    # Rare: three of A.
    events += [(f"S{i:02d}", "EYE", "MILD", "Y") for i in range(3)]
    # Before treatment: does not count.
    events += [(f"S{i:02d}", "SKIN", "SEVERE", "N") for i in range(50, 80)]
    frame = pd.DataFrame(events, columns=["USUBJID", "SOC", "SEV", "TRTEMFL"])
    frame.to_csv(folder / "ae.csv", index=False)
    visits = [
        (f"S{i:02d}", name, number, 10.0 + number + (arm[i] == "A") + i % 2)
        for i in range(80)
        for name, number in (("Week 10", 10), ("Week 2", 2))
    ]
    frame = pd.DataFrame(visits, columns=["USUBJID", "VISIT", "VISITNUM", "AVAL"])
    frame.to_csv(folder / "qs.csv", index=False)
    return folder


def summarised(study: Study, data: Path, folder: Path) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    reads = {item.name: item for item in plan_summary(study, str(data))}
    with beam.Pipeline(runner=FnApiRunner()) as root:
        write_summary(root, SummaryJob(study, reads), str(folder))
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture(scope="module")
def summary(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return summarised(study_of(), data, tmp_path_factory.mktemp("summary"))


def rows(summary: dict[str, Any], section: str, measure: str, **of: Any) -> list[dict[str, Any]]:
    wanted = {"section": section, "measure": measure, **of}
    return [
        record
        for record in summary["records"]
        if all(record[name] == value for name, value in wanted.items())
    ]


def value(summary: dict[str, Any], section: str, measure: str, **of: Any) -> float:
    names = ("arm", "site", "period", "category", "severity", "visit")
    (record,) = rows(summary, section, measure, **{name: of.get(name) for name in names})
    return record["value"]


def test_enrolment_is_counted_by_month(summary: dict[str, Any]):
    assert value(summary, "enrolment", "subjects") == 85
    assert value(summary, "enrolment", "subjects", period="2024-03") == 73
    assert value(summary, "enrolment", "subjects", period="2024-04") == 12


def test_a_small_site_and_one_that_would_give_it_away_are_not_shown(summary: dict[str, Any]):
    sites = {r["site"] for r in rows(summary, "enrolment", "subjects", period=None) if r["site"]}
    # Site 3 has 5 subjects: with both others shown it would follow from the total of 85.
    assert sites == {"1"}


def test_no_count_of_subjects_is_small(summary: dict[str, Any]):
    counts = [r["value"] for r in summary["records"] if r["measure"] == "subjects"]
    assert min(counts) >= 10
    assert min(record["subjects"] for record in summary["records"]) >= 10


def test_a_small_arm_and_one_that_would_give_it_away_are_shown_nowhere(data: Path, tmp_path: Path):
    by_dose = study_of(arm={"columns": ["DOSE"], "control": "P"})
    found = summarised(by_dose, data, tmp_path)
    # Five got B: with A and P shown they would follow from the total of 85.
    assert {record["arm"] for record in found["records"]} == {None, "P"}


def test_disposition_is_a_share_of_the_arm(summary: dict[str, Any]):
    found = rows(summary, "disposition", "share", category=COMPLETED)
    shown = {record["arm"]: record["value"] for record in found}
    assert shown == {None: 55 / 85, "A": 25 / 45, "P": 30 / 40}


def test_exposure_is_a_mean_with_its_interval(summary: dict[str, Any]):
    (record,) = rows(summary, "exposure", "mean", parameter="days", arm="P")
    assert record["value"] == 110
    # 40 values of 100 and 120: standard deviation 10.127, Student's t 2.0227.
    assert record["upper"] - 110 == pytest.approx(2.0227 * 10.127 / 40**0.5, abs=1e-3)


def test_a_subject_with_several_events_counts_once(summary: dict[str, Any]):
    shown = {
        r["arm"]: r["value"] for r in rows(summary, "adverse_events", "share", category="SKIN")
    }
    assert shown == {"A": 20 / 45, "P": 10 / 40}


def test_only_treatment_emergent_events_count(summary: dict[str, Any]):
    assert value(summary, "adverse_events", "share", arm="P") == 10 / 40


def test_a_rare_event_is_withheld(summary: dict[str, Any]):
    assert not rows(summary, "adverse_events", "share", arm="A", category="EYE")


def wilson(events: int, subjects: int) -> tuple[float, float]:
    z, rate = 1.959964, events / subjects
    middle = (rate + z * z / (2 * subjects)) / (1 + z * z / subjects)
    spread = rate * (1 - rate) / subjects + z * z / (4 * subjects * subjects)
    reach = z * spread**0.5 / (1 + z * z / subjects)
    return middle - reach, middle + reach


def test_a_risk_difference_has_newcombes_interval(summary: dict[str, Any]):
    (found,) = rows(summary, "adverse_events", "risk_difference", arm="A", category="SKIN")
    (low_a, high_a), (low_p, high_p) = wilson(20, 45), wilson(10, 40)
    difference = 20 / 45 - 10 / 40
    assert found["value"] == pytest.approx(difference)
    below = ((20 / 45 - low_a) ** 2 + (high_p - 0.25) ** 2) ** 0.5
    above = ((high_a - 20 / 45) ** 2 + (0.25 - low_p) ** 2) ** 0.5
    assert found["lower"] == pytest.approx(difference - below, abs=1e-6)
    assert found["upper"] == pytest.approx(difference + above, abs=1e-6)


def test_a_subject_counts_with_the_worst_severity(summary: dict[str, Any]):
    # 12 of A are severe; the 8 whose worst event is mild are too few, and would follow from
    # the 12, the 25 without any event and the 45.
    assert not rows(summary, "adverse_events", "share", arm="A", severity="MILD")
    assert not rows(summary, "adverse_events", "share", arm="A", severity="SEVERE")
    (mild,) = rows(summary, "adverse_events", "share", arm="P", severity="MILD")
    assert mild["value"] == 10 / 40


def test_visits_come_in_their_order(summary: dict[str, Any]):
    means = rows(summary, "endpoint", "mean", arm="P", parameter="Score")
    assert [record["visit"] for record in means] == ["Week 2", "Week 10"]
    assert [record["value"] for record in means] == [12.5, 20.5]


def test_completeness_is_the_share_of_values_that_are_there(summary: dict[str, Any]):
    assert value(summary, "completeness", "share") == pytest.approx(81 / 85)
    assert value(summary, "completeness", "share", site="1") == pytest.approx(41 / 45)


def test_what_the_study_file_does_not_describe_is_said_to_be_absent(data: Path, tmp_path: Path):
    found = summarised(study_of(summary={}), data, tmp_path)
    assert set(found["absent"]) == {"disposition", "exposure", "adverse_events", "endpoint"}
    assert "summary.exposure" in found["absent"]["exposure"]


def test_several_buckets_give_the_same_summary(
    data: Path, tmp_path: Path, summary: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pipeline.reading.buckets._BUCKET_BYTES", 500)
    assert summarised(study_of(), data, tmp_path) == summary


def test_a_column_that_is_not_there_is_told(data: Path):
    changed = {**SUMMARY, "exposure": {"days": "DAY"}}
    with pytest.raises(UserError, match=r"dm\.csv: no column DAY \(did you mean DAYS\?\)"):
        plan_summary(study_of(summary=changed), str(data))


def test_a_dataset_that_is_not_described_is_told():
    changed = {**SUMMARY, "adverse_events": {"dataset": "adae"}}
    with pytest.raises(UserError, match=r"summary\.adverse_events\.dataset: there is no dataset"):
        study_of(summary=changed)


def test_the_pilot_study_has_its_known_numbers(trial_data_dir: Path, tmp_path: Path):
    """254 treated patients; 58 of 86 with placebo completed, 65 of 86 had an adverse event."""
    study = load_study(REPOSITORY / "schema" / "cdisc_pilot01" / "study.yaml")
    found = summarised(study, trial_data_dir / "cdisc_pilot01", tmp_path)
    assert value(found, "enrolment", "subjects") == 254
    placebo = {"arm": "Placebo"}
    assert value(found, "disposition", "subjects", category=COMPLETED, **placebo) == 58
    assert value(found, "adverse_events", "share", **placebo) == pytest.approx(65 / 86)
    skin = "SKIN AND SUBCUTANEOUS TISSUE DISORDERS"
    assert value(found, "adverse_events", "share", category=skin, **placebo) == 20 / 86
