"""The content of files, unpacked: what a search for bytes must see."""

from __future__ import annotations

import gzip
import io
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq

_GZIP, _ZIP, _PARQUET, _SQLITE = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"SQLite format 3\0"


def contents(path: Path) -> Iterator[bytes]:
    """A file's bytes, and those of all that is packed in it.

    Opened are gzip (TFRecord is not packed beyond it), zip, Parquet with its metadata, and SQLite,
    whose pages may hold a row in parts.
    """
    content = path.read_bytes()
    yield content
    if content.startswith(_SQLITE):
        yield from _rows(path)
    else:
        yield from _unpacked(content)


def _unpacked(content: bytes) -> Iterator[bytes]:
    if content.startswith(_GZIP):
        inside = gzip.decompress(content)
        yield inside
        yield from _unpacked(inside)
    elif content.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                inside = packed.read(name)
                yield name.encode() + b"\n" + inside
                yield from _unpacked(inside)
    elif content.startswith(_PARQUET):
        yield from _columns(content)


def _columns(content: bytes) -> Iterator[bytes]:
    file = pq.ParquetFile(io.BytesIO(content))
    yield repr((file.schema_arrow, file.schema_arrow.metadata)).encode()
    for batch in file.iter_batches():
        for column in batch.columns:
            values = column.to_pylist()
            yield b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in values)


def _rows(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        store.text_factory = bytes
        tables = store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in tables:
            for row in store.execute(f'SELECT * FROM "{name.decode()}"'):
                yield b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
