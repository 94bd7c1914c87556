"""Files of statistical programs: SAS data sets (sas7bdat), Stata (dta), SPSS (sav, zsav).

ReadStat, which reads them in a process of its own, goes through a file record by record. A file is
therefore one extent, read in requests of bounded size. Codes of labelled values stay codes; values
that the file declares missing (SPSS) and tagged ones (.A to .Z, ._, Stata's .a to .z) are missing.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from pipeline.reading.exact_numbers import exact_numbers
from pipeline.reading.formats import base
from pipeline.reading.formats.base import (
    ColumnLabels,
    Extent,
    FileFormat,
    StoredType,
    data_error,
)
from pipeline.reading.formats.child_process import local_path
from pipeline.reading.formats.counted_dates import (
    Count,
    dates_of,
    sas_count,
    spss_count,
    stata_count,
    stata_type,
)
from pipeline.reading.formats.readstat import (
    Header,
    Variable,
    read_header,
    read_rows,
)

logger = logging.getLogger(__name__)

_VALUES_PER_REQUEST = 2_000_000
_FEWEST_ROWS = 10_000
_EXPECTED = {
    "sas7bdat": "a SAS data set (sas7bdat)",
    "stata": "a Stata file",
    "spss": "an SPSS file",
}
_COUNTS: dict[str, Callable[[str], Count | None]] = {
    "sas7bdat": sas_count,
    "spss": spss_count,
    "stata": stata_count,
}


def column_types(path: str, fmt: FileFormat) -> dict[str, StoredType]:
    """Reads the variables from the file's header.

    Args:
        path: The file.
        fmt: Its format and encoding.

    Returns:
        How each column is stored, in file order; dates by their display format.

    Raises:
        DataFileError: The file is not of its format, or it is damaged.
    """
    with _opened(path, fmt) as (_, header):
        return {variable.name: _type(fmt, variable) for variable in header.variables}


def labels(path: str, fmt: FileFormat) -> dict[str, ColumnLabels]:
    """Reads what the file says of its columns for people.

    Args:
        path: The file.
        fmt: Its format and encoding.

    Returns:
        The labels of each column, in file order.

    Raises:
        DataFileError: The file is not of its format, or it is damaged.
    """
    with _opened(path, fmt) as (_, header):
        return {v.name: ColumnLabels(v.label, v.levels) for v in header.variables}


def extents(path: str, fmt: FileFormat, rows_per_extent: int) -> list[Extent]:  # noqa: ARG001
    """Makes one extent: the records of such a file are found one after the other.

    Args:
        path: The file.
        fmt: Its format and encoding.
        rows_per_extent: Not used.

    Returns:
        The file.

    Raises:
        DataFileError: The file is not of its format, or it is damaged.
    """
    with _opened(path, fmt) as (_, header):
        return [Extent(path, 0, header.rows)]


def read(
    extent: Extent, fmt: FileFormat, columns: Sequence[str], batch_rows: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Reads records.

    Args:
        extent: The file and the range of its records.
        fmt: Its format and encoding.
        columns: The columns that are wanted.
        batch_rows: Largest number of records of a batch.

    Yields:
        The 0-based number of a batch's first record, and the batch.

    Raises:
        DataFileError: The file is not of its format, is damaged or cut, lacks a column, or has
            text that its encoding can not decode.
    """
    path = extent.path
    with _opened(path, fmt) as (local, header):
        base.check_columns(path, (v.name for v in header.variables), columns)
        wanted = [header.variable(name) for name in columns]
        for variable in wanted:
            if _type(fmt, variable) == "unreadable":
                raise data_error(
                    path,
                    f"found days of a business calendar ({variable.display}), which another file "
                    "defines; write the column as a date (%td)",
                    column=variable.name,
                )
        # Without a column nothing would be read, nor counted.
        names = list(columns) or [variable.name for variable in header.variables[:1]]
        missing: Counter[tuple[str, str]] = Counter()
        if not names:
            return
        for first, rows in _chunks(extent, local, fmt, names, header, missing):
            arrays = [_convert(path, fmt, rows.column(v.name), v, first) for v in wanted]
            whole = base.record_batch(arrays, columns, rows.num_rows)
            for start in range(0, whole.num_rows, batch_rows):
                yield first + start, whole.slice(start, batch_rows)
        _tell_missing(path, columns, missing)


@contextlib.contextmanager
def _opened(path: str, fmt: FileFormat) -> Iterator[tuple[str, Header]]:
    """Yields a local path of the file, and its header."""
    with base.open_file(path) as handle:
        head = base.head_of(handle)
        if not _is_of(fmt, head):
            raise base.not_a(path, _EXPECTED[fmt.format], head)
        with local_path(path, handle) as local:
            header = read_header(path, local, fmt)
            base.check_unique(path, [variable.name for variable in header.variables])
            yield local, header


def _is_of(fmt: FileFormat, head: bytes) -> bool:
    if fmt.format == "spss":
        return head.startswith((b"$FL2", b"$FL3"))
    if fmt.format == "stata":
        # Before version 13 a file begins with its version, 102 to 115, and its byte order.
        is_old = len(head) > 1 and 102 <= head[0] <= 115 and head[1] in (1, 2)
        return is_old or head.startswith(b"<stata_dta>")
    return head.startswith(base.SAS7BDAT)


def _type(fmt: FileFormat, variable: Variable) -> StoredType:
    if variable.is_text:
        return "text"
    if fmt.format == "stata":
        return stata_type(variable.display)
    count = _COUNTS[fmt.format](variable.display)
    return count.kind if count else "number"


def _chunks(
    extent: Extent,
    local: str,
    fmt: FileFormat,
    names: Sequence[str],
    header: Header,
    missing: Counter[tuple[str, str]],
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yields the first record's number and records as they are stored; counts missing codes."""
    if header.rows is None:
        # Only a file that does not say how many records it has is read at once.
        rows, codes = read_rows(extent.path, local, fmt, names, 0, 0)
        missing.update(_flat(codes))
        yield from base.clip([rows], extent, max(rows.num_rows, 1))
        return
    end = int(min(header.rows, extent.end))
    step = max(_FEWEST_ROWS, _VALUES_PER_REQUEST // len(names))
    for first in range(extent.first_row, end, step):
        expected = min(step, end - first)
        rows, codes = read_rows(extent.path, local, fmt, names, first, expected)
        if rows.num_rows != expected:
            raise data_error(extent.path, "the file ends within its records; copy it again")
        missing.update(_flat(codes))
        yield first, rows


def _flat(codes: dict[str, dict[str, int]]) -> dict[tuple[str, str], int]:
    return {(name, code): n for name, found in codes.items() for code, n in found.items()}


def _convert(
    path: str, fmt: FileFormat, values: pa.Array, variable: Variable, first: int
) -> pa.Array:
    if variable.is_text:
        return values
    count = _COUNTS[fmt.format](variable.display)
    if count is None:
        return exact_numbers(values)
    numbers = values.to_numpy(zero_copy_only=False)
    return dates_of(path, numbers, np.isnan(numbers), count, (first, variable.name))


def _tell_missing(path: str, columns: Sequence[str], missing: Counter[tuple[str, str]]) -> None:
    for name in columns:
        found = [f"{code} ({n} rows)" for (of, code), n in sorted(missing.items()) if of == name]
        if found:
            logger.info("%s, column %s: missing by its code: %s", path, name, ", ".join(found))
