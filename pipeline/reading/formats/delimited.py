"""Delimited text: CSV and its relatives, and tables whose fields blanks separate."""

import codecs
import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from pipeline.reading.formats import base
from pipeline.reading.formats.base import (
    ColumnType,
    Extent,
    FileFormat,
    data_error,
)

_BLOCK_BYTES = 16 * 1024 * 1024


def column_types(path: str, fmt: FileFormat) -> dict[str, ColumnType]:
    """Reads the column names from the first row.

    Args:
        path: The delimited file.
        fmt: Its encoding and delimiter.

    Returns:
        "text" for every column, in file order.

    Raises:
        DataFileError: The file is no delimited text in its encoding.
    """
    with base.open_file(path) as handle:
        return {name.strip(): "text" for name in _header(path, fmt, handle)}


def extents(path: str, fmt: FileFormat, rows_per_extent: int) -> list[Extent]:  # noqa: ARG001
    """Makes one extent: where a row begins is known only after reading those before it.

    Args:
        path: The delimited file.
        fmt: Its encoding and delimiter.
        rows_per_extent: Without effect.

    Returns:
        The whole file.

    Raises:
        DataFileError: The file is no delimited text in its encoding.
    """
    column_types(path, fmt)
    return [Extent(path)]


def read(
    extent: Extent, fmt: FileFormat, columns: Sequence[str], batch_rows: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Reads rows as text, without surrounding blanks and with null for missing values.

    Args:
        extent: The file and the range of its rows.
        fmt: Encoding, delimiter and the texts that mean missing.
        columns: The columns that are wanted.
        batch_rows: Largest number of rows of a batch.

    Yields:
        The 0-based number of a batch's first row, and the batch.

    Raises:
        DataFileError: The file is no delimited text, lacks a column, has a row with a wrong
            number of fields, or bytes that its encoding can not decode.
    """
    path = extent.path
    with base.open_file(path) as handle:
        names = _header(path, fmt, handle)
        base.check_columns(path, (name.strip() for name in names), columns)
        wanted = [_raw_name(names, column) for column in columns]
        rows = _folded_rows if fmt.delimiter == " " else _arrow_rows
        batches = (
            base.record_batch(
                [_cleaned(batch.column(i), fmt.missing) for i in range(len(columns))],
                columns,
                batch.num_rows,
            )
            for batch in rows(path, fmt, handle, names, wanted, batch_rows)
        )
        try:
            yield from base.clip(batches, extent, batch_rows)
        except UnicodeDecodeError as error:
            raise _locate_undecodable(path, fmt) from error


def _raw_name(names: Sequence[str], column: str) -> str:
    return next(name for name in names if name.strip() == column)


def _header(path: str, fmt: FileFormat, handle: BinaryIO) -> list[str]:
    """Returns the names in the first row as they are written; rewinds the handle."""
    base.check_encoding(path, fmt)
    if len(fmt.delimiter) != 1:
        raise data_error(path, "the delimiter must be one character; correct the study file")
    head = base.head_of(handle)
    if (base.kind_of(head) and not head.startswith(b'{"')) or (
        b"\0" in head and not _is_wide(fmt.encoding)
    ):
        raise base.not_a(path, "delimited text", head)
    # The decoder runs ahead into rows whose errors are to be told with their place.
    names = next((row for row in _python_rows(path, fmt, handle, errors="replace") if row), [])
    handle.seek(0)
    if any("\N{REPLACEMENT CHARACTER}" in name for name in names):
        raise base.undecodable(path, fmt.encoding)
    if fmt.delimiter == " " and names and not names[-1]:
        names.pop()
    if not names:
        raise data_error(path, "the file has no header row; expected the columns' names in it")
    base.check_unique(path, [name.strip() for name in names])
    return names


def _python_rows(
    path: str, fmt: FileFormat, handle: BinaryIO, errors: str = "strict"
) -> Iterator[list[str]]:
    # A byte order mark is no part of the first column's name.
    encoding = "utf-8-sig" if _is_utf_8(fmt.encoding) else fmt.encoding
    text = io.TextIOWrapper(handle, encoding=encoding, errors=errors, newline="")
    rows = csv.reader(
        text, delimiter=fmt.delimiter, skipinitialspace=fmt.delimiter == " ", strict=False
    )
    try:
        yield from rows
    except csv.Error as error:
        raise data_error(
            path, "a field is longer than any text; look for a quote that is not closed"
        ) from error
    finally:
        text.detach()


def _folded_rows(
    path: str,
    fmt: FileFormat,
    handle: BinaryIO,
    names: Sequence[str],
    wanted: Sequence[str],
    batch_rows: int,
) -> Iterator[pa.RecordBatch]:
    """Reads a table in which a run of blanks separates two fields."""
    positions = [names.index(name) for name in wanted]
    rows = (row for row in _python_rows(path, fmt, handle) if any(row))
    next(rows)
    first = 0
    while block := list(itertools.islice(rows, batch_rows)):
        for number, row in enumerate(block, first + 1):
            if len(row) == len(names) + 1 and not row[-1]:
                row.pop()
            if len(row) != len(names):
                raise _wrong_length(path, number, len(names), len(row))
        arrays = [pa.array([row[i] for row in block], pa.string()) for i in positions]
        yield base.record_batch(arrays, wanted, len(block))
        first += len(block)


def _arrow_rows(
    path: str,
    fmt: FileFormat,
    handle: BinaryIO,
    names: Sequence[str],
    wanted: Sequence[str],
    batch_rows: int,  # noqa: ARG001
) -> Iterator[pa.RecordBatch]:
    """Reads with Arrow's parser, whose batches follow blocks of bytes."""
    # Without a column there would be nothing to count rows by.
    encoding = "utf8" if _is_utf_8(fmt.encoding) else fmt.encoding
    included = list(dict.fromkeys(wanted)) or [names[0]]
    wrong_rows: list[Any] = []

    def note(row: Any) -> str:
        wrong_rows.append(row)
        return "error"

    try:
        yield from pa_csv.open_csv(
            handle,
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=_BLOCK_BYTES, encoding=encoding
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=fmt.delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                include_columns=included,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        # Arrow's own message quotes the row, which may hold a patient's data.
        if wrong_rows:
            row = wrong_rows[0]
            raise _wrong_length(
                path, row.number - 1, row.expected_columns, row.actual_columns
            ) from None
        if "Empty CSV" in str(error):
            return
        if "UTF8" in str(error):
            raise _locate_undecodable(path, fmt) from None
        raise data_error(
            path, "a row is longer than 16 MiB; look for a quote that is not closed"
        ) from None


def _wrong_length(path: str, row: int, expected: int, found: int) -> base.DataFileError:
    return data_error(
        path,
        f"found {found} fields, expected {expected} as in the header; correct the row or the "
        "delimiter in the study file",
        row=row,
    )


def _cleaned(texts: pa.Array, missing: Sequence[str]) -> pa.Array:
    trimmed = pc.ascii_trim_whitespace(texts)
    is_missing = pc.is_in(trimmed, value_set=pa.array(missing, pa.string()))
    return pc.if_else(is_missing, pa.scalar(None, pa.string()), trimmed)


def _locate_undecodable(path: str, fmt: FileFormat) -> base.DataFileError:
    """Looks for the first cell that does not decode, by reading bytes as if they were Latin-1."""
    if _is_wide(fmt.encoding):
        return base.undecodable(path, fmt.encoding)
    bytewise = replace(fmt, encoding="latin-1", missing=("",))
    columns = list(column_types(path, bytewise))
    for first, batch in read(Extent(path), bytewise, columns, 1_000):
        for row, cells in enumerate(zip(*(a.to_pylist() for a in batch.columns), strict=True)):
            for column, cell in zip(columns, cells, strict=True):
                if not _decodes((cell or "").encode("latin-1"), fmt.encoding):
                    return base.undecodable(path, fmt.encoding, row=first + row + 1, column=column)
    return base.undecodable(path, fmt.encoding)


def _is_utf_8(encoding: str) -> bool:
    return codecs.lookup(encoding).name == "utf-8"


def _is_wide(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
