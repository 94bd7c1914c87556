"""The subject key of a draft: found by name or values, never taken from what repeats."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.draft.study import draft_study
from pipeline.errors import UserError
from tests.pipeline.draft.hand_made_files import draft_of, patients, write_csv


def test_subject_key_is_found_and_arm_and_site_are_proposed(data: Path) -> None:
    draft = draft_of(data)

    assert draft["subject"] == {"dataset": "patients", "column": "PATNO"}
    assert draft["arm"] == {"columns": ["ARM"], "control": "TODO"}
    assert draft["site"] == {"column": "CENTRE"}


def test_file_without_a_key_counts_its_rows(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [{"AGE": 50 + i % 3, "SEX": "F"} for i in range(6)])

    assert draft_of(tmp_path)["subject"] == {"dataset": "a", "row_number": True}


@pytest.mark.parametrize("key", ["PATNO", "WHO"])
@pytest.mark.parametrize("numbered", [False, True])
def test_file_of_several_rows_a_subject_is_not_drafted_as_one_row_each(
    tmp_path: Path, key: str, numbered: bool
) -> None:
    rows = [
        {key if name == "PATNO" else name: value for name, value in patient.items()}
        | {"VISIT": visit, "HEALED": "Y" if visit else "N"}
        for patient in patients()
        for visit in range(2)
    ]
    write_csv(tmp_path / "a.csv", [({"id": i} if numbered else {}) | r for i, r in enumerate(rows)])

    text = draft_study(tmp_path, "mytrial")
    draft = yaml.safe_load(text)

    assert draft["subject"] == {"dataset": "subjects", "column": key}
    assert draft["datasets"]["a"]["rows"] == "many_per_subject"
    assert f"# {key} has 40 different values in 80 rows" in text
    assert "# subject: {dataset: NAME, row_number: true, rows_are_subjects: true}" in text
    subjects = draft["datasets"]["subjects"]
    assert (subjects["rows"], subjects["collapse"]) == ("one_per_subject", True)
    assert {"VISIT", "HEALED"}.isdisjoint(subjects["columns"])
    assert {"AGE", "ARM", "SEX"} <= set(subjects["columns"])


@pytest.mark.parametrize("key", ["participant_id", "MRN", "case_no", "PATNO"])
def test_every_name_of_a_subject_key_is_one_where_its_values_differ(
    tmp_path: Path, key: str
) -> None:
    write_csv(tmp_path / "a.csv", [{key: i, "AGE": 50 + i % 3} for i in range(6)])

    assert draft_of(tmp_path)["subject"] == {"dataset": "a", "column": key}


def test_stroke_trial_is_drafted_with_a_row_for_each_subject(trial_data_dir: Path) -> None:
    draft = draft_of(trial_data_dir / "ist")

    assert draft["subject"] == {"dataset": "ist", "row_number": True}


def test_column_of_another_value_in_every_row_is_a_key_whatever_its_name(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [{"who": f"N{i:04d}", "AGE": i % 9 / 2} for i in range(40)])

    assert draft_of(tmp_path)["subject"] == {"dataset": "a", "column": "who"}


def test_data_without_a_row_per_subject_is_an_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_csv(tmp_path / f"{name}.csv", [{"USUBJID": "S1", "X": i} for i in range(3)])

    with pytest.raises(UserError, match="No file has one row for each subject"):
        draft_study(tmp_path, "mytrial")


@pytest.mark.parametrize("key", ["rn", "randno", "unit", "X"])
def test_only_column_of_whole_numbers_that_are_all_different_is_the_key(
    tmp_path: Path, key: str
) -> None:
    rows = [{key: 7919 * i % 104729, "AGE": i % 9 / 2} for i in range(120)]
    write_csv(tmp_path / "a.csv", rows)

    text = draft_study(tmp_path, "mytrial")

    assert yaml.safe_load(text)["subject"] == {"dataset": "a", "column": key}
    assert f"# {key} is taken for the key: it differs in each of 120 rows." in text


def test_of_several_such_columns_a_person_chooses(tmp_path: Path) -> None:
    rows = [{"rn": 7919 * i % 104729, "lab": 5003 * i % 104729, "x": i % 9} for i in range(120)]
    write_csv(tmp_path / "a.csv", rows)

    text = draft_study(tmp_path, "mytrial")

    assert yaml.safe_load(text)["subject"] == {"dataset": "a", "row_number": True}
    assert "# Different in every row: rn, lab. If one is the key, say here:" in text


def test_column_of_equally_many_rows_is_no_key_beside_that_of_the_subjects(tmp_path: Path) -> None:
    rows = [{"USUBJID": f"S{i}", "AGE": 30 + i % 20, "x": i / 2} for i in range(100)]
    write_csv(tmp_path / "adsl.csv", rows)

    assert draft_of(tmp_path)["subject"] == {"dataset": "adsl", "column": "USUBJID"}


def test_shares_are_of_subjects_where_a_file_has_several_rows_of_each(tmp_path: Path) -> None:
    rows = [{"PATNO": f"P{i % 40}", "AGE": i % 40 / 2, "x": i} for i in range(80)]
    write_csv(tmp_path / "a.csv", rows)

    assert "# Shares of the 40 subjects:" in draft_study(tmp_path, "mytrial")
