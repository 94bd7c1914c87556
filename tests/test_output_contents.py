"""A text is found in every output that could hold it, however it is packed."""

from __future__ import annotations

import gzip
import re
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.outputs.output import FOLDERS, Disclosure, Output
from pipeline.outputs.register import REGISTER, folders
from tests.each import each
from tests.output_contents import contents, files_of, holders

TEXT = b"a secret"
PATTERN = re.compile(TEXT)


def example(place: str) -> str:
    """A place that a pattern of the register stands for."""
    text = re.sub(r"<([A-Z])\w*>", r"\1x", place)
    return re.sub(r"<\w+>|\*\*|\*", "x", text)


def plant(path: Path) -> Path:
    """Writes the text into a file, packed as the name of the file says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(b"before " + TEXT))
    elif path.suffix == ".parquet":
        pq.write_table(pa.table({"column": ["before", TEXT.decode()] * 10}), path)
    elif path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE t (number INTEGER, value TEXT)")
            # Longer than a page: it is not in one piece in the file.
            database.execute("INSERT INTO t VALUES (1, ?)", ("x" * 4_050 + TEXT.decode(),))
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("inside.gz", gzip.compress(TEXT))
    else:
        path.write_bytes(b"before " + TEXT + b" behind")
    return path


FILES = [output for output in REGISTER if output.within in FOLDERS]


@pytest.mark.parametrize("output", FILES, ids=lambda output: output.name)
def test_a_secret_in_any_file_of_the_register_is_found(output: Output, tmp_path: Path) -> None:
    for place in each(output.places):
        root = tmp_path / str(output.places.index(place))
        plant(folders(root)[output.within] / example(place))

        assert holders(files_of(root), PATTERN, Disclosure.SECRET) == {(output.name, "a secret")}


def test_an_output_that_may_hold_it_is_no_finding(tmp_path: Path) -> None:
    plant(tmp_path / "ist" / "artifacts" / "CrossFit" / "predictions" / "1" / "predictions.parquet")

    assert holders(files_of(tmp_path), PATTERN, Disclosure.PATIENT) == set()
    assert len(holders(files_of(tmp_path), PATTERN)) == 1


@pytest.mark.parametrize("name", ["a.gz", "a.parquet", "a.sqlite", "a.zip", "a.json"])
def test_a_text_is_found_however_it_is_packed(name: str, tmp_path: Path) -> None:
    assert any(PATTERN.search(found) for found in contents(plant(tmp_path / name)))


def test_what_parquet_says_of_itself_is_read(tmp_path: Path) -> None:
    table = pa.table({"column": [1]}).replace_schema_metadata({"made by": TEXT.decode()})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")

    assert any(PATTERN.search(found) for found in contents(tmp_path / "a.parquet"))
