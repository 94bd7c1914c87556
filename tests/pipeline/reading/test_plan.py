"""The study file held against the data's headers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import UserError
from tests.components.trial_example_gen.hand_made_trial import events_dataset, make_trial


def refusal(folder: Path, changes: dict[str, Any], **files: Any) -> str:
    trial = make_trial(folder, changes, **files)
    with pytest.raises(UserError) as caught:
        trial.plans  # noqa: B018
    return str(caught.value)


def test_only_the_columns_that_the_study_file_names_are_read(tmp_path: Path) -> None:
    plans = make_trial(tmp_path).plans
    assert plans["dm"].types == {"USUBJID": "text", "AGE": "number", "DIED": "text"}
    assert plans["dm"].qualifiers == ()


def test_a_pattern_names_all_its_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "lb0.csv").write_text("USUBJID,LBTESTCD,LBDY,LBSTRESN\nS2,ALT,1,5\n")
    trial = make_trial(tmp_path, {"datasets.lb.file": "lb*.csv"}, lb=LB)
    assert [Path(path).name for path, _ in trial.plans["lb"].files] == ["lb.csv", "lb0.csv"]
    assert trial.feature("alt") == {"S1": 20.0, "S2": 5.0}


LB = ["USUBJID,LBTESTCD,LBDY,LBSTRESN", "S1,ALT,1,20"]


def test_a_dataset_without_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, {"datasets.lb.file": "labs/*.csv"}) == (
        f"Dataset lb: no file labs/*.csv in {tmp_path}. Check the data folder and "
        "`datasets.lb.file` of the study file."
    )


def test_a_missing_column_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    message = refusal(tmp_path, {}, lb=["USUBJID,LBTESTCD,LBDY,LBSTRSN", "S1,ALT,1,20"])
    assert message == (
        f"{tmp_path}/lb.csv: no column LBSTRESN (did you mean LBSTRSN?), which the study file uses "
        "for dataset lb (`features.alt`). The file has: USUBJID, LBTESTCD, LBDY, LBSTRSN."
    )


def test_a_file_without_a_header_is_refused_without_repeating_its_values(tmp_path: Path) -> None:
    message = refusal(tmp_path, {}, lb=["S1,ALT,1,20", "S2,ALT,1,30"])
    assert message.startswith(f"{tmp_path}/lb.csv: none of the ")
    assert "Expected a header" in message
    assert "S1" not in message


def test_a_page_of_a_web_site_is_no_file_of_data(tmp_path: Path) -> None:
    message = refusal(tmp_path, {}, lb=["<!DOCTYPE html><html><body>Not found</body></html>"])
    assert "Expected a header" in message
    assert "DOCTYPE" not in message


def test_files_of_one_dataset_must_have_the_same_types(tmp_path: Path) -> None:
    ages: list[list[Any]] = [[61.0], ["61"]]
    for number, age in enumerate(ages):
        frame = pd.DataFrame({"USUBJID": [f"S{number}"], "AGE": age, "DIED": ["Y"]})
        frame.to_parquet(tmp_path / f"dm{number}.parquet")
    changes = {
        "datasets.dm.file": "dm*.parquet",
        "datasets.dm.format": "parquet",
        "datasets.dm.columns": {"AGE": {"known": "baseline"}},
    }
    assert "dm1.parquet: its columns differ from those of" in refusal(tmp_path, changes)


DATE = {"type": "date", "known": "baseline"}
EVENT: dict[str, Any] = {"kind": "outcome", "title": "x"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"features.SEX": {"kind": "number"}},
            "features.SEX: column SEX holds text, expected a number.",
        ),
        (
            {"datasets.lb.columns.LBDY.type": "text"},
            "datasets.lb.day: column LBDY holds text, expected a number.",
        ),
        (
            {"datasets.ae": events_dataset(date="AESTDY"), "subject.reference_date": "SEX"},
            "datasets.ae.date: column AESTDY holds number, expected a date.",
        ),
        (
            {"subject.reference_date": "AGE"},
            "subject.reference_date: column AGE holds number, expected a date.",
        ),
        (
            {"subject.exit_day": "SEX"},
            "subject.exit_day: column SEX holds text, expected a number.",
        ),
        (
            {"window": {"column": "AGE", "start": "2014-01-01"}},
            "window.column: column AGE holds number, expected a date.",
        ),
        (
            {"slicing.by": {"sex": {"column": "SEX", "bands": [1]}}},
            "slicing.by.sex: column SEX holds text, expected a number.",
        ),
        (
            {"tasks.rash": {**EVENT, "event": {"dataset": "ae", "day": "AEDECOD"}}},
            "tasks.rash.event.day: column AEDECOD holds text, expected a number.",
        ),
        (
            {
                "tasks.rash": {
                    **EVENT,
                    "horizon": 90,
                    "event": {
                        "dataset": "ae",
                        "day": "AESTDY",
                        "follow_up": {"dataset": "dm", "day": "SEX"},
                    },
                }
            },
            "tasks.rash.event.follow_up.day: column SEX holds text, expected a number.",
        ),
        (
            {"tasks.death.state.positive": {"column": "DIED", "equals": 1}},
            "tasks.death.state.positive: column DIED holds text: compare it with text (in quotes)",
        ),
        (
            {"features.alt.where": {"column": "LBSTRESN", "equals": "20"}},
            "features.alt.where: column LBSTRESN holds a number: compare it with numbers",
        ),
        (
            {"population": {"column": "AGE", "above_column": "SEX"}},
            "population: column SEX holds text: only columns of numbers can be compared",
        ),
    ],
)
def test_a_use_that_a_columns_type_can_not_serve_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    changes = {"datasets.ae": events_dataset(day="AESTDY"), **changes}
    found = refusal(tmp_path, changes, ae=["USUBJID,AEDECOD,AESTDY", "S1,Rash,3"])
    assert found.startswith(message)


def test_dates_of_a_typed_file_are_no_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"USUBJID": ["S1"], "AGE": pd.to_datetime(["1953-01-01"]), "DIED": ["Y"]})
    frame.to_parquet(tmp_path / "dm.parquet")
    changes = {"datasets.dm.file": "dm.parquet", "datasets.dm.format": "parquet"}
    message = refusal(tmp_path, changes)
    assert "column AGE holds dates, but datasets.dm.columns.AGE.type says number" in message


def test_a_column_that_a_supplemental_dataset_may_have_is_not_missing(tmp_path: Path) -> None:
    changes = {
        "features.COMPLT8": {"kind": "category"},
        "datasets.dm.columns.COMPLT8": {"type": "text", "known": "baseline"},
        "datasets.suppdm": {
            "file": "suppdm.csv",
            "format": "csv",
            "rows": "many_per_subject",
            "supplements": "dm",
            "columns": {
                name: {"type": "text"} for name in ("USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
            },
        },
    }
    trial = make_trial(tmp_path, changes, suppdm=["USUBJID,IDVAR,IDVARVAL,QNAM,QVAL"])
    assert trial.plans["dm"].qualifiers == ("COMPLT8",)
