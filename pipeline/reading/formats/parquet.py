"""Parquet files, row group by row group."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow_hotfix  # noqa: F401  (closes CVE-2023-47248 on import)

from pipeline.reading.formats import base
from pipeline.reading.formats.base import (
    ColumnType,
    Extent,
    FileFormat,
    data_error,
)

_MAGIC = b"PAR1"


def column_types(path: str, fmt: FileFormat) -> dict[str, ColumnType]:  # noqa: ARG001
    """Reads the columns from the file's footer.

    Args:
        path: The Parquet file.
        fmt: Not needed: the file describes itself.

    Returns:
        Each column's type in file order.

    Raises:
        DataFileError: The file is no Parquet, is cut, or has a column of a type that no
            tabular trial data has, such as a list.
    """
    with base.open_file(path) as handle:
        return _types(path, _open(path, handle).schema_arrow)


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
    fmt: FileFormat,  # noqa: ARG001
    columns: Sequence[str],
    batch_rows: int,
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Reads the row groups that an extent touches.

    Args:
        extent: The file and the range of its records.
        fmt: Not needed: the file describes itself.
        columns: The columns that are wanted; no other is read.
        batch_rows: Largest number of records of a batch.

    Yields:
        The 0-based number of a batch's first record, and the batch.

    Raises:
        DataFileError: The file is no Parquet, is damaged or cut, or lacks a column.
    """
    path = extent.path
    with base.open_file(path) as handle:
        file = _open(path, handle)
        types = _types(path, file.schema_arrow)
        base.check_columns(path, types, columns)
        groups, skipped = _groups(file.metadata, extent)
        if not groups:
            return
        shifted = Extent(path, extent.first_row - skipped, extent.rows)
        batches = (
            _converted(batch, columns, types)
            for batch in _batches(path, file, groups, columns, batch_rows)
        )
        for first, batch in base.clip(batches, shifted, batch_rows):
            yield first + skipped, batch


def _open(path: str, handle: BinaryIO) -> pq.ParquetFile:
    head = base.head_of(handle)
    if not head.startswith(_MAGIC):
        raise base.not_a(path, "a Parquet file", head)
    try:
        return pq.ParquetFile(handle)
    except (pa.ArrowException, OSError, RuntimeError) as error:
        raise data_error(
            path, "the file has no whole Parquet footer, so it is cut or damaged; copy it again"
        ) from error


def _batches(
    path: str, file: pq.ParquetFile, groups: list[int], columns: Sequence[str], batch_rows: int
) -> Iterator[pa.RecordBatch]:
    try:
        if columns:
            yield from file.iter_batches(batch_rows, row_groups=groups, columns=list(columns))
            return
        for group in groups:
            yield base.record_batch([], [], file.metadata.row_group(group).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise data_error(
            path, "a row group can not be read: it is damaged; copy it again"
        ) from error


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


def _types(path: str, schema: pa.Schema) -> dict[str, ColumnType]:
    base.check_unique(path, schema.names)
    return {field.name: _type(path, field) for field in schema}


def _type(path: str, field: pa.Field) -> ColumnType:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    is_ = pa.types
    if is_.is_nested(kind):
        raise data_error(
            path,
            "found a nested column, expected one value a record; write it without the column or "
            "as a table of its own",
            column=field.name,
        )
    if is_.is_integer(kind) or is_.is_float32(kind) or is_.is_float64(kind) or is_.is_decimal(kind):
        return "number"
    if is_.is_date(kind):
        return "date"
    if is_.is_timestamp(kind):
        return "datetime"
    if (
        is_.is_string(kind)
        or is_.is_large_string(kind)
        or is_.is_boolean(kind)
        or is_.is_null(kind)
    ):
        return "text"
    raise data_error(
        path,
        f"found Arrow type {kind}, expected text, number, date or timestamp; convert the column",
        column=field.name,
    )


def _converted(
    batch: pa.RecordBatch, columns: Sequence[str], types: dict[str, ColumnType]
) -> pa.RecordBatch:
    arrays = [_convert(batch.column(batch.schema.names.index(c)), types[c]) for c in columns]
    return base.record_batch(arrays, columns, batch.num_rows)


def _convert(values: pa.Array, kind: ColumnType) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if kind == "datetime":
        values = pc.floor_temporal(values, unit="second")
        # A zoned timestamp becomes its UTC time, which is what Parquet stores.
        return values.cast(pa.timestamp("s", tz=values.type.tz), safe=False).cast(pa.timestamp("s"))
    converted = values.cast(base.ARROW_TYPES[kind], safe=False)
    if kind == "text":
        return base.null_if_empty(converted)
    if kind == "number":
        return pc.if_else(pc.is_nan(converted), pa.scalar(None, pa.float64()), converted)
    return converted
