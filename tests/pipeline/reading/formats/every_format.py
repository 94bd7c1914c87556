"""One table written in every format and encoding that the pipeline reads."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
from numpy.typing import NDArray

from pipeline.synthetic.xpt_writer import Column, Dataset, XptWriter, ibm_float
from tests.pipeline.reading.formats.tables import (
    Cell,
    Described,
    Storage,
    Table,
    is_date,
    is_empty,
    is_number,
)
from tests.pipeline.reading.formats.written_files import (
    dataset_json,
    write_dataset_json,
    xpt_library,
    xpt_member,
)

_SAS_EPOCH = datetime.date(1960, 1, 1)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def _encoding(table: Table) -> str:
    return "latin-1" if table.can_be_latin else "utf-8"


def write_csv(
    folder: Path,
    name: str,
    table: Table,
    *,
    delimiter: str = ",",
    decimal: str = ".",
    encoding: str = "utf-8",
    line_end: str = "\n",
    quoted: bool = False,
) -> Described:
    def field(column: str, cell: Cell) -> str:
        text = cell or ""
        if column in table.numbers:
            text = text.replace(".", decimal)
        needs_quotes = quoted or any(character in text for character in f'{delimiter}"\r\n')
        return '"{}"'.format(text.replace('"', '""')) if needs_quotes else text

    lines = [delimiter.join(table.columns)]
    lines += [delimiter.join(field(*item) for item in row.items()) for row in table.rows]
    path = folder / f"{name}.csv"
    path.write_bytes((line_end.join(lines) + line_end).encode(encoding))
    described = {"file": path.name, "format": "csv", "delimiter": delimiter, "encoding": encoding}
    return {**described, "decimal": decimal}


def write_json(folder: Path, name: str, table: Table, *, encoding: str, mixed: bool) -> Described:
    """Writes Dataset-JSON.

    Args:
        folder: Where to.
        name: Name of the dataset.
        table: Its rows.
        encoding: One of `write_dataset_json`.
        mixed: Whether a column of numbers or dates keeps its type if a text is among them.
    """
    stored = table.columns if mixed else {name: table.stored(name) for name in table.columns}
    kinds: dict[Storage, tuple[str, ...]] = {
        "text": ("string",),
        "number": ("float",),
        "date": ("date", "integer"),
    }
    columns = [(column, *kinds[storage]) for column, storage in stored.items()]

    def value(column: str, cell: Cell) -> Any:
        if is_empty(cell):
            return cell if stored[column] == "text" else None
        return float(cell or "") if stored[column] == "number" and is_number(cell) else cell

    rows = [[value(*item) for item in row.items()] for row in table.rows]
    path = write_dataset_json(folder, dataset_json(columns, rows), encoding)
    target = path.rename(folder / f"{name}{path.suffix}")
    return {"file": target.name, "format": "dataset-json"}


def write_parquet(
    folder: Path, name: str, table: Table, *, text: pa.DataType, number: pa.DataType
) -> Described:
    def array(column: str) -> pa.Array:
        cells = table.cells(column)
        storage = table.stored(column)
        if storage == "text":
            return pa.array(cells, text)
        present = [None if is_empty(cell) else cell for cell in cells]
        if storage == "number":
            parse = Decimal if pa.types.is_decimal(number) else float
            return pa.array([cell and parse(cell) for cell in present], number)
        return pa.array([cell and datetime.date.fromisoformat(cell) for cell in present])

    path = folder / f"{name}.parquet"
    pq.write_table(pa.table({column: array(column) for column in table.columns}), path)
    return {"file": path.name, "format": "parquet"}


def _xpt_numbers(table: Table, column: str) -> NDArray[Any]:
    """Numbers, or days since 1960, float64, shape [rows]; NaN where missing."""

    def number(cell: str) -> float:
        if table.stored(column) == "number":
            return float(cell)
        return float((datetime.date.fromisoformat(cell) - _SAS_EPOCH).days)

    cells = table.cells(column)
    return np.array([np.nan if is_empty(cell) else number(cell or "") for cell in cells], float)


def _xpt_texts(table: Table, column: str, encoding: str) -> list[bytes]:
    return [(cell or "").encode(encoding) for cell in table.cells(column)]


def write_xpt_5(folder: Path, name: str, table: Table) -> Described:
    encoding = _encoding(table)
    columns: list[Column] = []
    values: dict[str, NDArray[Any]] = {}
    for column in table.columns:
        storage = table.stored(column)
        if storage == "text":
            texts = _xpt_texts(table, column, encoding)
            width = max((len(text) for text in texts), default=0) or 1
            columns.append(Column(column, column, width))
            values[column] = np.array(texts, f"S{width}")
        else:
            columns.append(Column(column, column, display="DATE" if storage == "date" else ""))
            values[column] = _xpt_numbers(table, column)
    path = folder / f"{name}.xpt"
    with path.open("wb") as stream:
        writer = XptWriter(stream, Dataset(name, name, tuple(columns)))
        writer.append(values)
        writer.finish()
    return {"file": path.name, "format": "xpt", "encoding": encoding}


def write_xpt_8(folder: Path, name: str, table: Table) -> Described:
    variables: list[tuple[str, str, int, str]] = []
    fields: list[list[bytes]] = []
    for column in table.columns:
        storage = table.stored(column)
        if storage == "text":
            texts = _xpt_texts(table, column, "utf-8")
            width = max((len(text) for text in texts), default=0) or 1
            variables.append((column, "char", width, ""))
            fields.append([text.ljust(width) for text in texts])
        else:
            variables.append((column, "num", 8, "DATE" if storage == "date" else ""))
            content = ibm_float(_xpt_numbers(table, column)).tobytes()
            fields.append([content[i : i + 8] for i in range(0, len(content), 8)])
    records = [b"".join(record) for record in zip(*fields, strict=True)]
    member = xpt_member(variables, records, version=8, count=len(records))
    path = folder / f"{name}.xpt"
    path.write_bytes(xpt_library(8) + member)
    return {"file": path.name, "format": "xpt"}


def _frame(table: Table) -> pd.DataFrame:
    """The columns as pyreadstat writes them."""

    def values(column: str) -> Any:
        cells, storage = table.cells(column), table.stored(column)
        if storage == "text":
            return pd.Series([cell or "" for cell in cells], dtype=object)
        present = [None if is_empty(cell) else cell for cell in cells]
        if storage == "number":
            return pd.Series([float(cell or "nan") for cell in present], dtype=float)
        dates = [cell and datetime.date.fromisoformat(cell) for cell in present]
        return pd.Series(dates, dtype=object)

    return pd.DataFrame({column: values(column) for column in table.columns})


def write_stata(folder: Path, name: str, table: Table) -> Described:
    path = folder / f"{name}.dta"
    pyreadstat.write_dta(_frame(table), path)
    return {"file": path.name, "format": "stata"}


def write_spss(folder: Path, name: str, table: Table, *, compress: bool) -> Described:
    path = folder / f"{name}.{'zsav' if compress else 'sav'}"
    pyreadstat.write_sav(_frame(table), path, compress=compress)
    return {"file": path.name, "format": "spss"}


def write_excel(folder: Path, name: str, table: Table) -> Described:
    """Writes a sheet; a text among numbers or dates is a text in its cell."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(name)

    def cell(column: str, content: Cell) -> Any:
        storage = table.columns[column]
        if is_empty(content):
            return content if storage == "text" else None
        if storage == "number" and is_number(content):
            return float(content or "")
        if storage == "date" and is_date(content):
            return datetime.date.fromisoformat(content or "")
        # As Excel writes characters that XML can't hold.
        return _CONTROL.sub(lambda match: f"_x{ord(match[0]):04X}_", content or "")

    sheet.append(list(table.columns))
    for row in table.rows:
        sheet.append([cell(*item) for item in row.items()])
    path = folder / f"{name}.xlsx"
    book.save(path)
    return {"file": path.name, "format": "excel"}


Writer = Callable[[Path, str, Table], Described]

WRITERS: dict[str, Writer] = {
    "csv": write_csv,
    "csv, all fields quoted": lambda *to: write_csv(*to, quoted=True),
    "csv, semicolons, decimal commas": lambda *to: write_csv(
        *to, delimiter=";", decimal=",", encoding=_encoding(to[2]), line_end="\r\n"
    ),
    "csv, tabs, UTF-16": lambda *to: write_csv(*to, delimiter="\t", encoding="utf-16"),
    "json": lambda *to: write_json(*to, encoding="json", mixed=False),
    "json, text among numbers": lambda *to: write_json(*to, encoding="json", mixed=True),
    "ndjson": lambda *to: write_json(*to, encoding="ndjson", mixed=True),
    "dsjc": lambda *to: write_json(*to, encoding="dsjc", mixed=False),
    "parquet": lambda *to: write_parquet(*to, text=pa.string(), number=pa.float64()),
    "parquet, dictionaries, decimals": lambda *to: write_parquet(
        *to, text=pa.dictionary(pa.int32(), pa.string()), number=pa.decimal128(20, 4)
    ),
    "xpt 5": write_xpt_5,
    "xpt 8": write_xpt_8,
    "stata": write_stata,
    "spss": lambda *to: write_spss(*to, compress=False),
    "excel": write_excel,
    "spss, compressed": lambda *to: write_spss(*to, compress=True),
}


def write_in_every_format(
    folder: Path, tables: Mapping[str, Table]
) -> Iterator[tuple[str, Path, dict[str, Described]]]:
    """Writes the datasets of a trial in one format after the other.

    Yields:
        The format, the folder of its files, and what the study file says of each dataset's.
    """
    for number, (fmt, write) in enumerate(WRITERS.items()):
        of_format = folder / str(number)
        of_format.mkdir()
        yield fmt, of_format, {name: write(of_format, name, t) for name, t in tables.items()}
