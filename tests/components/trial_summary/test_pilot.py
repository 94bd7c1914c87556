"""CDISC Pilot 01 against its study report and against what is counted from the raw files here.

The report (CDISCPilot01, Clinical Study Report): 254 patients, 86 with placebo and 84 each with
the high and the low dose; 58, 27 and 25 of them completed week 24 (table 14-1.02).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from pipeline.results.trial_progress import COMPLETED
from pipeline.study.load import load_study
from pipeline.study.shipped import SCHEMAS
from tests.components.trial_summary.trial_made_by_hand import rows, summarised, value
from tests.each import each

PLACEBO, HIGH, LOW = "Placebo", "Xanomeline High Dose", "Xanomeline Low Dose"
SMALLEST = 20


@pytest.fixture(scope="module")
def pilot(trial_data_dir: Path) -> Path:
    return trial_data_dir / "cdisc_pilot01"


def summary_of(name: str, pilot: Path, folder: Path) -> dict[str, Any]:
    return summarised(load_study(SCHEMAS / name / "study.yaml"), pilot, folder)


@pytest.fixture(scope="module")
def adam(pilot: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return summary_of("cdisc_pilot01", pilot, tmp_path_factory.mktemp("adam"))


@pytest.fixture(scope="module")
def sdtm(pilot: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return summary_of("cdisc_pilot01_sdtm", pilot, tmp_path_factory.mktemp("sdtm"))


def table(pilot: Path, name: str) -> pd.DataFrame:
    return pyreadstat.read_xport(pilot / f"{name}.xpt")[0]


def test_enrolment_is_the_reports(adam: dict[str, Any]) -> None:
    assert value(adam, "enrolment", "subjects") == 254
    found = {arm: value(adam, "enrolment", "subjects", arm=arm) for arm in (PLACEBO, HIGH, LOW)}
    assert found == {PLACEBO: 86, HIGH: 84, LOW: 84}


def test_completion_is_the_reports(adam: dict[str, Any]) -> None:
    found = {
        arm: value(adam, "disposition", "subjects", category=COMPLETED, arm=arm)
        for arm in (PLACEBO, HIGH, LOW)
    }
    assert found == {PLACEBO: 58, HIGH: 27, LOW: 25}


def test_the_curve_of_enrolment_counts_all_subjects(adam: dict[str, Any]) -> None:
    records = rows(adam, "enrolment", "subjects", site=None, arm=None)
    periods = [record["value"] for record in records if record["period"]]
    assert sum(periods) == 254
    assert min(periods) >= SMALLEST


def test_sites_are_those_of_the_smallest_group_or_more(adam: dict[str, Any], pilot: Path) -> None:
    sizes = table(pilot, "adam/adsl")["SITEID"].value_counts()
    records = rows(adam, "enrolment", "subjects", period=None, arm=None)
    found = {record["site"]: record["value"] for record in records if record["site"]}
    assert found == sizes[sizes >= SMALLEST].to_dict()


def test_exposure_is_the_mean_of_the_raw_durations(adam: dict[str, Any], pilot: Path) -> None:
    means = table(pilot, "adam/adsl").groupby("TRT01P")["TRTDUR"].mean()
    for record in each(rows(adam, "exposure", "mean", parameter="days of treatment")):
        assert record["value"] == pytest.approx(means[record["arm"]], rel=1e-5)


def test_organ_classes_are_those_of_the_raw_events(adam: dict[str, Any], pilot: Path) -> None:
    events = table(pilot, "adam/adae").query("TRTEMFL == 'Y'")
    once = events.drop_duplicates(["USUBJID", "AEBODSYS"])
    counts = once.groupby(["TRTA", "AEBODSYS"]).size()
    shown = rows(adam, "adverse_events", "share", severity=None)
    classes = [record for record in shown if record["category"]]
    assert len(classes) == 9
    for record in classes:
        number = counts.get((record["arm"], record["category"]), 0)  # type: ignore[arg-type]
        assert record["value"] == pytest.approx(number / record["subjects"])
        assert number >= SMALLEST  # type: ignore[operator]


def test_skin_events_are_more_frequent_under_treatment(adam: dict[str, Any]) -> None:
    skin = {"category": "SKIN AND SUBCUTANEOUS TISSUE DISORDERS", "severity": None}
    for record in each(rows(adam, "adverse_events", "risk_difference", **skin)):
        assert record["lower"] > 0
    assert value(adam, "adverse_events", "risk_difference", arm=HIGH, **skin) == pytest.approx(
        40 / 84 - 20 / 86
    )


def test_the_endpoint_is_the_mean_of_what_was_observed(adam: dict[str, Any], pilot: Path) -> None:
    scores = table(pilot, "adam/adqscibc").query("ANL01FL == 'Y' and DTYPE == ''")
    means = scores.groupby(["TRTP", "AVISIT"])["AVAL"].mean()
    records = rows(adam, "endpoint", "mean")
    assert [record["visit"] for record in records[::3]] == ["Week 8", "Week 16", "Week 24"]
    for record in records:
        expected = means[record["arm"], record["visit"]]
        assert record["value"] == pytest.approx(expected, rel=1e-5)


def test_tabulation_and_analysis_data_say_the_same(
    adam: dict[str, Any], sdtm: dict[str, Any]
) -> None:
    """Screen failures are left out by a supplemental qualifier, and disposition is in DS."""
    for section in ("enrolment", "disposition", "adverse_events"):
        of_sdtm = [record for record in sdtm["records"] if record["section"] == section]
        assert of_sdtm == [record for record in adam["records"] if record["section"] == section]
