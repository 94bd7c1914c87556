"""Codes written as text in a column of numbers, dates or keys mean the same in every format."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.components.trial_example_gen.hand_made_trial import REMOVED, Trial, make_trial
from tests.pipeline.reading.formats.written_files import (
    dataset_json,
    write_dataset_json,
    xpt_library,
    xpt_member,
)

CELLS = (
    "5",
    "07",
    "1.50",
    "1e2",
    "-3",
    "ND",
    "nd",
    "<5",
    "9",
    "9.0",
    "09",
    "UNK",
    "1,5",
    "inf",
    "",
)
CODES = st.lists(st.sampled_from(["ND", "UNK", 9, "9", -3]), unique=True, max_size=3)


def write_lb(folder: Path, form: str, rows: list[tuple[str, str]]) -> tuple[str, str]:
    """File and format of laboratory rows (key, value), both stored as text."""
    columns = ("USUBJID", "LBTESTCD", "LBDY", "LBSTRESN", "LBNRIND")
    cells = [(key, "ALT", "1", value, "") for key, value in rows]
    if form == "csv":
        lines = [",".join(columns), *(f'{key},ALT,1,"{value}",' for key, value in rows)]
        (folder / "lb.csv").write_text("\n".join(lines) + "\n")
        return "lb.csv", "csv"
    if form == "parquet":
        arrays = [pa.array(column, pa.string()) for column in zip(*cells, strict=True)]
        pq.write_table(pa.table(dict(zip(columns, arrays, strict=True))), folder / "lb.parquet")
        return "lb.parquet", "parquet"
    if form == "xpt":
        fields = [b"".join(f"{cell:<8}".encode() for cell in row) for row in cells]
        described = [(name, "char", 8, "") for name in columns]
        (folder / "lb.xpt").write_bytes(xpt_library() + xpt_member(described, fields))
        return "lb.xpt", "xpt"
    path = write_dataset_json(folder, dataset_json([(c, "string") for c in columns], cells), form)
    return path.name, "dataset-json"


def trial_of(folder: Path, form: str, rows: list[tuple[str, str]], declared: Any) -> Trial:
    """The trial with its laboratory rows in one format; S0, S1, ... are its subjects."""
    file, described = write_lb(folder, form, rows)
    changes = {
        "datasets.lb.file": file,
        "datasets.lb.format": described,
        "features.alt.rejected_rows": "ignore",
        "features.alt.where": REMOVED,
        **declared,
    }
    dm = ["USUBJID,AGE,SEX,DIED", *(f"S{i},61,F,Y" for i in range(len(rows)))]
    lb_text = (folder / "lb.csv").read_text() if form == "csv" else "USUBJID"
    return make_trial(folder, changes, dm=dm, lb=lb_text)


FORMS = ("csv", "xpt", "parquet", "json", "ndjson", "dsjc")


@settings(max_examples=40)
@given(st.lists(st.sampled_from(CELLS), min_size=1, max_size=6), CODES)
def test_text_in_a_column_of_numbers_means_the_same_in_every_format(
    values: list[str], codes: list[Any]
) -> None:
    found = {}
    for form in FORMS:
        with tempfile.TemporaryDirectory() as folder:
            rows = [(f"S{i}", value) for i, value in enumerate(values)]
            declared = {"datasets.lb.columns.LBSTRESN": {"type": "number", "missing": codes}}
            trial = trial_of(Path(folder), form, rows, declared)
            rejects = [reject[2:] for reject in trial.reading.rejects]
            found[form] = repr((trial.feature("alt"), rejects))
    assert set(found.values()) == {found["csv"]}, found


@pytest.mark.parametrize("form", FORMS)
def test_a_code_is_missing_and_another_text_rejects_its_row(tmp_path: Path, form: str) -> None:
    rows = [("S0", "5"), ("S1", "ND"), ("S2", "<5"), ("S3", "09")]
    declared = {"datasets.lb.columns.LBSTRESN": {"type": "number", "missing": ["ND", 9]}}
    trial = trial_of(tmp_path, form, rows, declared)
    assert trial.feature("alt") == {"S0": 5.0, "S1": None, "S2": None, "S3": None}
    assert [reject[2:] for reject in trial.reading.rejects] == [
        (3, "LBSTRESN", "text where a number is expected")
    ]


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_code_of_the_subject_key_is_no_subject(tmp_path: Path, form: str) -> None:
    rows = [("S0", "5"), ("UNK", "7")]
    declared = {"datasets.lb.columns.USUBJID": {"type": "text", "missing": ["UNK"]}}
    trial = trial_of(tmp_path, form, rows, declared)
    assert [reject[2:] for reject in trial.reading.rejects] == [(2, "USUBJID", "no subject key")]


@pytest.mark.parametrize("written", [["1", "1.0", "01"], ["+1", "1.", "1e0"]])
def test_a_category_that_is_declared_as_number_is_one_however_it_is_written(
    tmp_path: Path, written: list[str]
) -> None:
    trial = make_trial(
        tmp_path,
        {"datasets.dm.columns.SEX.type": "number", "features.SEX": {"kind": "category"}},
        dm=["USUBJID,AGE,SEX,DIED", *(f"S{i},61,{text},Y" for i, text in enumerate(written))],
    )

    assert trial.feature("SEX") == {"S0": "1", "S1": "1", "S2": "1"}
