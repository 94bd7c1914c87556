"""What can be read of rejected rows: their cells, without those at fault.

A rejected row is not used. But its subject is known, and what is derived from the rows of a subject
has to take into account that there was one more, which could have decided otherwise unless its
readable cells show that it couldn't. A cell at fault is null and marked as unreadable, so
that it is not taken for a missing one: no condition on it is certainly true or false.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.reading.days import LATEST
from pipeline.reading.moments import MOMENT

UNREADABLE = "#unreadable"
"""Suffix of the column of booleans that marks the cells of a column that were at fault."""

_PREFIX = "#rejected:"


def rejected_name(dataset: str) -> str:
    """Name under which the rejected rows of a dataset travel beside the good ones."""
    return f"{_PREFIX}{dataset}"


def separated(
    tables: Mapping[str, pa.Table],
) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
    """The good and the rejected rows among tables, each by dataset."""
    good = {name: table for name, table in tables.items() if not name.startswith(_PREFIX)}
    rejected = {
        name.removeprefix(_PREFIX): table
        for name, table in tables.items()
        if name.startswith(_PREFIX)
    }
    return good, rejected


def without_marks(table: pa.Table) -> pa.Table:
    """The rows without the columns of marks."""
    return table.select([name for name in table.column_names if not name.endswith(UNREADABLE)])


def emptied(table: pa.Table, faults: Mapping[str, NDArray[np.bool_]]) -> pa.Table:
    """Takes the values out of cells that turned out to be at fault, and marks the cells.

    Args:
        table: Rows, with or without marks.
        faults: By column, where its cells are at fault; booleans, shape [rows].

    Returns:
        The rows, null where a cell is at fault.
    """
    for column, fault in faults.items():
        for name in (column, column + LATEST, column + MOMENT):
            if name in table.column_names and fault.any():
                table = _replaced(table, name, _without(table[name], fault))
        name = column + UNREADABLE
        if name in table.column_names:
            fault = fault | pc.fill_null(table[name], False).to_numpy()
            table = _replaced(table, name, pa.array(fault, pa.bool_()))
        else:
            table = table.append_column(name, pa.array(fault, pa.bool_()))
    return table


def _without(cells: pa.ChunkedArray, fault: NDArray[np.bool_]) -> pa.Array | pa.ChunkedArray:
    if pa.types.is_string(cells.type):
        return pc.if_else(pa.array(fault), pa.scalar(None, cells.type), cells)
    values = np.where(fault, np.nan, cells.to_numpy())
    return pa.array(values, pa.float64(), from_pandas=True)


def _replaced(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)
