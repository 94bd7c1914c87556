"""What every file reader shares: its vocabulary, its errors, the opening of files."""

import codecs
import contextlib
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.study.encodings import is_text_encoding
from pipeline.study.sections.types import Format

ColumnType = Literal["text", "number", "date", "datetime"]

StoredType = Literal["text", "number", "date", "datetime", "boolean", "empty", "unreadable"]
"""How a file holds a column: as a `ColumnType`, as true or false, without any value, or in a way
that no tabular trial data has, such as lists or bytes."""

READ_AS: dict[StoredType, ColumnType] = {
    "text": "text",
    "number": "number",
    "date": "date",
    "datetime": "datetime",
    "boolean": "text",
    "empty": "text",
}
"""What a column is read as by how it is stored; no "unreadable" one is read."""

ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "number": pa.float64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("s"),
}

SAS7BDAT = b"\x00" * 12 + b"\xc2\xea\x81\x60"
"""The first bytes of a SAS data set."""

_HEAD_BYTES = 32
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LISTED_COLUMNS = 12
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"PK\x03\x04", "a zip archive (an Excel workbook is one)"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook with a password, or of before 2007 (.xls)"),
    (b"PAR1", "a Parquet file"),
    (b"HEADER RECORD*******LIB", "a SAS transport file"),
    (b"**COMPRESSED** **COMP", "a SAS CPORT file"),
    (SAS7BDAT, "a SAS data set (sas7bdat)"),
    (b"$FL2", "an SPSS file"),
    (b"$FL3", "an SPSS file"),
    (b"ENCRYPTEDSAV", "an encrypted SPSS file"),
    (b"<stata_dta>", "a Stata file"),
    (b"%PDF", "a PDF document"),
    (b"<?xml", "an XML document"),
    (b'{"', "JSON text"),
    (b"{ ", "JSON text"),
    (b"{\n", "JSON text"),
    (b"{\r", "JSON text"),
)


class DataFileError(UserError):
    """A data file that is absent, damaged or not what the study file says it is."""


@dataclass(frozen=True)
class FileFormat:
    """How the bytes of a data file are to be understood.

    Attributes:
        format: The kind of file.
        encoding: Character encoding of text, a name that Python knows, of XPT, CSV and the files of
            statistical programs; empty: what such a file itself names.
        delimiter: The one character between the fields of a CSV file; a blank stands for a
            run of blanks.
        missing: The texts that mean a missing value in a CSV file.
        zone: Where the days of moments with an offset are counted, an IANA name; None: where the
            file says that they were written.
        decimal: The decimal point of numbers in a CSV file.
        sheet: The sheet of an Excel workbook; None: the only visible one.
    """

    format: Format
    encoding: str = "utf-8"
    delimiter: str = ","
    missing: tuple[str, ...] = ("",)
    zone: str | None = None
    decimal: str = "."
    sheet: str | None = None


@dataclass(frozen=True)
class ColumnLabels:
    """What a file says of a column for people.

    Attributes:
        label: What the column means; empty if the file does not say.
        levels: Its labelled values (value, label).
    """

    label: str = ""
    levels: tuple[tuple[str | float, str], ...] = ()


@dataclass(frozen=True)
class Extent:
    """A range of records of one file, the unit of parallel reading.

    Attributes:
        path: The file, a local path or a URI that Beam's file systems know.
        first_row: 0-based number of the first record.
        rows: Number of records; None reads to the end of the file.
    """

    path: str
    first_row: int = 0
    rows: int | None = None

    @property
    def end(self) -> float:
        """0-based number of the first record behind the extent, infinity if it is open."""
        return float("inf") if self.rows is None else self.first_row + self.rows


def data_error(
    path: str, problem: str, *, row: int | None = None, column: str | None = None
) -> DataFileError:
    """Words an error so that the place comes first.

    Args:
        path: The data file.
        problem: What was found, what was expected and what to do; no value of a patient.
        row: 1-based number of the data record, if the error is in one.
        column: The column's name, if the error is in one.

    Returns:
        The error, ready to be raised; one line, whatever a damaged file calls its columns.
    """
    place = [path]
    if row is not None:
        place.append(f"row {row}")
    if column is not None:
        place.append(f"column {column}")
    return DataFileError(_CONTROL.sub(_escaped, f"{', '.join(place)}: {problem}"))


def _escaped(control: re.Match[str]) -> str:
    return control[0].encode("unicode_escape").decode()


def undecodable(
    path: str,
    encoding: str,
    *,
    row: int | None = None,
    column: str | None = None,
    cell: bytes = b"",
) -> DataFileError:
    """Words the error for bytes that the encoding can not decode.

    Args:
        path: The data file.
        encoding: The file's encoding.
        row: 1-based number of the data record, if known.
        column: The column's name, if known.
        cell: The value's bytes, if known; they are not shown.

    Returns:
        The error, ready to be raised.
    """
    if _is_cut(cell, encoding):
        return data_error(
            path,
            f"found bytes that are not {encoding}: the text seems to be cut within its last "
            "character, since its width was counted in characters where it is one of bytes; write "
            "the file again with a wider column. Where other texts are wrong too, declare the "
            "file's encoding in the study file (encoding: windows-1252 is often right)",
            row=row,
            column=column,
        )
    other = "utf-8" if codecs.lookup(encoding).name == "cp1252" else "windows-1252"
    return data_error(
        path,
        f"found bytes that are not {encoding}; declare the file's encoding in the study file "
        f"(encoding: {other} is often right)",
        row=row,
        column=column,
    )


def _is_cut(cell: bytes, encoding: str) -> bool:
    """Whether a value's bytes end within a character."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    decoder.decode(cell)
    return bool(decoder.getstate()[0])


def check_encoding(path: str, fmt: FileFormat) -> None:
    """Refuses an encoding that Python does not know as a text encoding.

    Args:
        path: The data file, for the message.
        fmt: The format whose encoding is checked.

    Raises:
        DataFileError: The name is unknown.
    """
    if not is_text_encoding(fmt.encoding):
        raise data_error(
            path,
            f"'{fmt.encoding}' is not a known text encoding; use a name such as utf-8, "
            "windows-1252 or latin-1",
        )


@contextlib.contextmanager
def open_file(path: str) -> Iterator[BinaryIO]:
    """Opens a data file through Beam, at its first byte and as it is stored.

    Args:
        path: A local path or a URI that Beam's file systems know.

    Yields:
        A seekable handle on the bytes.

    Raises:
        DataFileError: The file is absent, unreadable or empty.
    """
    # Importing Beam takes seconds, which users of the vocabulary alone need not wait for.
    from apache_beam.io.filesystem import BeamIOError, CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    try:
        handle = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except FileNotFoundError as error:
        raise data_error(path, "there is no such file; check the dataset's path") from error
    except (OSError, BeamIOError, ValueError) as error:
        raise data_error(
            path, f"the file can not be opened ({type(error).__name__}); check path and rights"
        ) from error
    with handle:
        if not head_of(handle):
            raise data_error(path, "the file is empty; expected data with a header")
        yield handle


def head_of(handle: BinaryIO) -> bytes:
    """Reads the first bytes of a file and returns to its start.

    Args:
        handle: A seekable handle.

    Returns:
        At most 32 bytes.
    """
    handle.seek(0)
    head = handle.read(_HEAD_BYTES)
    handle.seek(0)
    return head


def kind_of(head: bytes) -> str | None:
    """Recognises common kinds of files by their first bytes.

    Args:
        head: The first bytes of a file.

    Returns:
        The kind in words, None if it is none of the known ones.
    """
    return next((kind for start, kind in _SIGNATURES if head.startswith(start)), None)


def not_a(path: str, expected: str, head: bytes) -> DataFileError:
    """Words the error for a file that is not of its declared format.

    Args:
        path: The data file.
        expected: The declared format in words.
        head: The file's first bytes.

    Returns:
        The error, ready to be raised.
    """
    kind = kind_of(head) or "something else"
    return data_error(
        path,
        f"found {kind}, expected {expected}; correct the dataset's format or its path in the "
        "study file",
    )


def check_columns(path: str, available: Iterable[str], requested: Sequence[str]) -> None:
    """Refuses requested columns that a file does not have.

    Args:
        path: The data file, for the message.
        available: Its columns.
        requested: The columns that are to be read.

    Raises:
        DataFileError: A column is missing; the message lists near matches.
    """
    names = list(available)
    for column in requested:
        if column not in names:
            by_upper = {name.upper(): name for name in names}
            near = [by_upper[n] for n in difflib.get_close_matches(column.upper(), by_upper)]
            hint = f"did you mean {' or '.join(near)}?" if near else _listing(names)
            raise data_error(path, f"there is no column {column}; {hint}")


def _listing(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED_COLUMNS} more" if len(names) > _LISTED_COLUMNS else ""
    return f"the file has {', '.join(names[:_LISTED_COLUMNS])}{more}"


def check_unique(path: str, names: Sequence[str]) -> None:
    """Refuses a file in which two columns have one name.

    Args:
        path: The data file, for the message.
        names: Its columns.

    Raises:
        DataFileError: A name occurs twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise data_error(path, f"column {name} occurs twice; names must be unique")
        seen.add(name)


def clip(
    batches: Iterable[pa.RecordBatch], extent: Extent, batch_rows: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Cuts a file's consecutive batches down to an extent.

    Args:
        batches: The batches of the whole file, in order.
        extent: The records that are wanted.
        batch_rows: Largest number of records of a batch.

    Yields:
        The 0-based number of a batch's first record, and the batch.
    """
    start = 0
    for batch in batches:
        low = max(extent.first_row - start, 0)
        high = int(min(batch.num_rows, extent.end - start))
        for first in range(low, high, batch_rows):
            yield start + first, batch.slice(first, min(batch_rows, high - first))
        start += batch.num_rows
        if start >= extent.end:
            return


def record_batch(arrays: Sequence[pa.Array], names: Sequence[str], rows: int) -> pa.RecordBatch:
    """Builds a batch that has its number of rows even without any column.

    Args:
        arrays: One array of length `rows` per name.
        names: The columns' names.
        rows: Number of records.

    Returns:
        The batch.
    """
    if arrays:
        return pa.RecordBatch.from_arrays(list(arrays), names=list(names))
    empty = pa.StructArray.from_buffers(pa.struct([]), rows, [None])
    return pa.RecordBatch.from_struct_array(empty)


def masked(values: NDArray[Any], missing: NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    """Turns numbers with a mask into an Arrow array.

    Args:
        values: Numbers of any dtype that casts to `kind`, shape (n,).
        missing: bool, shape (n,); True where the value is missing.
        kind: The Arrow type of the result.

    Returns:
        An array of length n with null where `missing` holds.
    """
    return pa.array(values, mask=missing).cast(kind)
