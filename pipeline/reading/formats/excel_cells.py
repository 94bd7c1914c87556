"""Cells of an Excel sheet become a column of one type."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa

from pipeline.reading.exact_numbers import (
    LARGEST_WHOLE,
    keeps_digits,
    number_text,
    number_texts,
)
from pipeline.reading.formats.base import ARROW_TYPES, READ_AS, StoredType, data_error

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass
class ExcelColumn:
    """The cells of one column, chunk by chunk.

    Attributes:
        name: Its name.
        keeps: Whether the cells are kept; otherwise only their kinds.
        kinds: Kinds of cells that were found.
        cells: Kept cells of the chunk that is being read.
        problem: Row and problem of the first cell that can't be read.
    """

    name: str
    keeps: bool = True
    kinds: set[StoredType] = field(default_factory=set)
    cells: list[Any] = field(default_factory=list)
    problem: tuple[str, str] | None = None
    _chunks: list[tuple[set[StoredType], pa.Array]] = field(default_factory=list)
    _kinds_of_chunk: set[StoredType] = field(default_factory=set)

    @property
    def type(self) -> StoredType:
        """How the column is stored."""
        if not self.kinds:
            return "empty"
        if "unreadable" in self.kinds:
            return "unreadable"
        if self.kinds == {"date", "datetime"}:
            return "datetime"
        return next(iter(self.kinds)) if len(self.kinds) == 1 else "text"

    def add(self, place: str, cell: Any, *, has_formula: bool) -> None:
        """Takes a cell.

        Args:
            place: Where it is, such as B7.
            cell: The cell as openpyxl reads it.
            has_formula: Whether it holds a formula.
        """
        value, problem = cell.value, ""
        if cell.data_type == "e":
            problem, value = f"found the error {value}", None
        elif has_formula and value is None and cell.data_type == "n":
            problem = "found a formula without its value: open and save the file in Excel"
        if problem and self.problem is None:
            self.problem = place, problem
        if isinstance(value, str):
            value = _unescaped(value) if value.strip() else None
        if value is not None:
            kind = _kind(value)
            self._kinds_of_chunk.add(kind)
            if kind == "unreadable" and self.problem is None:
                self.problem = place, "found a duration; write it as a number"
        if self.keeps:
            self.cells.append(value)

    def end_chunk(self) -> None:
        """Turns the cells of a chunk into an array: of their own type, or of texts."""
        self.kinds |= self._kinds_of_chunk
        if self.keeps:
            of_chunk = ExcelColumn("", kinds=self._kinds_of_chunk)
            self._chunks.append((self._kinds_of_chunk, _array(self.cells, of_chunk.type)))
        self.cells, self._kinds_of_chunk = [], set()

    def check(self, path: str) -> None:
        """Raises the first problem of a cell, if there is one."""
        if self.problem:
            place, problem = self.problem
            raise data_error(
                path, f"cell {place}: {problem}; correct or empty the cell", column=self.name
            )

    def arrays(self) -> list[pa.Array]:
        """The chunks, all of the column's type."""
        return [_as_type(array, self.type) for _, array in self._chunks]


def _unescaped(text: str) -> str:
    """Text with the characters that XML can't hold (ECMA-376 part 1, 22.9.2.19: _x001C_)."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def _kind(value: Any) -> StoredType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, datetime):
        return "date" if value.time() == time() else "datetime"
    if isinstance(value, date):
        return "date"
    # Times of day are text, as in every format.
    return "unreadable" if isinstance(value, timedelta) else "text"


def _array(cells: list[Any], type_: StoredType) -> pa.Array:
    if type_ == "number":
        large = [cell for cell in cells if isinstance(cell, int) and abs(cell) > LARGEST_WHOLE]
        if not all(map(keeps_digits, large)):
            return number_texts(cells)
        return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())
    if type_ == "date":
        return pa.array([cell and _day(cell) for cell in cells], pa.date32())
    if type_ == "datetime":
        return pa.array([cell and _second(cell) for cell in cells], pa.timestamp("s"))
    return pa.array([None if cell is None else _text(cell) for cell in cells], pa.string())


def _as_type(array: pa.Array, type_: StoredType) -> pa.Array:
    """An array of a chunk as one of the whole column's type."""
    if type_ in ("text", "boolean", "empty", "unreadable"):
        if pa.types.is_string(array.type):
            return array
        cells = array.to_pylist()
        return pa.array([None if cell is None else _text(cell) for cell in cells], pa.string())
    if array.null_count == len(array):
        return pa.nulls(len(array), ARROW_TYPES[READ_AS[type_]])
    # Numbers that float64 would not keep are texts already.
    return array if type_ == "number" else array.cast(ARROW_TYPES[READ_AS[type_]])


def _day(cell: date) -> date:
    return cell.date() if isinstance(cell, datetime) else cell


def _second(cell: date) -> datetime:
    moment = cell if isinstance(cell, datetime) else datetime.combine(cell, time())
    return moment.replace(microsecond=0)


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, int | float):
        return number_text(cell)
    if isinstance(cell, datetime):
        whole = cell.replace(microsecond=0)
        return whole.date().isoformat() if whole.time() == time() else whole.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
