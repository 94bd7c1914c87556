"""Files without the rows of some subjects: tables of Parquet and examples of TensorFlow."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.names import SUBJECT_HASH
from pipeline.runs.forgotten import Forgotten

_LENGTH = 8
_CHECKSUM = 4
"""Bytes of a record's length and of each of its two checksums
(https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details)."""


def rewrite(path: str, content: bytes, forgotten: Forgotten) -> tuple[bytes, int]:
    """Removes the rows of subjects from a file.

    Args:
        path: Its path: `.parquet` is a table, `.gz` holds examples.
        content: What it holds.
        forgotten: The subjects.

    Returns:
        Its new content, and how many rows were removed; without any, the content as it was.

    Raises:
        UserError: It is damaged.
    """
    try:
        return (_examples if path.endswith(".gz") else _table)(content, forgotten)
    # What is raised for damage differs by its place and by the release of pyarrow.
    except (pa.ArrowException, OSError, EOFError, zlib.error, ValueError) as error:
        raise UserError(
            f"{path}: the file can't be read: it is damaged, so that it is not known whether it "
            "holds a subject who is to be forgotten. Remove it, and run the command again."
        ) from error


def _table(content: bytes, forgotten: Forgotten) -> tuple[bytes, int]:
    table = pq.read_table(io.BytesIO(content))
    if SUBJECT_HASH not in table.column_names:
        return content, 0
    kept = [not _is_forgotten(name, forgotten) for name in table[SUBJECT_HASH].to_pylist()]
    removed = len(kept) - sum(kept)
    if not removed:
        return content, 0
    sink = io.BytesIO()
    pq.write_table(table.filter(pa.array(kept, pa.bool_())), sink)
    return sink.getvalue(), removed


def _is_forgotten(name: str | bytes | None, forgotten: Forgotten) -> bool:
    if name is None:
        return False
    return forgotten.has(name if isinstance(name, bytes) else name.encode())


def _examples(content: bytes, forgotten: Forgotten) -> tuple[bytes, int]:
    kept, removed = [], 0
    for record in _records(gzip.decompress(content)):
        if forgotten.is_named_in(record):
            removed += 1
        else:
            kept.append(record)
    return (gzip.compress(b"".join(kept), mtime=0), removed) if removed else (content, 0)


def _records(content: bytes) -> Iterator[bytes]:
    """Whole records, with length and checksums: what stays is copied as it is."""
    place = 0
    while place < len(content):
        length = int.from_bytes(content[place : place + _LENGTH], "little")
        end = place + _LENGTH + _CHECKSUM + length + _CHECKSUM
        if end > len(content):
            raise ValueError("the last record is not whole")
        yield content[place:end]
        place = end
