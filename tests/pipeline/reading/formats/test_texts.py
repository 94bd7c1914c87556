"""The rules of text that hold for every format and encoding."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.reading.formats import FileFormat
from tests.pipeline.reading.formats.every_format import WRITERS, Writer
from tests.pipeline.reading.formats.tables import Cell, Described, Table
from tests.pipeline.reading.formats.written_files import fail_to_read, read_all

in_every_format = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def texts_table(cells: list[Cell]) -> Table:
    """Rows with an identifier and one text."""
    rows = tuple({"ID": f"S{row}", "TEXT": cell} for row, cell in enumerate(cells, 1))
    return Table({"ID": "text", "TEXT": "text"}, frozenset(), rows)


def file_of(folder: Path, described: Described) -> tuple[Path, FileFormat]:
    described = dict(described)
    return folder / described.pop("file"), FileFormat(**described)


@in_every_format
def test_text_has_no_outer_blanks_and_blanks_alone_are_missing(
    write: Writer, tmp_path: Path
) -> None:
    written: list[Cell] = ["Y", "Y ", " Y", "  Y  ", "hay  fever ", "   ", "", None]

    path, fmt = file_of(tmp_path, write(tmp_path, "dm", texts_table(written)))

    read = read_all(path, fmt)["TEXT"]
    assert read == ["Y", "Y", "Y", "Y", "hay  fever", None, None, None]


# The synthetic trial's writer of version 5 writes blanks for NULs; a NUL ends a text of Stata and
# SPSS, so that pyreadstat writes none.
WRITES_NO_NUL = ("xpt 5", "stata", "spss", "spss, compressed")


@pytest.mark.parametrize("write", [w for n, w in WRITERS.items() if n not in WRITES_NO_NUL])
def test_nul_within_a_text_is_refused_with_row_and_column(write: Writer, tmp_path: Path) -> None:
    path, fmt = file_of(tmp_path, write(tmp_path, "dm", texts_table(["F", "M", "F\0M", "F"])))

    message = fail_to_read(path, fmt, ["ID", "TEXT"])

    assert f"{path}, row 3, column TEXT: found the character NUL in a text" in message
    assert "F\0M" not in message
