"""Readers of the files that clinical trial data comes in, as streams of Arrow batches.

XPT (SAS transport, version 5 and 8), CDISC Dataset-JSON 1.1 in its three encodings, delimited
text, Parquet, the files of SAS (sas7bdat), Stata and SPSS, and Excel sheets are read through Beam's
file systems. Text becomes pa.string(), numbers pa.float64(), dates pa.date32(), times
pa.timestamp("s") of the local clock; the format's missing values are null. A batch of a column is
returned as pa.string() where a text can't be converted to the column's type, so that the caller can
reject single rows, and where float64 would lose digits of a number, which may be a key. Text has no
outer blanks, and blanks alone are null (`texts.cleaned`).
"""

from collections.abc import Iterator, Sequence
from types import ModuleType

import pyarrow as pa

from pipeline.reading.formats import (
    dataset_json,
    delimited,
    excel,
    parquet,
    statistical,
    texts,
    xpt,
)
from pipeline.reading.formats.base import (
    READ_AS,
    ColumnLabels,
    ColumnType,
    DataFileError,
    Extent,
    FileFormat,
    StoredType,
    data_error,
)

__all__ = [
    "ColumnLabels",
    "ColumnType",
    "DataFileError",
    "Extent",
    "FileFormat",
    "StoredType",
    "column_types",
    "extents",
    "labels",
    "read",
    "stored_types",
]

_READERS: dict[str, ModuleType] = {
    "xpt": xpt,
    "dataset-json": dataset_json,
    "csv": delimited,
    "parquet": parquet,
    "sas7bdat": statistical,
    "stata": statistical,
    "spss": statistical,
    "excel": excel,
}
_LABELLED = (xpt, dataset_json, statistical)
"""Readers of formats whose files say what their columns mean."""


def zone_of(path: str, fmt: FileFormat, column: str) -> str | None:
    """The zone of a column's moments that the file itself names.

    Args:
        path: The data file.
        fmt: How it is written.
        column: The column; it may be missing.

    Returns:
        The zone; None where the file names none. Only Parquet does so for a whole column.
    """
    return parquet.zone_of(path, column) if fmt.format == "parquet" else None


def stored_types(path: str, fmt: FileFormat) -> dict[str, StoredType]:
    """Reads from a file's header how it holds its columns.

    Args:
        path: The data file.
        fmt: How its bytes are to be understood.

    Returns:
        How each column is stored, in file order; every CSV column is "text".

    Raises:
        DataFileError: The file is absent, damaged or not of its declared format.
    """
    types: dict[str, StoredType] = _reader(path, fmt).column_types(path, fmt)
    return types


def labels(path: str, fmt: FileFormat) -> dict[str, ColumnLabels]:
    """What a file says of its columns for people.

    Args:
        path: The data file.
        fmt: How its bytes are to be understood.

    Returns:
        The labels of each column, in file order; nothing where its format has none.

    Raises:
        DataFileError: The file is absent, damaged or not of its declared format.
    """
    reader = _reader(path, fmt)
    if reader not in _LABELLED:
        return {}
    found: dict[str, ColumnLabels] = reader.labels(path, fmt)
    return found


def column_types(path: str, fmt: FileFormat) -> dict[str, ColumnType]:
    """Reads from a file's header what its columns are read as; see `stored_types`.

    Returns:
        The type of each column that can be read, in file order.
    """
    stored = stored_types(path, fmt)
    return {name: READ_AS[type_] for name, type_ in stored.items() if type_ in READ_AS}


def extents(path: str, fmt: FileFormat, rows_per_extent: int = 500_000) -> list[Extent]:
    """Divides a file into ranges of records that can be read independently.

    Args:
        path: The data file.
        fmt: How its bytes are to be understood.
        rows_per_extent: Largest number of records of an XPT extent; consecutive Parquet row
            groups are joined up to it. A file of another format is always one extent.

    Returns:
        At least one extent; together they hold every record once, in order.

    Raises:
        DataFileError: The file is absent, damaged or not of its declared format.
        ValueError: `rows_per_extent` is not positive.
    """
    if rows_per_extent < 1:
        raise ValueError("rows_per_extent must be positive")
    parts: list[Extent] = _reader(path, fmt).extents(path, fmt, rows_per_extent)
    return parts


def read(
    extent: Extent, fmt: FileFormat, columns: Sequence[str], batch_rows: int = 20_000
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Reads the records of an extent.

    Args:
        extent: The file and the range of its records.
        fmt: How the file's bytes are to be understood.
        columns: The columns that are wanted.
        batch_rows: Largest number of records of a batch.

    Yields:
        The 0-based number in the file of a batch's first record, and the batch with exactly
        `columns`, in that order.

    Raises:
        DataFileError: The file is absent, damaged or not of its declared format, it lacks one of
            the columns, a text holds the character NUL, or not all records were found.
        ValueError: `batch_rows` is not positive.
    """
    if batch_rows < 1:
        raise ValueError("batch_rows must be positive")
    path, rows = extent.path, 0
    for first, batch in _reader(path, fmt).read(extent, fmt, columns, batch_rows):
        rows += batch.num_rows
        yield first, texts.cleaned(path, fmt, first, batch)
    if extent.rows is not None and rows != extent.rows:
        raise data_error(
            path,
            f"found {rows} records from number {extent.first_row + 1} on, expected {extent.rows}; "
            "the file was changed while it was read, or is damaged: get it again",
        )


def _reader(path: str, fmt: FileFormat) -> ModuleType:
    if fmt.format not in _READERS:
        raise data_error(
            path, f"format '{fmt.format}' is unknown; expected one of {', '.join(_READERS)}"
        )
    return _READERS[fmt.format]
