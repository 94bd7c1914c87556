"""Sheets of Excel workbooks (.xlsx, .xlsm), read cell by cell with openpyxl.

A cell says itself whether it is text, a number, a date, true or false, or an error; a column is of
the one type that its cells have, otherwise text. So all cells are read before the first record is
handed on: the wanted columns are kept as Arrow arrays, a fraction of the sheet's own size.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa

from pipeline.reading.formats import base
from pipeline.reading.formats.base import (
    DataFileError,
    Extent,
    FileFormat,
    StoredType,
    data_error,
)
from pipeline.reading.formats.excel_cells import ExcelColumn
from pipeline.reading.formats.excel_xml import scan_sheet

_ZIP = b"PK\x03\x04"
_ROWS_PER_CHUNK = 20_000


def column_types(path: str, fmt: FileFormat) -> dict[str, StoredType]:
    """Finds the type of each column by its cells.

    Args:
        path: The workbook.
        fmt: Its sheet.

    Returns:
        How each column is stored, in the sheet's order.

    Raises:
        DataFileError: The file is no workbook, has no such sheet, or has no header in row 1.
    """
    with _sheet(path, fmt) as sheet:
        columns = {name: ExcelColumn(name, keeps=False) for name in sheet.names.values()}
        for _ in _chunks(sheet, columns):
            pass
        return {name: column.type for name, column in columns.items()}


def sheets(path: str) -> list[str]:
    """Names of a workbook's visible sheets, in its order.

    Args:
        path: The workbook.

    Raises:
        DataFileError: The file is no workbook.
    """
    with base.open_file(path) as handle, _translated(path):
        book = _workbook(path, handle, data_only=True)
        return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]


def extents(path: str, fmt: FileFormat, rows_per_extent: int) -> list[Extent]:  # noqa: ARG001
    """Makes one extent: where a sheet's rows end is known when they have been read.

    Args:
        path: The workbook.
        fmt: Its sheet.
        rows_per_extent: Not used.

    Returns:
        The file.
    """
    return [Extent(path)]


def read(
    extent: Extent, fmt: FileFormat, columns: Sequence[str], batch_rows: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Reads the rows below the header; rows without any value are no records.

    Args:
        extent: The file and the range of its records.
        fmt: Its sheet.
        columns: The columns that are wanted.
        batch_rows: Largest number of records of a batch.

    Yields:
        The 0-based number of a batch's first record, and the batch.

    Raises:
        DataFileError: The file is no workbook, lacks the sheet or a column, or one of the columns
            has an error, a formula without its value, or merged cells.
    """
    with _sheet(extent.path, fmt) as sheet:
        base.check_columns(extent.path, sheet.names.values(), columns)
        wanted = {name: ExcelColumn(name) for name in columns}
        sheet.check_merged(columns)
        rows = list(_chunks(sheet, wanted))
    for column in wanted.values():
        column.check(extent.path)
    arrays = [column.arrays() for column in wanted.values()]
    batches = (
        base.record_batch([array[number] for array in arrays], columns, count)
        for number, count in enumerate(rows)
    )
    yield from base.clip(batches, extent, batch_rows)


@dataclass(frozen=True)
class _Sheet:
    """A sheet that is open.

    Attributes:
        path: The workbook.
        title: The sheet's name.
        names: Names of its columns, by number from 0.
        merged: Merged cells: first column, last column, and the range in words.
        rows: Its rows below the header, as openpyxl reads their values.
        formulas: The same rows with formulas; None where the sheet has none.
    """

    path: str
    title: str
    names: dict[int, str]
    merged: tuple[tuple[int, int, str], ...]
    rows: Iterator[Any]
    formulas: Iterator[Any] | None

    def check_merged(self, columns: Sequence[str]) -> None:
        """Refuses merged cells: only the first of them has the value."""
        for number, name in self.names.items():
            for first, last, words in self.merged:
                if name in columns and first <= number <= last:
                    raise data_error(
                        self.path,
                        f"cells {words} of sheet {self.title} are merged, so that only the first "
                        "has a value; unmerge them and fill each",
                        column=name,
                    )


@contextlib.contextmanager
def _sheet(path: str, fmt: FileFormat) -> Iterator[_Sheet]:
    """Opens a workbook's sheet."""
    with base.open_file(path) as handle, _translated(path):
        book = _workbook(path, handle, data_only=True)
        sheet = _named(path, book, fmt.sheet)
        has_formulas, merged = scan_sheet(handle, sheet._worksheet_path)
        rows = _rows(sheet)
        names = _header(path, sheet.title, next(rows, ()))
        formulas = None
        if has_formulas:
            other = _workbook(path, handle, data_only=False)
            formulas = _rows(other[sheet.title])
            next(formulas, None)
        yield _Sheet(path, sheet.title, names, merged, rows, formulas)


def _workbook(path: str, handle: BinaryIO, *, data_only: bool) -> Any:
    from openpyxl import load_workbook

    head = base.head_of(handle)
    if not head.startswith(_ZIP):
        raise base.not_a(path, "an Excel workbook (.xlsx)", head)
    return load_workbook(handle, read_only=True, data_only=data_only)


@contextlib.contextmanager
def _translated(path: str) -> Iterator[None]:
    """Turns what the library raises on a damaged workbook into a message."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except DataFileError:
            raise
        except Exception as error:
            # zipfile, the XML parser and openpyxl raise whatever a damaged part leads to.
            raise data_error(
                path,
                f"the file is no whole Excel workbook ({type(error).__name__}); open it in Excel "
                "and save it again as .xlsx",
            ) from error


def _named(path: str, book: Any, name: str | None) -> Any:
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if name is None and len(visible) == 1:
        return visible[0]
    for sheet in book.worksheets:
        if sheet.title == name:
            return sheet
    problem = "has several sheets" if name is None else f"has no sheet {name}"
    titles = ", ".join(sheet.title for sheet in visible)
    raise data_error(path, f"the workbook {problem}; name one in the study file (sheet): {titles}")


def _rows(sheet: Any) -> Iterator[Any]:
    # Writers may state a wrong size.
    sheet.reset_dimensions()
    return iter(sheet.iter_rows())


def _header(path: str, title: str, cells: Sequence[Any]) -> dict[int, str]:
    """Names of the columns by number."""
    names = {}
    for number, cell in enumerate(cells):
        if cell.value is None or not str(cell.value).strip():
            continue
        if not isinstance(cell.value, str):
            raise data_error(
                path,
                f"cell {_letters(number)}1 of sheet {title} holds no text, expected the name of a "
                "column: the header must be in row 1",
            )
        names[number] = cell.value.strip()
    if not names:
        raise data_error(
            path, f"row 1 of sheet {title} is empty; the names of the columns must be in row 1"
        )
    base.check_unique(path, list(names.values()))
    return names


def _chunks(sheet: _Sheet, columns: dict[str, ExcelColumn]) -> Iterator[int]:
    """Reads all rows into their columns; yields the number of records of each chunk."""
    count = 0
    for number, cells in enumerate(sheet.rows, 2):
        formulas = next(sheet.formulas, ()) if sheet.formulas else ()
        if not _has_value(sheet, number, cells, formulas):
            continue
        _add_row(sheet, columns, number, cells, formulas)
        count += 1
        if count == _ROWS_PER_CHUNK:
            yield _ended(columns, count)
            count = 0
    if count:
        yield _ended(columns, count)


def _ended(columns: dict[str, ExcelColumn], count: int) -> int:
    for column in columns.values():
        column.end_chunk()
    return count


def _add_row(
    sheet: _Sheet,
    columns: dict[str, ExcelColumn],
    row: int,
    cells: Sequence[Any],
    formulas: Sequence[Any],
) -> None:
    from openpyxl.cell.read_only import EMPTY_CELL

    for number, name in sheet.names.items():
        if name in columns:
            cell = cells[number] if number < len(cells) else EMPTY_CELL
            columns[name].add(
                f"{_letters(number)}{row}", cell, has_formula=_has_formula(formulas, number)
            )


def _has_formula(formulas: Sequence[Any], number: int) -> bool:
    return number < len(formulas) and formulas[number].data_type == "f"


def _has_value(sheet: _Sheet, row: int, cells: Sequence[Any], formulas: Sequence[Any]) -> bool:
    """Whether a row is a record; refuses a value in a column without a name."""
    found = False
    for number, cell in enumerate(cells):
        has_value = cell.value is not None and (
            not isinstance(cell.value, str) or bool(cell.value.strip())
        )
        if has_value and number not in sheet.names:
            raise data_error(
                sheet.path,
                f"cell {_letters(number)}{row} of sheet {sheet.title} has a value, but its column "
                "has no name in row 1: the header must be in row 1, and no notes beside the table",
            )
        found |= has_value or _has_formula(formulas, number)
    return found


def _letters(number: int) -> str:
    """Letters of a column by its number from 0."""
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(number + 1))
