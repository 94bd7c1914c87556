"""SAS transport files (XPT), version 5 and version 8.

The layouts are those of SAS Institute's TS-140, "The Record Layout of a Data Set in SAS
Transport (XPORT) Format", and its companion for version 8 and 9 data sets.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import SEEK_END
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.reading.formats import base
from pipeline.reading.formats.base import (
    ColumnLabels,
    ColumnType,
    Extent,
    FileFormat,
    StoredType,
    data_error,
)
from pipeline.reading.formats.counted_dates import Count, dates_of, sas_count
from pipeline.reading.formats.ibm_numbers import exact_numbers, ibm_to_ieee

_RECORD = 80
_MEMBER = re.compile(rb"HEADER RECORD\*{7}MEMB(?:ER  |V8  )HEADER RECORD!{7}")
_NUMERIC = 1
_NUMERIC_BYTES = 8
_LABEL_SECTIONS = {"LABELV8": struct.Struct(">HHH"), "LABELV9": struct.Struct(">HHHHH")}


@dataclass(frozen=True)
class _Variable:
    name: str
    kind: ColumnType
    position: int
    length: int
    count: Count | None
    label: bytes


@dataclass(frozen=True)
class _Layout:
    variables: tuple[_Variable, ...]
    record_length: int
    data_start: int
    records: int

    def variable(self, name: str) -> _Variable:
        return next(v for v in self.variables if v.name == name)


@dataclass(frozen=True)
class _Namestr:
    """A variable as the header describes it, before long names and formats are known."""

    numeric: bool
    name: str
    display_format: str
    position: int
    length: int
    label: bytes


def column_types(path: str, fmt: FileFormat) -> dict[str, StoredType]:
    """Reads the variables of the file's only member.

    Args:
        path: The XPT file.
        fmt: Its encoding.

    Returns:
        Each variable's type in file order, dates and datetimes by their display format.

    Raises:
        DataFileError: The file is no XPT, or its header is damaged or cut.
    """
    with base.open_file(path) as handle:
        return {v.name: v.kind for v in _layout(path, fmt, handle).variables}


def labels(path: str, fmt: FileFormat) -> dict[str, ColumnLabels]:
    """Reads what the variables mean.

    Args:
        path: The XPT file.
        fmt: Its encoding; what it can not decode of a label becomes a replacement character.

    Returns:
        The label of each variable, in file order.

    Raises:
        DataFileError: The file is no XPT, or its header is damaged or cut.
    """
    with base.open_file(path) as handle:
        return {
            v.name: ColumnLabels(v.label.decode(fmt.encoding, "replace").strip(" \0"))
            for v in _layout(path, fmt, handle).variables
        }


def extents(path: str, fmt: FileFormat, rows_per_extent: int) -> list[Extent]:
    """Divides the records into ranges of equal size.

    Args:
        path: The XPT file.
        fmt: Its encoding.
        rows_per_extent: Largest number of records of a range.

    Returns:
        The ranges in order; one empty range if the file has no record.

    Raises:
        DataFileError: The file is no XPT, or it is damaged or cut.
    """
    with base.open_file(path) as handle:
        records = _layout(path, fmt, handle).records
    return [
        Extent(path, first, min(rows_per_extent, records - first))
        for first in range(0, records, rows_per_extent)
    ] or [Extent(path, 0, 0)]


def read(
    extent: Extent, fmt: FileFormat, columns: Sequence[str], batch_rows: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Reads a range of records after seeking to it.

    Args:
        extent: The file and the range.
        fmt: Its encoding.
        columns: The variables that are wanted.
        batch_rows: Largest number of records of a batch.

    Yields:
        The 0-based number of a batch's first record, and the batch.

    Raises:
        DataFileError: The file is no XPT, is damaged or cut, holds a second member, lacks a
            variable, or has text that its encoding can not decode.
    """
    path = extent.path
    with base.open_file(path) as handle:
        layout = _layout(path, fmt, handle)
        base.check_columns(path, (v.name for v in layout.variables), columns)
        wanted = [layout.variable(name) for name in columns]
        end = int(min(layout.records, extent.end))
        chunks = _chunks(path, handle, layout, range(extent.first_row, end, batch_rows), end)
        for first, cells in chunks:
            arrays = [_convert(path, fmt, cells, variable, first) for variable in wanted]
            yield first, base.record_batch(arrays, columns, len(cells))


def _chunks(
    path: str, handle: BinaryIO, layout: _Layout, starts: range, end: int
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yields the first record's number and the records as uint8, shape (n, record length)."""
    position = layout.data_start + starts.start * layout.record_length
    # A member header may begin in one chunk and end in the next, or in the extent before.
    overlap_start = max(layout.data_start, position - _RECORD)
    handle.seek(overlap_start)
    overlap = handle.read(position - overlap_start)
    for first in starts:
        size = (min(first + starts.step, end) - first) * layout.record_length
        chunk = handle.read(size)
        if len(chunk) < size:
            raise data_error(path, "the file ends within its records; copy it again", row=first + 1)
        _check_single_member(path, overlap + chunk, position - len(overlap))
        position += size
        overlap = (overlap + chunk)[-_RECORD:]
        yield first, np.frombuffer(chunk, dtype=np.uint8).reshape(-1, layout.record_length)


def _check_single_member(path: str, window: bytes, offset: int) -> None:
    """Refuses a member header at a place where the format allows one."""
    for match in _MEMBER.finditer(window):
        if (offset + match.start()) % _RECORD == 0:
            raise data_error(
                path,
                "the file holds more than one data set (member), expected one; export each data "
                "set to a file of its own",
            )


def _layout(path: str, fmt: FileFormat, handle: BinaryIO) -> _Layout:
    base.check_encoding(path, fmt)
    head = base.head_of(handle)
    if not head.startswith(b"HEADER RECORD*******LIB"):
        raise base.not_a(path, "a SAS transport file (XPT)", head)
    header = _Header(path, fmt, handle)
    namestrs, records = header.parse()
    record_length = sum(n.length for n in namestrs)
    base.check_unique(path, [n.name for n in namestrs])
    if not all(_fits(n, record_length) for n in namestrs):
        raise data_error(path, "the header's variable positions do not fit together; export again")
    data_start = handle.tell()
    size = handle.seek(0, SEEK_END) - data_start
    return _Layout(
        variables=tuple(_variable(n) for n in namestrs),
        record_length=record_length,
        data_start=data_start,
        records=_count(path, handle, data_start, size, namestrs, records),
    )


def _fits(namestr: _Namestr, record_length: int) -> bool:
    if namestr.length < 1 or (namestr.numeric and namestr.length > _NUMERIC_BYTES):
        return False
    return 0 <= namestr.position <= record_length - namestr.length


class _Header:
    """The sections from the library header to the header of the observations."""

    def __init__(self, path: str, fmt: FileFormat, handle: BinaryIO) -> None:
        self._path = path
        self._fmt = fmt
        self._handle = handle

    def parse(self) -> tuple[list[_Namestr], int | None]:
        """Returns the variables, and the number of records if the header states it."""
        self._expect("LIBRARY", "LIBV8")
        self._take(2 * _RECORD)
        member = self._expect("MEMBER", "MEMBV8")
        size = self._number(member[74:78])
        self._expect("DSCRPTR", "DSCPTV8")
        self._take(2 * _RECORD)
        variables = self._expect("NAMESTR", "NAMSTV8")
        count = self._number(variables[52:58])
        block = self._take(_padded(count * size))
        has_long_names = _section(variables) == "NAMSTV8"
        namestrs = [
            self._namestr(block[i * size : (i + 1) * size], has_long_names) for i in range(count)
        ]
        record = self._expect("OBS", "OBSV8", *_LABEL_SECTIONS)
        while (section := _section(record)) in _LABEL_SECTIONS:
            # haven writes further counts behind it (tidyverse/haven 784).
            labels, *_ = record[48:80].split() or [b""]
            self._labels(_LABEL_SECTIONS[section], self._number(labels), namestrs)
            record = self._expect("OBS", "OBSV8", *_LABEL_SECTIONS)
        declared = record[48:63].strip()
        if section == "OBS" or declared in (b"", b"0" * 15):
            return namestrs, None
        return namestrs, self._number(declared)

    def _take(self, size: int) -> bytes:
        taken = self._handle.read(size)
        if len(taken) < size:
            raise data_error(self._path, "the file ends within its header; copy it again")
        return taken

    def _expect(self, *sections: str) -> bytes:
        record = self._take(_RECORD)
        if _section(record) not in sections:
            raise data_error(
                self._path,
                f"the header is damaged: no {' or '.join(sections)} record where one belongs; "
                "export the data set again as XPT version 5 or 8",
            )
        return record

    def _number(self, field: bytes) -> int:
        try:
            return int(field)
        except ValueError as error:
            raise data_error(
                self._path, "the header is damaged: a count is no number; export it again"
            ) from error

    def _text(self, field: bytes) -> str:
        try:
            return field.decode(self._fmt.encoding).strip(" \0")
        except UnicodeDecodeError as error:
            raise base.undecodable(self._path, self._fmt.encoding) from error

    def _namestr(self, block: bytes, has_long_name: bool) -> _Namestr:
        if len(block) < 88:
            raise data_error(self._path, "the header's variable records are too short")
        kind, _, length = struct.unpack_from(">hhH", block)
        (position,) = struct.unpack_from(">i", block, 84)
        return _Namestr(
            numeric=kind == _NUMERIC,
            # Version 5 leaves these bytes unused, and they may hold anything (TS-140).
            name=(has_long_name and self._text(block[88:120])) or self._text(block[8:16]),
            display_format=self._text(block[56:64]),
            position=position,
            length=length,
            label=block[16:56],
        )

    def _labels(self, entry: struct.Struct, count: int, namestrs: list[_Namestr]) -> None:
        """Takes long names and labels, and version 9's long formats, into `namestrs`."""
        taken = 0
        for _ in range(count):
            number, *lengths = entry.unpack(self._take(entry.size))
            fields = [self._take(length) for length in lengths]
            taken += entry.size + sum(lengths)
            if not 1 <= number <= len(namestrs):
                raise data_error(self._path, "the header labels a variable that is not there")
            old = namestrs[number - 1]
            display = self._text(fields[2]) if len(fields) > 2 else ""
            namestrs[number - 1] = _Namestr(
                numeric=old.numeric,
                name=self._text(fields[0]) or old.name,
                display_format=display or old.display_format,
                position=old.position,
                length=old.length,
                label=fields[1] or old.label,
            )
        self._take(_padded(taken) - taken)


def _section(record: bytes) -> str:
    if not record.startswith(b"HEADER RECORD*******"):
        return ""
    return record[20:28].decode("latin-1").strip()


def _padded(size: int) -> int:
    return -(-size // _RECORD) * _RECORD


def _variable(namestr: _Namestr) -> _Variable:
    count = sas_count(namestr.display_format) if namestr.numeric else None
    kind: ColumnType = "number" if namestr.numeric else "text"
    place = namestr.position, namestr.length
    return _Variable(namestr.name, count.kind if count else kind, *place, count, namestr.label)


def _count(
    path: str,
    handle: BinaryIO,
    start: int,
    size: int,
    variables: list[_Namestr],
    declared: int | None,
) -> int:
    """Finds the number of records that `size` bytes of data from `start` on hold.

    Blanks fill the last 80-byte record. Version 5 does not say how many records there are, so
    blanks that could be a record or the filling are taken for the filling. So are NULs, which some
    writers fill with, if a record has text: its text would be blanks.
    """
    length = sum(variable.length for variable in variables)
    if length == 0:
        return 0
    if size % _RECORD:
        raise _cut(path, size // length)
    if declared is not None:
        _check_declared(path, handle, start, size, length, declared)
        return declared
    handle.seek(start + max(0, size - _RECORD + 1))
    tail = handle.read()
    has_text = not all(variable.numeric for variable in variables)
    filler = b"\0" if has_text and tail.endswith(b"\0") else b" "
    blanks = len(tail) - len(tail.rstrip(filler))
    # The records end where a whole number of them leaves only blanks, fewer than 80.
    records = -(-(size - blanks) // length)
    if records * length > size:
        handle.seek(start)
        while block := handle.read(_RECORD):
            _check_single_member(path, block, 0)
        raise _cut(path, size // length)
    return records


def _check_declared(
    path: str, handle: BinaryIO, start: int, size: int, length: int, declared: int
) -> None:
    expected = _padded(declared * length)
    if expected > size:
        raise _cut(path, size // length, declared)
    handle.seek(start + expected)
    behind = handle.read(_RECORD)
    _check_single_member(path, behind, 0)
    if behind:
        raise data_error(
            path,
            f"data follows the {declared} records that the header declares; export it again",
        )


def _cut(path: str, whole: int, declared: int | None = None) -> base.DataFileError:
    of = f" of {declared}" if declared is not None else ""
    return data_error(
        path,
        f"the file is cut: its data does not end with a whole record (it holds {whole}{of} whole "
        "records); copy or export it again",
    )


def _convert(
    path: str, fmt: FileFormat, cells: NDArray[Any], variable: _Variable, first: int
) -> pa.Array:
    """Converts one variable of records given as uint8, shape (n, record length)."""
    field = cells[:, variable.position : variable.position + variable.length]
    if variable.kind == "text":
        return _texts(path, fmt, field, variable.name, first)
    values, missing = ibm_to_ieee(field)
    if variable.count is None:
        return exact_numbers(field, values, missing)
    return dates_of(path, values, missing, variable.count, (first, variable.name))


def _texts(path: str, fmt: FileFormat, field: NDArray[Any], column: str, first: int) -> pa.Array:
    """Decodes fixed-width text, uint8 of shape (n, width), without its trailing blanks."""
    rows, width = field.shape
    filled = (field != 0x20) & (field != 0)
    lengths = np.where(filled.any(axis=1), width - filled[:, ::-1].argmax(axis=1), 0)
    kept = field[np.arange(width) < lengths[:, None]]
    offsets = np.zeros(rows + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    if (kept.size and kept.max() >= 0x80) or not _keeps_ascii(fmt.encoding):
        return _decoded(path, fmt, kept.tobytes(), offsets, column, first)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(kept.tobytes()))


def _keeps_ascii(encoding: str) -> bool:
    ascii_bytes = bytes(range(128))
    try:
        return ascii_bytes.decode(encoding) == ascii_bytes.decode("ascii")
    except UnicodeDecodeError:
        return False


def _decoded(
    path: str, fmt: FileFormat, data: bytes, offsets: NDArray[Any], column: str, first: int
) -> pa.Array:
    texts: list[str | None] = []
    for row, (start, end) in enumerate(pairwise(offsets)):
        try:
            texts.append(data[start:end].decode(fmt.encoding) or None)
        except UnicodeDecodeError as error:
            raise base.undecodable(
                path,
                fmt.encoding,
                row=first + row + 1,
                column=column,
                cell=data[start:end],
            ) from error
    return pa.array(texts, pa.string())
