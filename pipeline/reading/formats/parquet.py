"""Parquet files, row group by row group."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.reading.exact_numbers import exact_numbers
from pipeline.reading.formats import base
from pipeline.reading.formats.base import (
    Extent,
    FileFormat,
    StoredType,
    data_error,
)
from pipeline.reading.formats.child_process import child_process, local_path
from pipeline.reading.formats.clocks import local_time
from pipeline.storage import is_remote
from pipeline.tfx_release import can_crash_on_parquet, close_pyarrow_hole

close_pyarrow_hole()

_MAGIC = b"PAR1"
_CHILD = Path(__file__).with_name("parquet_child.py")
_FILES_REMEMBERED = 1_000


def column_types(path: str, fmt: FileFormat) -> dict[str, StoredType]:  # noqa: ARG001
    """Reads the columns from the file's footer.

    Args:
        path: The Parquet file.
        fmt: Not needed: the file describes itself.

    Returns:
        How each column is stored, in file order.

    Raises:
        DataFileError: The file is no Parquet, or it is cut.
    """
    with base.open_file(path) as handle:
        return _types(path, _open(path, handle).schema_arrow)


def zone_of(path: str, column: str) -> str | None:
    """The zone of a column's timestamps; None without one.

    Args:
        path: The Parquet file.
        column: The column; it may be missing.
    """
    with base.open_file(path) as handle:
        schema = _open(path, handle).schema_arrow
    if column not in schema.names:
        return None
    kind = schema.field(column).type
    return kind.tz if pa.types.is_timestamp(kind) else None


def extents(path: str, fmt: FileFormat, rows_per_extent: int) -> list[Extent]:  # noqa: ARG001
    """Makes extents of whole row groups.

    Args:
        path: The Parquet file.
        fmt: Not needed: the file describes itself.
        rows_per_extent: Consecutive row groups are joined as long as they stay within it.

    Returns:
        The extents in order; one empty extent if the file has no record.

    Raises:
        DataFileError: The file is no Parquet, or it is cut.
    """
    with base.open_file(path) as handle:
        metadata = _open(path, handle).metadata
    parts: list[Extent] = []
    first = rows = 0
    for group in range(metadata.num_row_groups):
        group_rows = metadata.row_group(group).num_rows
        if rows and rows + group_rows > rows_per_extent:
            parts.append(Extent(path, first, rows))
            first, rows = first + rows, 0
        rows += group_rows
    return [*parts, Extent(path, first, rows)]


def read(
    extent: Extent,
    fmt: FileFormat,
    columns: Sequence[str],
    batch_rows: int,
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Reads the row groups that an extent touches.

    Args:
        extent: The file and the range of its records.
        fmt: Its zone; all else the file describes itself.
        columns: The columns that are wanted; no other is read.
        batch_rows: Largest number of records of a batch.

    Yields:
        The 0-based number of a batch's first record, and the batch.

    Raises:
        DataFileError: The file is no Parquet, is damaged or cut, lacks a column, or holds in one
            what no tabular trial data has, such as lists.
    """
    path = extent.path
    with base.open_file(path) as handle:
        file = _open(path, handle)
        schema = file.schema_arrow
        base.check_columns(path, _types(path, schema), columns)
        for column in columns:
            _check_readable(path, schema.field(column))
        groups, skipped = _groups(file.metadata, extent)
        if not groups:
            return
        _check_in_child(path, tuple(columns))
        shifted = Extent(path, extent.first_row - skipped, extent.rows)
        batches = (
            _converted(path, batch, columns, fmt.zone)
            for batch in _batches(path, file, groups, columns, batch_rows)
        )
        for first, batch in base.clip(batches, shifted, batch_rows):
            yield first + skipped, batch


def _open(path: str, handle: BinaryIO) -> pq.ParquetFile:
    head = base.head_of(handle)
    if not head.startswith(_MAGIC):
        raise base.not_a(path, "a Parquet file", head)
    _check_in_child(path)
    try:
        file = pq.ParquetFile(handle)
        # Arrow decodes names when they are asked for.
        for place in range(file.metadata.num_columns):
            _ = file.schema.column(place).path
        _ = file.schema_arrow.names
        return file
    except UnicodeDecodeError as error:
        raise data_error(
            path, "found a column whose name is not UTF-8; write the file again"
        ) from error
    except (pa.ArrowException, OSError, RuntimeError) as error:
        raise data_error(
            path, "the file has no whole Parquet footer, so it is cut or damaged; copy it again"
        ) from error


def _check_in_child(path: str, columns: tuple[str, ...] = ()) -> None:
    """Reads a file's footer and some columns where a crash does no harm, once for each file.

    Raises:
        DataFileError: Arrow crashed.
    """
    if can_crash_on_parquet():
        state = None if is_remote(path) else Path(path).stat()
        _read_in_child(path, columns, state and (state.st_mtime_ns, state.st_size))


@lru_cache(_FILES_REMEMBERED)
def _read_in_child(
    path: str,
    columns: tuple[str, ...],
    state: tuple[int, int] | None,  # noqa: ARG001
) -> None:
    with base.open_file(path) as handle, local_path(path, handle) as local:
        try:
            child_process(_CHILD).ask({"path": local, "columns": columns})
        except EOFError:
            raise data_error(
                path,
                "the library that reads the file (Arrow) crashed on it, so it is damaged; copy it "
                "again, or write it again",
            ) from None


def _batches(
    path: str, file: pq.ParquetFile, groups: list[int], columns: Sequence[str], batch_rows: int
) -> Iterator[pa.RecordBatch]:
    try:
        if columns:
            for batch in file.iter_batches(batch_rows, row_groups=groups, columns=list(columns)):
                _check_values(batch)
                yield batch
            return
        for group in groups:
            yield base.record_batch([], [], file.metadata.row_group(group).num_rows)
    except (pa.ArrowException, OSError, RuntimeError) as error:
        raise data_error(
            path, "a row group can not be read: it is damaged; copy it again"
        ) from error


def _check_values(batch: pa.RecordBatch) -> None:
    """Checks what Arrow takes from a file unseen, such as places in a dictionary.

    Raises:
        pa.ArrowInvalid: A column is damaged. Texts that are no UTF-8 are found by their reader.
    """
    for column in batch.columns:
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        column.validate(full=not is_text)


def _groups(metadata: pq.FileMetaData, extent: Extent) -> tuple[list[int], int]:
    """Returns the row groups that hold the extent, and the number of records before them."""
    groups: list[int] = []
    start = skipped = 0
    for group in range(metadata.num_row_groups):
        end = start + metadata.row_group(group).num_rows
        if end <= extent.first_row:
            skipped = end
        elif start < extent.end:
            groups.append(group)
        start = end
    return groups, skipped


def _types(path: str, schema: pa.Schema) -> dict[str, StoredType]:
    base.check_unique(path, schema.names)
    return {field.name: _type(field.type) for field in schema}


def _type(kind: pa.DataType) -> StoredType:
    is_ = pa.types
    if is_.is_dictionary(kind):
        return _type(kind.value_type)
    if is_.is_integer(kind) or is_.is_float32(kind) or is_.is_float64(kind) or is_.is_decimal(kind):
        return "number"
    if is_.is_date(kind):
        return "date"
    if is_.is_timestamp(kind):
        return "datetime"
    if is_.is_string(kind) or is_.is_large_string(kind) or is_.is_time(kind):
        return "text"
    if is_.is_boolean(kind):
        return "boolean"
    return "empty" if is_.is_null(kind) else "unreadable"


def _check_readable(path: str, field: pa.Field) -> None:
    if _type(field.type) == "unreadable":
        found = "a nested column" if pa.types.is_nested(field.type) else f"Arrow type {field.type}"
        raise data_error(
            path,
            f"found {found}, expected text, number, date or timestamp; convert the column",
            column=field.name,
        )


def _converted(
    path: str, batch: pa.RecordBatch, columns: Sequence[str], zone: str | None
) -> pa.RecordBatch:
    names = batch.schema.names
    arrays = [_convert(path, c, batch.column(names.index(c)), zone) for c in columns]
    return base.record_batch(arrays, columns, batch.num_rows)


def _convert(path: str, column: str, values: pa.Array, zone: str | None) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = _type(values.type)
    if kind == "datetime":
        return local_time(path, column, values, zone)
    if kind == "date":
        return values.cast(pa.date32(), safe=False)
    if kind == "number":
        return exact_numbers(values)
    texts = values.cast(pa.string(), safe=False)
    if pa.types.is_time(values.type):
        texts = pc.replace_substring_regex(texts, r"\.0+$|(\.\d*[1-9])0+$", r"\1")
    return texts
