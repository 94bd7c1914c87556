"""Damaged files that a reader once crashed on, or answered with a traceback: each is one line."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.reading.formats import DataFileError, FileFormat
from pipeline.reading.formats.child_process import ChildProcess
from pipeline.tfx_release import can_crash_on_parquet
from tests.pipeline.reading.formats.every_format import write_stata
from tests.pipeline.reading.formats.fuzzing import damaged, read, table
from tests.pipeline.reading.formats.written_files import fail_to_read, read_all

DAMAGED = Path(__file__).with_name("damaged")
CRASHES = sorted(path.name for path in DAMAGED.glob("crash_of_arrow_10_*.parquet"))
JSON = FileFormat("dataset-json")
PARQUET = FileFormat("parquet")


def refusal(name: str, fmt: FileFormat) -> str:
    """The one line by which a file is refused, without its name."""
    with pytest.raises(DataFileError) as caught:
        read(DAMAGED / name, fmt)
    assert str(caught.value).startswith(str(DAMAGED / name))
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{DAMAGED / name}: ")


def test_a_column_name_of_parquet_that_is_no_utf_8_is_refused() -> None:
    message = refusal("column_name_not_utf_8.parquet", PARQUET)
    assert message.startswith("found a column whose name is not UTF-8")


def test_utf_16_without_its_mark_is_refused_and_says_what_to_declare() -> None:
    message = refusal("no_mark.utf-16.csv", FileFormat("csv", encoding="utf-16"))
    assert message.startswith("the file has no byte order mark, by which utf-16 is read")
    assert "declare utf-16-le or utf-16-be in the study file" in message


def test_metadata_of_json_that_are_no_utf_8_are_refused() -> None:
    assert "found bytes that are not UTF-8, in its metadata" in refusal(
        "metadata_not_utf_8.json", JSON
    )


def test_a_row_of_another_length_that_is_no_utf_8_is_refused_and_prints_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert ", row 2: found 3 fields, expected 2" in refusal(
        "wrong_row_not_utf_8.csv", FileFormat("csv")
    )
    # Arrow would print the traceback of its own decoding, with a byte of the value.
    assert capfd.readouterr().err == ""


def test_a_text_that_is_no_utf_8_in_a_column_that_is_not_read_is_left_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "dm.csv"
    path.write_bytes(b"ID,NOTE\nS1,\xe4\nS2,b\n")
    assert read_all(path, FileFormat("csv"), ["ID"]) == {"ID": ["S1", "S2"]}


@pytest.mark.parametrize("name", CRASHES)
def test_a_parquet_file_that_crashes_arrow_is_refused_and_the_next_one_is_read(
    name: str, tmp_path: Path
) -> None:
    message = refusal(name, PARQUET)
    if can_crash_on_parquet():
        assert message.startswith("the library that reads the file (Arrow) crashed on it")
    whole = tmp_path / "whole.parquet"
    whole.write_bytes(
        (DAMAGED / "column_name_not_utf_8.parquet").read_bytes().replace(b"\xff", b"E")
    )
    assert read_all(whole, PARQUET) == {"ID": ["a", "b"], "SEX": ["F", "M"]}


def test_a_crash_of_the_reader_names_the_file_and_the_next_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / str(write_stata(tmp_path, "dm", table())["file"])
    stata = FileFormat("stata", encoding="")
    whole = read_all(path, stata)
    real = ChildProcess.ask

    def crash(self: ChildProcess, request: Mapping[str, Any]) -> Any:
        if "columns" in request and self.pid:
            os.kill(self.pid, signal.SIGSEGV)
        return real(self, request)

    with monkeypatch.context() as patched:
        patched.setattr(ChildProcess, "ask", crash)
        message = fail_to_read(path, stata, ["USUBJID"])
    assert str(path) in message
    assert "(ReadStat) crashed on it" in message
    assert read_all(path, stata) == whole


def test_a_message_is_one_line_whatever_the_file_calls_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "dm.parquet"
    pq.write_table(pa.table({"A\nB\u2028": ["x"]}), path)
    message = fail_to_read(path, PARQUET, ["C"])
    assert message == f"{path}: there is no column C; the file has A\\nB\\u2028"


def test_damage_depends_on_its_seed_alone() -> None:
    assert damaged(b"abcdef" * 9, random.Random(3)) == damaged(b"abcdef" * 9, random.Random(3))
