"""The rules that hold for text of every format."""

from __future__ import annotations

import json
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
_CODES_FOUND = b"codes_found"


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
    missing = [code for code in map(str.strip, fmt.missing) if code and fmt.format == "csv"]
    found: set[str] = set()
    arrays = [
        _without(missing, _cleaned(path, fmt, first_row, name, array), found)
        if pa.types.is_string(array.type)
        else array
        for name, array in zip(names, batch.columns, strict=True)
    ]
    records = base.record_batch(arrays, names, batch.num_rows)
    if not found:
        return records
    return records.replace_schema_metadata({_CODES_FOUND: json.dumps(sorted(found))})


def codes_found(batch: pa.RecordBatch) -> tuple[str, ...]:
    """Codes of a missing value, of all columns of a file, that some record of a batch had.

    Args:
        batch: Records from `cleaned`.
    """
    noted = (batch.schema.metadata or {}).get(_CODES_FOUND)
    return tuple(json.loads(noted)) if noted else ()


def _cleaned(
    path: str,
    fmt: FileFormat,
    first_row: int,
    column: str,
    texts: pa.Array,
) -> pa.Array:
    content = _content(texts)
    if fmt.format == "parquet" and len(content) and content.max() > _LARGEST_ASCII:
        _check_utf_8(path, first_row, column, texts)
    if len(content) and not content.min():
        _refuse_nul(path, first_row, column, texts)
    return trimmed(texts)


def _without(missing: Sequence[str], texts: pa.Array, found: set[str]) -> pa.Array:
    """Texts with null for codes of a missing value; adds the codes to those that were found."""
    if not missing:
        return texts
    code = pc.index_in(texts, value_set=pa.array(missing, pa.string()))
    if code.null_count == len(code):
        return texts
    found.update(missing[number] for number in pc.unique(code.drop_null()).to_pylist())
    return pc.if_else(pc.is_valid(code), pa.scalar(None, pa.string()), texts)


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
