"""Columns that repeat as a subject key does, in files that are read a row a subject."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.reading.plan import plan_examples
from pipeline.reading.repeated_keys import (
    RepeatedKey,
    check_rows_are_subjects,
    looks_like_subject_key,
    repeated_key,
)
from pipeline.study.load import parse_study
from pipeline.study.study import Study


def found(frame: pd.DataFrame, not_keys: Sequence[str] = ()) -> str | None:
    columns = {str(name): pa.array(frame[name], from_pandas=True) for name in frame}
    key = repeated_key(columns, not_keys)
    return key.column if key else None


def subjects(n: int = 60, seed: int = 1) -> pd.DataFrame:
    """Subjects of 6 sites in 2 countries, with sex, arm, age, age band and weight."""
    draw = random.Random(seed)
    sites = [draw.randrange(6) for _ in range(n)]
    ages = [draw.randrange(30, 80) for _ in range(n)]
    return pd.DataFrame(
        {
            "WHO": [f"X{i:04d}" for i in range(n)],
            "CLINIC": [f"C{site}" for site in sites],
            "COUNTRY": ["DE" if site < 3 else "FR" for site in sites],
            "SEX": [draw.choice("FM") for _ in range(n)],
            "ARM": [draw.choice("AB") for _ in range(n)],
            "AGE": ages,
            "BAND": ["old" if age >= 65 else "young" for age in ages],
            "WEIGHT": [round(draw.gauss(80, 15), 1) for _ in range(n)],
        }
    )


def visits(frame: pd.DataFrame, counts: Sequence[int], seed: int = 1) -> pd.DataFrame:
    """A row for each visit; `counts` visits of the subjects, one after the other."""
    draw = random.Random(seed)
    rows = [
        {**row, "VISIT": visit, "VALUE": round(draw.gauss(0, 1), 3)}
        for row, count in zip(frame.to_dict("records"), counts, strict=True)
        for visit in range(count)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    "name",
    [
        "USUBJID",
        "SUBJID",
        "subject_id",
        "Subject",
        "PATNO",
        "pat_nr",
        "PatientID",
        "patient",
        "Patientennummer",
        "PID",
        "pidnum",
        "participant_id",
        "RANDSUBJID",
        "case_no",
        "MRN",
        "id",
    ],
)
def test_names_of_subject_keys_are_known(name: str) -> None:
    assert looks_like_subject_key(name)


@pytest.mark.parametrize(
    "name",
    [
        "INPATIENT",
        "LIPID",
        "ID14",
        "DEPT",
        "PATHOLOGY",
        "PTOSIS",
        "SITEID",
        "VISITNUM",
        "RAPID",
        "patient_age",
        "CASE",
        "AVALID",
        "paid",
    ],
)
def test_names_of_other_columns_are_not_taken_for_keys(name: str) -> None:
    assert not looks_like_subject_key(name)


def test_a_named_key_in_two_rows_is_found_even_if_only_one_subject_has_two() -> None:
    frame = subjects().rename(columns={"WHO": "PATNO"})
    assert found(frame) is None
    assert found(pd.concat([frame, frame.iloc[:1].assign(SEX="U")])) == "PATNO"


def test_a_few_codes_called_id_are_no_key() -> None:
    frame = subjects(1000).assign(id=lambda f: f.index % 7).drop(columns="WHO")
    assert found(frame) is None


def test_a_key_without_a_name_is_found_by_what_is_constant_within_it() -> None:
    draw = random.Random(2)
    assert found(visits(subjects(), [draw.randrange(1, 5) for _ in range(60)])) == "WHO"


def test_a_key_of_equally_many_rows_is_found_though_nothing_is_constant_within_it() -> None:
    rows = visits(subjects(), [2] * 60)
    assert found(rows[["WHO", "VISIT", "VALUE"]]) == "WHO"


def test_a_site_with_its_country_is_no_subject() -> None:
    assert found(subjects(600).drop(columns="WHO")) is None


def test_an_age_with_its_bands_is_no_subject() -> None:
    frame = subjects(600).drop(columns="WHO")
    assert found(frame.assign(MINOR=frame["AGE"] < 18, HALF=frame["AGE"] // 15)) is None


def test_a_clinic_with_two_properties_is_no_subject_where_the_study_file_calls_it_site() -> None:
    frame = subjects(2000).drop(columns="WHO")
    number = pd.Series(range(2000)) * 7 % 24
    frame = frame.assign(CLINIC=number, COUNTRY=number % 2, KIND=number // 2 % 2)
    assert found(frame) == "CLINIC"
    assert found(frame, ["CLINIC"]) is None


def test_an_error_in_one_row_does_not_hide_the_key() -> None:
    rows = visits(subjects(), [1, 2, 3] * 20)
    rows.loc[7, "SEX"] = "U"
    assert found(rows) == "WHO"


def test_values_of_the_first_visit_alone_are_enough() -> None:
    rows = visits(subjects(), [1, 2, 3] * 20)
    rows["BMI"] = rows["VALUE"].where(rows["VISIT"] == 0)
    assert found(rows) == "WHO"


def test_the_key_is_described_by_its_rows_and_different_values() -> None:
    rows = visits(subjects(), [2] * 60)
    columns = {str(name): pa.array(rows[name]) for name in rows}
    assert repeated_key(columns) == RepeatedKey("WHO", rows=120, distinct=60)


@settings(max_examples=30)
@given(
    counts=st.lists(st.integers(1, 5), min_size=40, max_size=80).filter(
        lambda counts: sum(counts) - len(counts) >= 40
    ),
    seed=st.integers(0, 1000),
    by_visit=st.booleans(),
)
def test_rows_of_visits_are_distinguished_from_rows_of_subjects(
    counts: list[int], seed: int, by_visit: bool
) -> None:
    """Whatever the numbers of visits and the order of rows, with 40 more rows than subjects."""
    frame = subjects(len(counts), seed)
    rows = visits(frame, counts, seed)
    assert found(rows.sort_values("VISIT") if by_visit else rows) == "WHO"
    assert found(frame) is None
    assert found(frame.drop(columns="WHO")) is None


def study_of(file: str, **subject: Any) -> Study:
    columns = {name: {"type": "text", "known": "baseline"} for name in ("SEX", "ARM")}
    return parse_study(
        {
            "study": "flat",
            "title": "One flat file",
            "datasets": {
                "flat": {
                    "file": file,
                    "format": "csv",
                    "rows": "one_per_subject",
                    "columns": {**columns, "BAND": {"type": "text", "known": "after"}},
                }
            },
            "subject": {"dataset": "flat", "row_number": True, **subject},
            "arm": {"columns": ["ARM"], "control": "A"},
            "features": {"SEX": {"kind": "category"}},
            "tasks": {
                "old": {
                    "kind": "outcome",
                    "title": "Old",
                    "state": {"positive": {"column": "BAND", "equals": "old"}},
                }
            },
        },
        "study.yaml",
    )


def check(study: Study, folder: Path) -> None:
    check_rows_are_subjects(plan_examples(study, str(folder)))


def test_a_run_with_row_numbers_stops_where_a_key_repeats(tmp_path: Path) -> None:
    visits(subjects(), [2] * 60).to_csv(tmp_path / "flat.csv", index=False)
    with pytest.raises(UserError) as caught:
        check(study_of("flat.csv"), tmp_path)
    message = str(caught.value)
    assert message.startswith(
        f"{tmp_path}/flat.csv: column WHO has 60 different values in 120 rows"
    )
    assert "`subject.rows_are_subjects: true`" in message
    assert "X00" not in message


def test_a_run_goes_on_where_the_study_file_says_that_rows_are_subjects(tmp_path: Path) -> None:
    visits(subjects(), [2] * 60).to_csv(tmp_path / "flat.csv", index=False)
    check(study_of("flat.csv", rows_are_subjects=True), tmp_path)


def test_a_named_key_is_found_behind_the_rows_whose_values_are_compared(tmp_path: Path) -> None:
    frame = pd.DataFrame({"PATNO": [*range(30_000), 7], "SEX": "F", "ARM": "A", "BAND": "old"})
    frame.to_csv(tmp_path / "flat.csv", index=False)
    with pytest.raises(UserError, match=r"column PATNO has 30000 different values in 30001 rows"):
        check(study_of("flat.csv"), tmp_path)


def test_rows_are_subjects_belongs_to_row_number() -> None:
    with pytest.raises(UserError, match="`rows_are_subjects` belongs to `row_number: true`"):
        study_of("flat.csv", row_number=False, column="PATNO", rows_are_subjects=True)


@pytest.fixture
def stroke_trial(trial_data_dir: Path) -> pd.DataFrame:
    return pd.read_csv(trial_data_dir / "ist" / "IST.csv", dtype=str)


def test_no_column_of_the_stroke_trial_is_a_key(stroke_trial: pd.DataFrame) -> None:
    columns = {str(name): pa.array(stroke_trial[name]) for name in stroke_trial}
    assert repeated_key(columns) is None


def test_two_rows_for_each_patient_of_the_stroke_trial_are_found(
    stroke_trial: pd.DataFrame,
) -> None:
    half = stroke_trial.iloc[:9000].assign(LABCODE=[f"L{i}" for i in range(9000)])
    again = half.assign(RSBP=half["RSBP"].sample(frac=1, random_state=1).to_numpy())
    assert found(pd.concat([half, again]), ["HOSPNUM"]) == "LABCODE"


def test_the_hiv_trial_has_a_key_in_each_row_and_nothing_beside_it_is_one(
    trial_data_dir: Path,
) -> None:
    frame = pd.read_csv(trial_data_dir / "actg175" / "ACTG175.txt", sep=r"\s+")
    assert found(frame) is None
    assert found(frame.drop(columns="pidnum")) is None
    assert found(pd.concat([frame, frame])) == "pidnum"
