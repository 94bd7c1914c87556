"""Values that the study file names and no row has stop the run, named with key and place."""

from __future__ import annotations

from typing import Any

import pytest

from components.data_gate.levels import features_without_rows, levels
from components.data_gate.settings import DataGateSettings
from pipeline.results.counts import Counts
from pipeline.results.findings import Finding
from pipeline.study.sections import Gate


def settings(control: str | None = None, severity: Any = "stop") -> DataGateSettings:
    return DataGateSettings(
        study_name="TRIAL1",
        gate=Gate(levels=severity),
        tasks=("death",),
        features={},
        smallest_group=20,
        control=control,
        arm_columns=("ARM",),
        subject_dataset="adsl",
    )


def by_arm(**arms: int) -> Counts:
    parts = {arm: {"known": n, "positives": 0, "masked": {"left": 1}} for arm, n in arms.items()}
    labels = {"train": {"known": sum(arms.values()), "positives": 0, "arms": parts}}
    return Counts.model_validate({"datasets": {}, "subjects": {}, "tasks": {"death": labels}})


def absent(**changes: Any) -> Counts:
    record = {
        "key": "features.laboratory.each",
        "dataset": "adlbc",
        "column": "PARAMCD",
        "levels": ["ALP"],
        "present": 2,
        "needed": True,
        "found": 30,
    } | changes
    return Counts.model_validate(
        {"datasets": {}, "subjects": {}, "tasks": {}, "absent_levels": [record]}
    )


def found(counts: Counts, *args: Any) -> list[Finding]:
    return list(levels(counts, settings(*args)))


def test_a_control_that_no_subject_has_stops_the_run_and_the_arms_are_named() -> None:
    (finding,) = found(by_arm(Active=50, Placebo=49), "placebo")

    assert (finding.rule, finding.severity, finding.value) == ("levels", "stop", 2)
    assert finding.message == (
        "arm.control: no subject is in arm placebo (dataset adsl, column ARM); 2 arms were found: "
        "Active, Placebo. Name one of the arms as it stands in the data."
    )


def test_a_control_that_a_subject_has_is_no_finding() -> None:
    assert found(by_arm(Active=50, Placebo=0), "Placebo") == []


def test_a_small_arm_is_not_named() -> None:
    (finding,) = found(by_arm(Active=50, Sham=18), "placebo")

    assert "2 arms were found: Active, and others." in finding.message


def test_a_study_without_arms_has_no_control() -> None:
    assert found(by_arm(), None) == []


def test_a_parameter_that_no_row_has_is_named_with_key_dataset_and_column() -> None:
    (finding,) = found(absent())

    assert finding.severity == "stop"
    assert finding.message.startswith(
        "features.laboratory.each: no row of dataset adlbc has ALP in column PARAMCD, which holds "
        "30 different values. Name it as the data do"
    )


@pytest.mark.parametrize("severity", ["stop", "warn", "ignore"])
def test_the_studys_severity_is_kept(severity: Any) -> None:
    (finding,) = found(absent(), None, severity)

    assert finding.severity == severity


@pytest.mark.parametrize(("severity", "given"), [("stop", "warn"), ("ignore", "ignore")])
def test_a_value_that_can_be_done_without_is_at_most_a_warning(severity: str, given: str) -> None:
    (finding,) = found(absent(needed=False), None, severity)

    assert finding.severity == given


def test_the_features_of_a_parameter_without_rows_are_known() -> None:
    assert features_without_rows(absent(levels=["ALP", "A-B"])) == {
        "laboratory_ALP",
        "laboratory_A_B",
    }
    assert features_without_rows(absent(key="tasks.death.state.positive")) == set()
