"""Files of SAS, Stata and SPSS."""

from __future__ import annotations

import logging
import struct
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reading import formats
from pipeline.reading.formats import (
    DataFileError,
    FileFormat,
    child_process,
    readstat,
    statistical,
)
from tests.each import each
from tests.pipeline.reading.formats.written_files import DATA, fail_to_read, needs_data, read_all

STATA, SPSS, SAS = FileFormat("stata", ""), FileFormat("spss", ""), FileFormat("sas7bdat", "")
FRAME = pd.DataFrame(
    {
        "A": [f"Übelkeit {row}" for row in range(25)],
        "N": [float(row) if row % 3 else np.nan for row in range(25)],
        "D": [date(2014, 1, row + 1) for row in range(25)],
    }
)


def write_stata(folder: Path, frame: pd.DataFrame = FRAME, **options: Any) -> Path:
    path = folder / "x.dta"
    pyreadstat.write_dta(frame, path, **options)
    return path


def write_spss(folder: Path, frame: pd.DataFrame = FRAME, **options: Any) -> Path:
    path = folder / "x.sav"
    pyreadstat.write_sav(frame, path, **options)
    return path


WRITERS: dict[str, tuple[FileFormat, Callable[[Path], Path]]] = {
    "stata": (STATA, write_stata),
    "spss": (SPSS, write_spss),
    "spss rows": (SPSS, lambda folder: write_spss(folder, row_compress=True)),
    "spss zsav": (SPSS, lambda folder: write_spss(folder, compress=True)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_requests_of_any_size_give_the_same_rows(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fmt, write = WRITERS[name]
    path = write(tmp_path)
    whole = read_all(path, fmt)
    monkeypatch.setattr(statistical, "_FEWEST_ROWS", 7)
    monkeypatch.setattr(statistical, "_VALUES_PER_REQUEST", 1)

    assert len(whole["A"]) == 25
    assert read_all(path, fmt, batch_rows=3) == whole
    assert read_all(path, fmt, ["D"], batch_rows=10) == {"D": whole["D"]}


@pytest.mark.parametrize("name", WRITERS)
def test_rows_are_counted_without_any_column(tmp_path: Path, name: str) -> None:
    fmt, write = WRITERS[name]
    [extent] = formats.extents(str(write(tmp_path)), fmt)

    assert sum(batch.num_rows for _, batch in formats.read(extent, fmt, [])) == extent.rows == 25


@pytest.mark.parametrize("name", WRITERS)
@given(data=st.data())
@settings(max_examples=25)
def test_a_cut_file_gives_all_rows_or_a_message(name: str, data: st.DataObject) -> None:
    fmt, write = WRITERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder))
        whole, content = read_all(path, fmt), path.read_bytes()
        path.write_bytes(content[: data.draw(st.integers(1, len(content) - 1))])
        found: Any = None
        message = str(path)
        try:
            found = read_all(path, fmt)
        except DataFileError as error:
            message = str(error)
        assert found in (None, whole)
        assert str(path) in message


@pytest.mark.parametrize("row_compress", [False, True])
def test_spss_may_not_say_how_many_rows_there_are(tmp_path: Path, row_compress: bool) -> None:
    path = write_spss(tmp_path, row_compress=row_compress)
    whole = read_all(path, SPSS)
    content = bytearray(path.read_bytes())
    struct.pack_into("<i", content, 80, -1)
    path.write_bytes(content)

    [extent] = formats.extents(str(path), SPSS)

    assert extent.rows is None
    assert read_all(path, SPSS, batch_rows=10) == whole


def test_tagged_values_of_stata_are_missing_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = pd.DataFrame({"A": ["x", "y", "z", "w"], "N": [1.0, "a", "a", 3.0]})
    path = write_stata(tmp_path, frame, missing_user_values={"N": ["a"]})

    with caplog.at_level(logging.INFO, "pipeline.reading"):
        assert read_all(path, STATA)["N"] == [1, None, None, 3]
    assert f"{path}, column N: missing by its code: .a (2 rows)" in caplog.text


def test_values_that_spss_declares_missing_are_missing_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = pd.DataFrame({"N": [1.0, 99.0, np.nan, -7.0], "T": ["a", "UNK", "b", ""]})
    ranges = {"N": [99, {"lo": -9, "hi": -5}], "T": ["UNK"]}
    path = write_spss(tmp_path, frame, missing_ranges=ranges)

    with caplog.at_level(logging.INFO, "pipeline.reading"):
        assert read_all(path, SPSS) == {"N": [1, None, None, None], "T": ["a", None, "b", None]}
    assert "column N: missing by its code: -7 (1 rows), 99 (1 rows)" in caplog.text
    assert "column T: missing by its code: UNK (1 rows)" in caplog.text


def test_labelled_values_stay_codes_and_their_labels_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"SEX": [1.0, 2.0]})
    options: Any = {
        "column_labels": {"SEX": "Sex of the subject"},
        "variable_value_labels": {"SEX": {1: "Male", 2: "Female"}},
    }
    for path, fmt in each(
        [
            (write_stata(tmp_path, frame, **options), STATA),
            (write_spss(tmp_path, frame, **options), SPSS),
        ]
    ):
        assert read_all(path, fmt) == {"SEX": [1, 2]}
        labels = formats.labels(str(path), fmt)["SEX"]
        assert labels.label == "Sex of the subject"
        assert labels.levels == ((1, "Male"), (2, "Female"))


@pytest.mark.parametrize("length", [255, 256, 2045, 2046, 5000])
def test_long_texts_keep_all_characters(tmp_path: Path, length: int) -> None:
    frame = pd.DataFrame({"T": ["x" * length, "short"], "U": ["y", "z"]})

    for path, fmt in each(
        [(write_stata(tmp_path, frame), STATA), (write_spss(tmp_path, frame), SPSS)]
    ):
        assert read_all(path, fmt) == {"T": ["x" * length, "short"], "U": ["y", "z"]}


def test_the_study_file_may_correct_the_encoding(tmp_path: Path) -> None:
    # Stata 13 and older name no encoding.
    path = write_stata(tmp_path, pd.DataFrame({"T": ["PXerov", "x"]}), version=13)
    path.write_bytes(path.read_bytes().replace(b"PXerov", b"P\xf8erov"))

    assert read_all(path, STATA)["T"] == ["Pøerov", "x"]
    assert read_all(path, FileFormat("stata", "iso-8859-2"))["T"] == ["Přerov", "x"]
    message = fail_to_read(path, FileFormat("stata", "utf-8"), ["T"])
    assert "found bytes that are not utf-8; declare the file's encoding" in message
    assert "is not a known text encoding" in fail_to_read(
        path, FileFormat("stata", "no-such"), ["T"]
    )


@pytest.mark.parametrize(
    ("fmt", "expected"),
    [(STATA, "a Stata file"), (SPSS, "an SPSS file"), (SAS, "a SAS data set")],
)
def test_another_kind_of_file_is_named_in_the_message(
    tmp_path: Path, fmt: FileFormat, expected: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"PAR1" + bytes(100))

    assert f"{path}: found a Parquet file, expected {expected}" in fail_to_read(path, fmt)


def test_one_programs_file_is_not_anothers(tmp_path: Path) -> None:
    assert "found a Stata file, expected an SPSS file" in fail_to_read(write_stata(tmp_path), SPSS)
    assert "found an SPSS file, expected a Stata file" in fail_to_read(write_spss(tmp_path), STATA)


def test_a_missing_column_is_reported_before_any_row_is_read(tmp_path: Path) -> None:
    assert "there is no column AA; did you mean A?" in fail_to_read(
        write_stata(tmp_path), STATA, ["AA"]
    )


def test_days_of_a_business_calendar_are_refused_where_they_are_used(tmp_path: Path) -> None:
    frame = pd.DataFrame({"A": ["x"], "B": [5.0]})
    path = write_stata(tmp_path, frame, variable_format={"B": "%tbnyse"})

    assert formats.column_types(str(path), STATA) == {"A": "text"}
    assert "column B: found days of a business calendar" in fail_to_read(path, STATA, ["B"])


def _csv(name: str) -> dict[str, list[str]]:
    frame = pd.read_csv(DATA / "stat_files" / name, dtype=str, keep_default_na=False)
    return {str(column).lstrip("\ufeff"): frame[column].tolist() for column in frame}


@needs_data
def test_every_moment_of_a_sas_data_set_is_that_of_its_text() -> None:
    expected = _csv("dates.csv")
    found = read_all(DATA / "stat_files/dates.sas7bdat", SAS)

    assert len(found["date"]) == 50
    assert [str(day) for day in found["date"]] == expected["date"]
    moments = [moment.isoformat() + ".000000" for moment in found["dtime"]]
    assert moments == expected["dtime"]
    seconds = [
        int(h) * 3600 + int(m) * 60 + int(s) for h, m, s in (t.split(":") for t in expected["time"])
    ]
    assert found["time"] == seconds


@needs_data
@pytest.mark.parametrize(
    "name",
    ["sample.sas7bdat", "sample_bincompressed.sas7bdat", "sample.dta", "sample.sav", "sample.zsav"],
)
def test_the_sample_of_each_program_has_the_values_of_its_text(name: str) -> None:
    fmt = {"sas7bdat": SAS, "dta": STATA}.get(name.rpartition(".")[2], SPSS)
    expected = _csv("sample.csv")
    found = read_all(DATA / "stat_files" / name, fmt)

    assert [str(number) for number in found["mynum"]] == expected["mynum"]
    assert found["mychar"] == expected["mychar"]
    assert [(day and str(day)) or "" for day in found["mydate"]] == expected["mydate"]
    moments = [(moment and moment.isoformat() + ".000000") or "" for moment in found["dtime"]]
    assert moments == expected["dtime"]
    assert [f"{number:g}" for number in found["mylabl"]] == expected["mylabl"]


@needs_data
@pytest.mark.parametrize("name", ["missing_test.sas7bdat", "missing_test.dta"])
def test_special_missing_values_of_the_samples_are_missing(name: str) -> None:
    fmt = SAS if name.endswith("bdat") else STATA

    found = read_all(DATA / "stat_files" / name, fmt)

    assert list(found.values()) == [[None]] * 8 + [[1]]


def test_a_file_in_an_object_store_is_read_from_a_private_copy_that_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_stata(tmp_path)
    expected = read_all(path, STATA)
    copies: list[tuple[Path, int]] = []
    real = readstat.read_header

    def note(path: str, local: str, fmt: FileFormat) -> readstat.Header:
        copies.append((Path(local), Path(local).stat().st_mode & 0o777))
        return real(path, local, fmt)

    monkeypatch.setattr(child_process, "is_remote", lambda _: True)
    monkeypatch.setattr(statistical, "read_header", note)

    assert read_all(path, STATA) == expected
    assert [mode for _, mode in each(copies)] == [0o600] * len(copies)
    assert path not in {copy for copy, _ in copies}
    assert not any(copy.exists() for copy, _ in each(copies))
