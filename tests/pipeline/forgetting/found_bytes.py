"""An attacker's search: whether some bytes are anywhere in files, compressed ones included."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq


def files_with(folder: Path, *needles: bytes) -> list[str]:
    """Files below a folder whose name or content has one of some texts.

    Parquet is read as a table, gzip decompressed, and SQLite dumped as SQL.
    """
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and any(needle in content for needle in needles for content in _contents(path))
    ]


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield str(path).encode()
    yield content
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    if content[:4] == b"PAR1":
        yield repr(pq.read_table(io.BytesIO(content)).to_pylist()).encode()
    if content[:6] == b"SQLite":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            yield "\n".join(connection.iterdump()).encode()
    if path.suffix == ".json":
        yield json.dumps(json.loads(content)).encode()
