"""Sheets of Excel workbooks."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from defusedxml import EntitiesForbidden
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from pipeline.reading import formats
from pipeline.reading.formats import FileFormat, excel
from tests.pipeline.reading.formats.written_files import fail_to_read, read_all

EXCEL = FileFormat("excel")
Rows = list[list[Any]]


def write(folder: Path, rows: Rows, change: Callable[[Any], None] | None = None) -> Path:
    """Writes a workbook of one sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    if change:
        change(book)
    path = folder / "x.xlsx"
    book.save(path)
    return path


def change_xml(path: Path, pattern: str, new: str) -> None:
    """Replaces a pattern in the XML of the first sheet."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    changed = re.sub(pattern, new, parts[name].decode())
    assert changed != parts[name].decode()
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in {**parts, name: changed.encode()}.items():
            archive.writestr(part, content)


@pytest.mark.parametrize(
    ("cells", "type_", "read"),
    [
        (["x", " y ", None, "  "], "text", ["x", "y", None, None]),
        (["007", "12"], "text", ["007", "12"]),
        ([1, 2.5, None], "number", [1, 2.5, None]),
        ([date(2014, 1, 5), None], "date", [date(2014, 1, 5), None]),
        ([date(2014, 1, 5), datetime(2014, 1, 6, 10, 30)], "datetime", None),
        ([True, None, False], "boolean", ["true", None, "false"]),
        ([time(10, 30), None], "text", ["10:30:00", None]),
        ([1, "<5", 2.5], "text", ["1", "<5", "2.5"]),
        ([1, True], "text", ["1", "true"]),
        ([date(2014, 1, 5), "2014-02"], "text", ["2014-01-05", "2014-02"]),
        ([datetime(2014, 1, 5, 10, 30), "x"], "text", ["2014-01-05T10:30:00", "x"]),
        ([None, None], "empty", [None, None]),
    ],
)
def test_a_column_has_the_type_of_its_cells(
    tmp_path: Path, cells: list[Any], type_: str, read: list[Any] | None
) -> None:
    path = write(tmp_path, [["KEY", "V"], *(["k", cell] for cell in cells)])
    expected = read or [datetime(2014, 1, 5), datetime(2014, 1, 6, 10, 30)]

    assert formats.stored_types(str(path), EXCEL) == {"KEY": "text", "V": type_}
    assert read_all(path, EXCEL)["V"] == expected


def test_chunks_of_other_kinds_are_one_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel, "_ROWS_PER_CHUNK", 2)
    rows: Rows = [["A", "B", "C"]]
    rows += [[1, None, date(2014, 1, 5)], [2, None, None], [None, 2.5, None], [None, 3, None]]
    rows += [["x", None, datetime(2014, 1, 5, 1)]]

    found = read_all(write(tmp_path, rows), EXCEL, batch_rows=3)

    assert found == {
        "A": ["1", "2", None, None, "x"],
        "B": [None, None, 2.5, 3, None],
        "C": [datetime(2014, 1, 5), None, None, None, datetime(2014, 1, 5, 1)],
    }


def test_dates_of_both_systems_are_the_same_days(tmp_path: Path) -> None:
    def count_from_1904(book: Any) -> None:
        book.epoch = CALENDAR_MAC_1904

    days = [date(1904, 1, 2), date(2014, 1, 5)]
    rows: Rows = [["D"], *([day] for day in days)]

    assert read_all(write(tmp_path, rows), EXCEL)["D"] == days
    assert read_all(write(tmp_path, rows, count_from_1904), EXCEL)["D"] == days


def test_rows_without_a_value_are_no_records(tmp_path: Path) -> None:
    rows: Rows = [["A", "B"], ["x", 1], [None, None], ["  ", None], ["y", 2], [None, None]]

    assert read_all(write(tmp_path, rows), EXCEL) == {"A": ["x", "y"], "B": [1, 2]}


def test_a_wrong_size_in_the_file_hides_no_row(tmp_path: Path) -> None:
    path = write(tmp_path, [["A", "B"], ["x", 1], ["y", 2]])
    change_xml(path, '<dimension ref="A1:B3" ?/>', '<dimension ref="A1"/>')

    assert read_all(path, EXCEL) == {"A": ["x", "y"], "B": [1, 2]}


def test_rows_are_counted_without_any_column(tmp_path: Path) -> None:
    path = write(tmp_path, [["A"], ["x"], ["y"]])

    batches = formats.read(formats.Extent(str(path)), EXCEL, [])

    assert sum(batch.num_rows for _, batch in batches) == 2


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("#N/A", "cell B3: found the error #N/A; correct or empty the cell"),
        ("#DIV/0!", "cell B3: found the error #DIV/0!"),
        ("=1+1", "cell B3: found a formula without its value: open and save the file in Excel"),
        (timedelta(hours=30), "cell B3: found a duration; write it as a number"),
    ],
)
def test_a_cell_that_has_no_value_is_named_if_its_column_is_used(
    tmp_path: Path, cell: Any, problem: str
) -> None:
    path = write(tmp_path, [["A", "B"], ["x", 1], ["y", cell], ["z", None]])

    assert problem in fail_to_read(path, EXCEL, ["A", "B"])
    assert read_all(path, EXCEL, ["A"])["A"] == ["x", "y", "z"]


def test_a_formula_has_the_value_that_excel_saved(tmp_path: Path) -> None:
    path = write(tmp_path, [["A", "B", "C"], ["=1+1", "=A2&A2", "x"]])
    change_xml(path, r"(<f>1\+1</f>)<v ?(/>|></v>)", r"\1<v>2</v>")
    change_xml(path, r'<c r="B2"(.*?<f>.*?</f>)<v ?(?:/>|></v>)', r'<c r="B2" t="str"\1<v></v>')

    assert read_all(path, EXCEL) == {"A": [2], "B": [None], "C": ["x"]}


def test_a_number_keeps_all_its_digits(tmp_path: Path) -> None:
    path = write(tmp_path, [["A"], [1], [2]])
    change_xml(path, "<v>2</v>", "<v>9007199254740993</v>")

    assert read_all(path, EXCEL) == {"A": ["1", "9007199254740993"]}


def test_merged_cells_are_refused_if_their_column_is_used(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [["A", "B", "C"], ["x", 1, 2], ["y", None, 3]],
        lambda book: book.active.merge_cells("B2:B3"),
    )

    assert "column B: cells B2:B3 of sheet Sheet are merged" in fail_to_read(path, EXCEL, ["B"])
    assert read_all(path, EXCEL, ["A", "C"]) == {"A": ["x", "y"], "C": [2, 3]}


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([[None], ["A", "B"], ["x", 1]], "row 1 of sheet Sheet is empty; the names of the columns"),
        ([["Listing"], ["A", "B"]], "cell B2 of sheet Sheet has a value, but its column has no"),
        ([["A", 2014], ["x", 1]], "cell B1 of sheet Sheet holds no text, expected the name"),
        ([["A", "A "], ["x", 1]], "column A occurs twice"),
    ],
)
def test_a_header_elsewhere_than_in_row_1_is_refused(
    tmp_path: Path, rows: Rows, problem: str
) -> None:
    path = str(write(tmp_path, rows))
    with pytest.raises(formats.DataFileError, match=re.escape(f"{path}: {problem}")):
        formats.stored_types(path, EXCEL)


def _second_sheet(book: Any, state: str) -> None:
    sheet = book.create_sheet("Labs")
    sheet.append(["L"])
    sheet.append([7])
    sheet.sheet_state = state


def test_the_sheet_is_named_where_there_are_several(tmp_path: Path) -> None:
    path = write(tmp_path, [["A"], ["x"]], lambda book: _second_sheet(book, "visible"))

    assert "has several sheets; name one in the study file (sheet): Sheet, Labs" in fail_to_read(
        path, EXCEL
    )
    assert "has no sheet labs" in fail_to_read(path, FileFormat("excel", sheet="labs"))
    assert read_all(path, FileFormat("excel", sheet="Labs")) == {"L": [7]}


def test_a_hidden_sheet_is_read_only_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, [["A"], ["x"]], lambda book: _second_sheet(book, "hidden"))

    assert read_all(path, EXCEL) == {"A": ["x"]}
    assert read_all(path, FileFormat("excel", sheet="Labs")) == {"L": [7]}


def test_what_is_no_workbook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"PAR1" + bytes(50))
    assert "found a Parquet file, expected an Excel workbook (.xlsx)" in fail_to_read(path, EXCEL)
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(50))
    assert "with a password, or of before 2007 (.xls)" in fail_to_read(path, EXCEL)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", "<x/>")
    assert "the file is no whole Excel workbook" in fail_to_read(path, EXCEL)


def test_entities_of_xml_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, [["A"], ["x"]])
    entity = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    change_xml(path, "<worksheet", f"{entity}<worksheet")

    with pytest.raises(formats.DataFileError, match="is no whole Excel workbook") as caught:
        formats.stored_types(str(path), EXCEL)
    assert isinstance(caught.value.__cause__, ValueError)
    assert isinstance(caught.value.__cause__.__cause__, EntitiesForbidden)
