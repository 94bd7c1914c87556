"""Supplemental qualifiers of subjects: the summary takes the value that TrialExampleGen takes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.study.study import Study
from tests.components.trial_summary.trial_made_by_hand import study_of, summarised, value

TEXT = {"type": "text", "known": "baseline"}
COLUMNS = ("USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
SUPPLEMENT = {
    "format": "csv",
    "rows": "many_per_subject",
    "supplements": "dm",
    "columns": {name: {"type": "text"} for name in COLUMNS},
}


def study_with(**files: str) -> Study:
    """A study whose population is who is randomised by a supplemental qualifier."""
    datasets = study_of().to_content()["datasets"]
    datasets["dm"]["columns"]["RANDFL"] = TEXT
    supplements = {name: SUPPLEMENT | {"file": file} for name, file in files.items()}
    return study_of(
        datasets={**datasets, **supplements}, population={"column": "RANDFL", "equals": "Y"}
    )


def write_qualifiers(path: Path, *told: tuple[int, str | None]) -> None:
    """`RANDFL` of subjects by number, in this order."""
    rows: list[dict[str, Any]] = [
        {"USUBJID": f"S{i:02d}", "IDVAR": "", "IDVARVAL": "", "QNAM": "RANDFL", "QVAL": content}
        for i, content in told
    ]
    pd.DataFrame(rows).to_csv(path, index=False)


def enrolled(study: Study, data: Path, folder: Path) -> object:
    return value(summarised(study, data, folder), "enrolment", "subjects")


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    """The trial's files, to which others may be added."""
    return Path(shutil.copytree(data, tmp_path / "data"))


@pytest.fixture
def values_of_all() -> list[tuple[int, str | None]]:
    return [(i, "Y") for i in range(85)]


def test_of_two_values_the_last_row_counts(
    folder: Path, tmp_path: Path, values_of_all: Any
) -> None:
    write_qualifiers(folder / "supp.csv", *values_of_all, *((i, "N") for i in range(20)))
    assert enrolled(study_with(suppdm="supp.csv"), folder, tmp_path / "out") == 65


def test_of_two_values_that_of_the_last_file_counts(
    folder: Path, tmp_path: Path, values_of_all: Any
) -> None:
    write_qualifiers(folder / "supp-2.csv", *((i, "N") for i in range(20)))
    write_qualifiers(folder / "supp-1.csv", *values_of_all)
    assert enrolled(study_with(suppdm="supp-*.csv"), folder, tmp_path / "out") == 65


def test_a_missing_value_does_not_replace_one(
    folder: Path, tmp_path: Path, values_of_all: Any
) -> None:
    write_qualifiers(folder / "supp.csv", *values_of_all, *((i, None) for i in range(20)))
    assert enrolled(study_with(suppdm="supp.csv"), folder, tmp_path / "out") == 85


def test_all_supplemental_datasets_are_read(
    folder: Path, tmp_path: Path, values_of_all: Any
) -> None:
    write_qualifiers(folder / "first.csv", *values_of_all[:40])
    write_qualifiers(folder / "second.csv", *values_of_all[40:])
    study = study_with(suppdm="first.csv", suppmore="second.csv")
    assert enrolled(study, folder, tmp_path / "out") == 85
