"""A table of texts, for the writers of every format."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Cell = str | None
Storage = Literal["text", "number", "date"]
Described = dict[str, Any]
"""What the study file says of a file beside its columns."""

_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,4})?")


@dataclass(frozen=True)
class Table:
    """A dataset, each cell as text.

    Attributes:
        columns: How a format with types stores each column.
        numbers: Columns that mean numbers, however they are stored.
        rows: The cells of each row, by column.
    """

    columns: Mapping[str, Storage]
    numbers: frozenset[str]
    rows: tuple[dict[str, Cell], ...]

    def cells(self, column: str) -> list[Cell]:
        return [row[column] for row in self.rows]

    def stored(self, column: str) -> Storage:
        """How a format stores a column whose type is one and the same in all rows."""
        storage = self.columns[column]
        holds: dict[Storage, Callable[[Cell], bool]] = {"number": is_number, "date": is_date}
        if storage in holds and not all(map(holds[storage], self.cells(column))):
            return "text"
        return storage

    @property
    def can_be_latin(self) -> bool:
        text = "".join(cell or "" for row in self.rows for cell in row.values())
        return all(ord(character) < 256 for character in text)


def is_number(cell: Cell) -> bool:
    """Whether every format with types can store a cell as a number."""
    return is_empty(cell) or _NUMBER.fullmatch(cell or "") is not None


def is_date(cell: Cell) -> bool:
    """Whether every format with types can store a cell as a date."""
    if is_empty(cell):
        return True
    try:
        return datetime.date.fromisoformat(cell or "").isoformat() == cell
    except ValueError:
        return False


def is_empty(cell: Cell) -> bool:
    return not (cell or "").strip(" ")
