"""The rules that hold for text of every format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.reading.formats import base
from pipeline.reading.formats.base import FileFormat, data_error
from pipeline.reading.text import trimmed

_LARGEST_ASCII = 127


def cleaned(path: str, fmt: FileFormat, first_row: int, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Trims the text of a batch, and makes missing what its format calls missing.

    Args:
        path: The data file.
        fmt: Its format.
        first_row: 0-based number of the batch's first record.
        batch: The records.

    Returns:
        The records; columns that are no text are as they were.

    Raises:
        DataFileError: A text holds a NUL character, or bytes that are no UTF-8.
    """
    names = batch.schema.names
    if not names:
        return batch
    missing = [code for code in map(str.strip, fmt.missing) if code]
    arrays = [
        _cleaned(path, fmt, first_row, name, array, missing)
        if pa.types.is_string(array.type)
        else array
        for name, array in zip(names, batch.columns, strict=True)
    ]
    return base.record_batch(arrays, names, batch.num_rows)


def _cleaned(
    path: str,
    fmt: FileFormat,
    first_row: int,
    column: str,
    texts: pa.Array,
    missing: Sequence[str],
) -> pa.Array:
    content = _content(texts)
    if fmt.format == "parquet" and len(content) and content.max() > _LARGEST_ASCII:
        _check_utf_8(path, first_row, column, texts)
    if len(content) and not content.min():
        _refuse_nul(path, first_row, column, texts)
    clean = trimmed(texts)
    if not missing or fmt.format != "csv":
        return clean
    is_missing = pc.is_in(clean, value_set=pa.array(missing, pa.string()))
    return pc.if_else(is_missing, pa.scalar(None, pa.string()), clean)


def _refuse_nul(path: str, first_row: int, column: str, texts: pa.Array) -> None:
    """Refuses the character NUL: no database stores it, and no text means anything by it."""
    for row, text in enumerate(texts.to_pylist(), first_row + 1):
        if text and "\0" in text:
            raise data_error(
                path,
                "found the character NUL in a text; remove it from the file",
                row=row,
                column=column,
            )


def _check_utf_8(path: str, first_row: int, column: str, texts: pa.Array) -> None:
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        for row, cell in enumerate(texts.cast(pa.binary()).to_pylist(), first_row + 1):
            try:
                (cell or b"").decode()
            except UnicodeDecodeError:
                raise base.undecodable(path, "utf-8", row=row, column=column, cell=cell) from None
        raise


def _content(texts: pa.Array) -> NDArray[Any]:
    """The bytes of all texts, shape [bytes]."""
    _, offsets, content = texts.buffers()
    if offsets is None or content is None or not len(texts):
        return np.zeros(0, np.uint8)
    places = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(content, np.uint8)[places[0] : places[-1]]
