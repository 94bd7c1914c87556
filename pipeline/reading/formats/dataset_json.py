"""CDISC Dataset-JSON 1.1: one JSON document, newline-delimited JSON, and its compressed form.

The rules are those of CDISC's Dataset-JSON v1.1 specification. Which encoding a file has is
recognised by its content, never by its name.
"""

import codecs
import contextlib
import io
import json
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from operator import itemgetter
from typing import Any, BinaryIO, Literal, cast

import ijson
import orjson
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.reading.exact_numbers import LARGEST_WHOLE, keeps_digits, number_texts
from pipeline.reading.formats import base
from pipeline.reading.formats.base import (
    ColumnLabels,
    ColumnType,
    Extent,
    FileFormat,
    StoredType,
    data_error,
)

_CHUNK = 1 << 20
_HEADER_CHUNK = 1 << 14
_EXPECTED = "Dataset-JSON 1.1"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATETIME = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?", re.ASCII)
_LONG_INTEGER = b"0" * 19
_DIGITS_ALIKE = bytes(
    ord("0") if chr(byte).isdecimal() and byte < 128 else byte for byte in range(256)
)
_SHORT = 15
"""No number that is written in so few characters loses a digit as float64."""
_NUMBERS = frozenset({"integer", "float", "double", "decimal"})


class _Column(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1)
    data_type: Literal[
        "string",
        "integer",
        "float",
        "double",
        "decimal",
        "boolean",
        "date",
        "datetime",
        "time",
        "URI",
    ] = Field(alias="dataType")
    target: str | None = Field(None, alias="targetDataType")
    label: Any = ""

    @property
    def kind(self) -> ColumnType:
        if self.data_type in _NUMBERS:
            return "number"
        if self.data_type in ("date", "datetime") and self.target == "integer":
            return cast(ColumnType, self.data_type)
        # An ISO 8601 text of SDTM may be partial, so it stays text.
        return "text"


class _Metadata(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: str = Field(alias="datasetJSONVersion", pattern=r"^1\.1(\.|$)")
    columns: tuple[_Column, ...]
    records: int | None = Field(None, ge=0)


@dataclass(frozen=True)
class _Header:
    metadata: _Metadata
    newline_delimited: bool


def column_types(path: str, fmt: FileFormat) -> dict[str, StoredType]:  # noqa: ARG001
    """Reads the columns from the metadata in front of the rows.

    Args:
        path: The Dataset-JSON file, in any of its encodings.
        fmt: Not needed: Dataset-JSON is UTF-8.

    Returns:
        How each column is stored, in file order. Dates and datetimes are "text" unless their
        `targetDataType` is integer, since SDTM's may be partial.

    Raises:
        DataFileError: The file is no Dataset-JSON 1.1, or it is cut.
    """
    columns = _header(path).metadata.columns
    return {c.name: "boolean" if c.data_type == "boolean" else c.kind for c in columns}


def labels(path: str, fmt: FileFormat) -> dict[str, ColumnLabels]:  # noqa: ARG001
    """Reads what the columns mean.

    Args:
        path: The file.
        fmt: Not used.

    Returns:
        The label of each column, in file order.

    Raises:
        DataFileError: The file is no Dataset-JSON 1.1.
    """
    columns = _header(path).metadata.columns
    return {c.name: ColumnLabels(c.label if isinstance(c.label, str) else "") for c in columns}


def extents(path: str, fmt: FileFormat, rows_per_extent: int) -> list[Extent]:  # noqa: ARG001
    """Makes one extent: JSON can only be read from its start.

    Args:
        path: The Dataset-JSON file, in any of its encodings.
        fmt: Not needed: Dataset-JSON is UTF-8.
        rows_per_extent: Without effect.

    Returns:
        The whole file.

    Raises:
        DataFileError: The file is no Dataset-JSON 1.1, or it is cut.
    """
    _header(path)
    return [Extent(path)]


def read(
    extent: Extent,
    fmt: FileFormat,  # noqa: ARG001
    columns: Sequence[str],
    batch_rows: int,
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Reads rows as a stream.

    Args:
        extent: The file and the range of its rows.
        fmt: Not needed: Dataset-JSON is UTF-8.
        columns: The columns that are wanted.
        batch_rows: Largest number of rows of a batch.

    Yields:
        The 0-based number of a batch's first row, and the batch. A column of numbers, dates or
        datetimes is pa.string() in a batch in which a text does not parse.

    Raises:
        DataFileError: The file is no Dataset-JSON 1.1, is cut, lacks a column, or has a row of
            a wrong length.
    """
    path = extent.path
    header = _header(path)
    metadata = header.metadata
    by_name = {column.name: (i, column) for i, column in enumerate(metadata.columns)}
    base.check_columns(path, by_name, columns)
    wanted = [by_name[name] for name in columns]
    with _content(path) as stream:
        rows = (_lines if header.newline_delimited else _document)(path, stream)
        batches = _batches(path, rows, len(metadata.columns), wanted, batch_rows)
        yield from base.clip(_complete(path, batches, metadata), extent, batch_rows)


def _batches(
    path: str,
    rows: Iterator[Any],
    width: int,
    wanted: Sequence[tuple[int, _Column]],
    batch_rows: int,
) -> Iterator[pa.RecordBatch]:
    first = 0
    while block := list(islice(rows, batch_rows)):
        for number, row in enumerate(block, first + 1):
            if not isinstance(row, list):
                raise data_error(path, "found no array, expected an array a row", row=number)
            if len(row) != width:
                raise data_error(
                    path,
                    f"found {len(row)} values, expected {width} as there are columns; write the "
                    "file again",
                    row=number,
                )
        arrays = [
            _convert(path, list(map(itemgetter(i), block)), column, first) for i, column in wanted
        ]
        yield base.record_batch(arrays, [column.name for _, column in wanted], len(block))
        first += len(block)


def _complete(
    path: str, batches: Iterator[pa.RecordBatch], metadata: _Metadata
) -> Iterator[pa.RecordBatch]:
    """Passes batches on and compares their number of rows with the metadata at the end."""
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        yield batch
    declared = metadata.records if metadata.records is not None else _late_records(path)
    if declared is None:
        raise data_error(path, "the metadata lacks 'records', the number of rows; write it again")
    if rows != declared:
        raise data_error(
            path,
            f"found {rows} rows, expected {declared} as the metadata's 'records' says; the file "
            "is cut or was changed, get it again",
        )


def _late_records(path: str) -> int | None:
    """Looks for the number of records behind the rows, where JSON allows it too."""
    with _content(path) as stream, _json_errors(path, "its rows"):
        found = next(iter(ijson.items(stream, "records", buf_size=_CHUNK)), None)
    return found if isinstance(found, int) else None


@contextlib.contextmanager
def _content(path: str) -> Iterator[BinaryIO]:
    """Opens the JSON text, decompressed if it is gzip or zlib."""
    with base.open_file(path) as handle:
        head = base.head_of(handle)
        if _is_compressed(head):
            yield cast(BinaryIO, io.BufferedReader(_Inflated(path, handle), _CHUNK))
        elif head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
            handle.seek(len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)
            yield handle
        else:
            raise base.not_a(path, _EXPECTED, head)


def _is_compressed(head: bytes) -> bool:
    # RFC 1952 and RFC 1950: gzip's magic number; zlib's method 8 and check bits.
    return head[:2] == b"\x1f\x8b" or (
        len(head) > 1 and head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
    )


class _Inflated(io.RawIOBase):
    """The decompressed bytes of a gzip or zlib stream, which may consist of several members."""

    def __init__(self, path: str, handle: BinaryIO) -> None:
        super().__init__()
        self._path = path
        self._handle = handle
        self._member = zlib.decompressobj(wbits=47)
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills `buffer`, an object of writable bytes; returns how many, 0 at the end."""
        try:
            data = self._inflate(len(buffer))
        except zlib.error as error:
            raise data_error(
                self._path, "the compressed data is damaged; copy the file again"
            ) from error
        buffer[: len(data)] = data
        return len(data)

    def _inflate(self, size: int) -> bytes:
        while True:
            fresh = self._pending or self._handle.read(_CHUNK)
            if self._member.eof:
                if not fresh.strip(b"\0"):
                    return b""
                self._member = zlib.decompressobj(wbits=47)
            elif not fresh:
                raise data_error(
                    self._path, "the compressed data ends too early: the file is cut; copy it again"
                )
            data = self._member.decompress(fresh, size)
            self._pending = self._member.unused_data or self._member.unconsumed_tail
            if data:
                return data


@contextlib.contextmanager
def _json_errors(path: str, place: str) -> Iterator[None]:
    """Turns the parser's errors, which quote the text, into ones that do not."""
    try:
        yield
    except (ijson.JSONError, UnicodeDecodeError) as error:
        if isinstance(error, UnicodeDecodeError) or "UTF8" in str(error):
            what = "bytes that are not UTF-8"
        elif "premature EOF" in str(error):
            what = "the end of the file too early, so it is cut"
        else:
            what = "text that is not valid JSON"
        raise data_error(path, f"found {what}, in {place}; get or write the file again") from None


def _header(path: str) -> _Header:
    with _content(path) as stream, _json_errors(path, "its metadata"):
        found, newline_delimited = _top_level(path, stream)
    if "columns" not in found and not newline_delimited:
        raise data_error(
            path,
            "'columns' does not stand before 'rows'; write the file with its metadata first",
        )
    try:
        metadata = _Metadata.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise data_error(
            path, f"found metadata that is not {_EXPECTED} at '{key}' ({first['type']})"
        ) from None
    base.check_unique(path, [column.name for column in metadata.columns])
    return _Header(metadata, newline_delimited)


def _top_level(path: str, stream: BinaryIO) -> tuple[dict[str, Any], bool]:
    """Returns the metadata in front of the rows, and whether it is an object of its own."""
    found: dict[str, Any] = {}
    events = ijson.parse(stream, buf_size=_HEADER_CHUNK, multiple_values=True, use_float=True)
    key = ""
    builder: Any = None
    for prefix, event, value in events:
        if prefix == "" and event == "end_map":
            return found, True
        if prefix == "" and event == "map_key":
            if value == "rows":
                return found, False
            key, builder = value, ijson.ObjectBuilder()
            found[key] = builder
        elif builder is not None:
            builder.event(event, value)
            found[key] = builder.value if hasattr(builder, "value") else None
    raise data_error(path, "the JSON is cut in its metadata; get the file again")


def _document(path: str, stream: BinaryIO) -> Iterator[Any]:
    rows = 0
    with _json_errors(path, "its rows"):
        try:
            for row in ijson.items(stream, "rows.item", buf_size=_CHUNK, use_float=True):
                rows += 1
                yield row
            return
        except ijson.JSONError as error:
            if "overflow" not in str(error):
                raise
    # JSON limits no number, but the fast parser does: the rest is read with all digits.
    with _content(path) as again, _json_errors(path, "its rows"):
        exact = ijson.items(again, "rows.item", buf_size=_CHUNK, use_float=False)
        yield from islice(exact, rows, None)


def _lines(path: str, stream: BinaryIO) -> Iterator[Any]:
    stream.readline()
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            # Beyond 64 bits orjson rounds.
            is_long = _LONG_INTEGER in line.translate(_DIGITS_ALIKE)
            yield _loads_exactly(line) if is_long else orjson.loads(line)
        except ValueError:
            yield _loads_slowly(path, line, number)


def _loads_exactly(line: bytes) -> Any:
    return json.loads(line.decode(), parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"JSON has no {name}")


def _loads_slowly(path: str, line: bytes, number: int) -> Any:
    """Parses a line with a number beyond float64; an invalid line is reported with its error."""
    try:
        return _loads_exactly(line)
    except ValueError:
        what = "is not valid JSON in UTF-8" if line.endswith(b"\n") else "is cut"
        raise data_error(
            path, f"the line {what}; get or write the file again", row=number
        ) from None


def _convert(path: str, values: list[Any], column: _Column, first: int) -> pa.Array:
    types = set(map(type, values))
    if not types <= {str, int, float, bool, Decimal, type(None)}:
        row = next(i for i, v in enumerate(values) if isinstance(v, list | dict))
        raise data_error(
            path,
            "found an array or object, expected one value; write the file again",
            row=first + row + 1,
            column=column.name,
        )
    if column.kind == "number":
        return _numbers(values, types)
    texts = _texts(values, types)
    if column.kind == "date":
        return _parsed(texts, _to_date, pa.date32())
    if column.kind == "datetime":
        return _parsed(texts, _to_datetime, pa.timestamp("s"))
    return pa.array(texts, pa.string())


def _texts(values: Iterable[Any], types: set[type]) -> list[str | None]:
    if types <= {str, type(None)}:
        return [value or None for value in values]
    return [_text(value) for value in values]


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or value == "" else str(value)


def _numbers(values: list[Any], types: set[type]) -> pa.Array:
    if types <= {float, type(None)}:
        return pa.array(values, pa.float64())
    texts = [_text(v) if isinstance(v, str | bool) else v for v in values]
    numbers = _parsed(texts, _to_number, pa.float64())
    if pa.types.is_floating(numbers.type) and not all(map(keeps_digits, _doubtful(texts))):
        return number_texts([v.strip() if isinstance(v, str) else v for v in texts])
    return numbers


def _doubtful(numbers: list[Any]) -> Iterator[Any]:
    """Those of which float64 may lose a digit; no float, which is one already."""
    for number in numbers:
        if isinstance(number, str):
            if len(number) > _SHORT:
                yield number.strip()
        elif isinstance(number, Decimal) or (
            isinstance(number, int) and abs(number) > LARGEST_WHOLE
        ):
            yield number


def _parsed(values: list[Any], parse: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
    """Parses all values that are not None, or hands on the texts of all if one does not parse."""
    try:
        return pa.array([None if v is None else parse(v) for v in values], kind)
    except (ValueError, OverflowError):
        return pa.array([_text(v) for v in values], pa.string())


def _to_number(value: Any) -> float:
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise ValueError("no number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("beyond the range of float64")
    return number


def _to_date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError("no complete ISO 8601 date")
    return date.fromisoformat(text)


def _to_datetime(text: str) -> datetime:
    match = _DATETIME.fullmatch(text)
    if match is None:
        raise ValueError("no complete ISO 8601 date and time without a zone")
    return datetime.fromisoformat(match[1])
