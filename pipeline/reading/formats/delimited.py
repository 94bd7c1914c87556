"""Delimited text: CSV, TSV and the like, and tables whose fields are separated by blanks."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv

from pipeline.reading.formats import base, decoding
from pipeline.reading.formats.base import ColumnType, Extent, FileFormat, data_error
from pipeline.reading.formats.decoding import encoding_of, is_utf_8, is_wide, utf_8_blocks
from pipeline.reading.formats.records import Chunk, Records

SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.I)
"""First line by which a spreadsheet names the delimiter; it is no row."""

_LARGEST_ASCII = 127


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
        names, _ = _open(path, fmt, handle)
    return {name.strip(): "text" for name in names}


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
    """Reads rows as text, as it is written.

    Args:
        extent: The file and the range of its rows.
        fmt: Encoding and delimiter.
        columns: The columns that are wanted.
        batch_rows: Largest number of rows of a batch.

    Yields:
        The 0-based number of a batch's first row, and the batch.

    Raises:
        DataFileError: The file is no delimited text, lacks a column, has a quote that is not
            closed, a row with a wrong number of fields, or bytes that its encoding can not decode.
    """
    path = extent.path
    with base.open_file(path) as handle:
        names, records = _open(path, fmt, handle)
        base.check_columns(path, (name.strip() for name in names), columns)
        wanted = [_raw_name(names, column) for column in columns]
        parse = _parse_folded if fmt.delimiter == " " else _parse
        batches = (
            base.record_batch(batch.columns[: len(columns)], columns, batch.num_rows)
            for chunk in records.chunks(len(names))
            for batch in _all_rows(path, chunk, parse(path, fmt, chunk, names, wanted))
        )
        try:
            yield from base.clip(batches, extent, batch_rows)
        except UnicodeDecodeError as error:
            raise _locate_undecodable(path, fmt) from error


def _raw_name(names: Sequence[str], column: str) -> str:
    return next(name for name in names if name.strip() == column)


def _open(
    path: str, fmt: FileFormat, handle: BinaryIO, *, errors: str = "strict"
) -> tuple[list[str], Records]:
    """Returns the names in the header as they are written, and the records after it."""
    base.check_encoding(path, fmt)
    if len(fmt.delimiter) != 1 or ord(fmt.delimiter) > _LARGEST_ASCII or fmt.delimiter in '"\r\n':
        raise data_error(
            path,
            "the delimiter must be one character of ASCII, no quote and no line end; correct the "
            "study file",
        )
    head = base.head_of(handle)
    encoding, _ = encoding_of(head, fmt.encoding)
    decoding.check_mark(path, encoding)
    if base.kind_of(head) and not head.startswith(b'{"'):
        raise base.not_a(path, "delimited text", head)
    records = Records(path, utf_8_blocks(handle, fmt.encoding, errors=errors), fmt.delimiter)
    try:
        text = _first_row(path, fmt, records)
        if text is not None and "\0" in text and not is_wide(encoding):
            raise base.not_a(path, "delimited text", head)
    except UnicodeDecodeError as error:
        # The decoder runs ahead into rows, whose errors are reported with their place.
        raise _locate_undecodable(path, fmt) from error
    names = next(_split([text], fmt)) if text else []
    if any("\N{REPLACEMENT CHARACTER}" in name for name in names):
        raise base.undecodable(path, encoding)
    if fmt.delimiter == " " and names and not names[-1]:
        names.pop()
    if not names:
        raise data_error(path, "the file has no header row; expected the columns' names in it")
    base.check_unique(path, [name.strip() for name in names])
    return names, records


def _first_row(path: str, fmt: FileFormat, records: Records) -> str | None:
    """The header; a line that names the delimiter may precede it."""
    header = records.header()
    text = None if header is None else header.decode()
    named = SEPARATOR_LINE.fullmatch(text or "")
    if named is None:
        return text
    if named[1] != fmt.delimiter:
        raise data_error(
            path,
            f"its first line names {named[1]!r} as the delimiter (sep=), the study file "
            f"{fmt.delimiter!r}; correct `delimiter` in the study file",
        )
    header = records.header()
    return None if header is None else header.decode()


def _split(lines: Sequence[str], fmt: FileFormat) -> Iterator[list[str]]:
    return csv.reader(
        lines, delimiter=fmt.delimiter, skipinitialspace=fmt.delimiter == " ", strict=False
    )


def _all_rows(
    path: str, chunk: Chunk, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Passes batches on and compares their number of rows with the records of the chunk."""
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        yield batch
    if rows != chunk.rows:
        raise data_error(
            path,
            f"found {rows} rows, expected {chunk.rows} as there are records, from line "
            f"{chunk.first_line} of the file; look for quotes and line ends that are not those of "
            "delimited text",
            row=chunk.first_row + 1,
        )


def _parse_folded(
    path: str, fmt: FileFormat, chunk: Chunk, names: Sequence[str], wanted: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Parses a table in which a run of blanks separates two fields."""
    positions = [names.index(name) for name in wanted]
    text = io.StringIO(chunk.data.decode(), newline="")
    try:
        rows = [row for row in _split(text, fmt) if any(row)]  # type: ignore[arg-type]
    except csv.Error as error:
        raise data_error(
            path,
            "a field is longer than any text; look for a quote that is not closed",
            row=chunk.first_row + 1,
        ) from error
    for number, row in enumerate(rows, chunk.first_row):
        if len(row) == len(names) + 1 and not row[-1]:
            row.pop()
        if len(row) != len(names):
            raise _wrong_length(path, chunk, number, len(names), len(row))
    arrays = [pa.array([row[i] for row in rows], pa.string()) for i in positions]
    yield base.record_batch(arrays, wanted, len(rows))


def _parse(
    path: str, fmt: FileFormat, chunk: Chunk, names: Sequence[str], wanted: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Parses whole records with Arrow's parser."""
    # Without a column there would be nothing to count rows by.
    included = list(dict.fromkeys(wanted)) or [names[0]]
    wrong_rows: list[Any] = []

    def note(row: Any) -> str:
        wrong_rows.append(row)
        return "error"

    def parsed(note: Callable[[Any], str] | None = None) -> pa.Table:
        # One block holds all: Arrow loses the line feed of a line end that lies in two blocks.
        return pa_csv.read_csv(
            pa.BufferReader(chunk.data),
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=len(chunk.data) + 1, column_names=list(names)
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=fmt.delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=included,
                strings_can_be_null=False,
            ),
        )

    try:
        table = parsed()
    except pa.ArrowInvalid:
        # Arrow's message quotes the row; for one that is no text it prints an error of `note`.
        if not _decodes(chunk.data):
            raise _locate_undecodable(path, fmt) from None
        with contextlib.suppress(pa.ArrowInvalid):
            parsed(note)
        for row in wrong_rows:
            number = chunk.first_row + row.number - 1
            fields = row.expected_columns, row.actual_columns
            raise _wrong_length(path, chunk, number, *fields) from None
        raise data_error(
            path,
            "the rows can not be parsed as delimited text; look for quotes and delimiters",
            row=chunk.first_row + 1,
        ) from None
    yield from table.to_batches()


def _wrong_length(
    path: str, chunk: Chunk, row: int, expected: int, found: int
) -> base.DataFileError:
    """Builds the error for a record, `row` from 0, with more or fewer fields than the header."""
    return data_error(
        path,
        f"found {found} fields, expected {expected} as in the header (line {chunk.line_of(row)} of "
        "the file); correct the row or the delimiter in the study file",
        row=row + 1,
    )


def _locate_undecodable(path: str, fmt: FileFormat) -> base.DataFileError:
    """Looks for the first cell that does not decode.

    UTF-8 is read byte by byte, as if it were Latin-1; of other encodings what does not decode is
    replaced.
    """
    with base.open_file(path) as handle:
        encoding, mark = encoding_of(base.head_of(handle), fmt.encoding)
        bytewise = is_utf_8(encoding)
        if bytewise:
            handle = _behind(handle, mark)
        probe = replace(fmt, encoding="latin-1" if bytewise else encoding)
        names, records = _open(path, probe, handle, errors="replace")
        parse = _parse_folded if fmt.delimiter == " " else _parse
        for chunk in records.chunks(len(names)):
            row = chunk.first_row
            for batch in parse(path, probe, chunk, names, names):
                for cells in zip(*(a.to_pylist() for a in batch.columns), strict=True):
                    row += 1
                    for name, cell in zip(names, cells, strict=True):
                        data = cell.encode("latin-1") if bytewise else b""
                        if "\N{REPLACEMENT CHARACTER}" in cell or not _decodes(data):
                            return base.undecodable(
                                path, encoding, row=row, column=name.strip(), cell=data
                            )
    return base.undecodable(path, encoding)


def _behind(handle: BinaryIO, mark: int) -> BinaryIO:
    handle.seek(mark)
    return io.BytesIO(handle.read())


def _decodes(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
