"""The contents of outputs, unpacked: what a search for bytes must see."""

from __future__ import annotations

import gzip
import io
import re
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.outputs.output import FOLDERS, Disclosure, Output, Within, matches
from pipeline.outputs.register import REGISTER, folders, outputs_of, written

_GZIP, _ZIP, _PARQUET, _SQLITE = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"SQLite format 3\0"


Content = tuple[Output, bytes]
"""Something that an output holds."""


def files_of(root: Path) -> Iterator[Content]:
    """What the files below a root hold that are in the register."""
    for output, path in written(root):
        for content in contents(path):
            yield output, content


def holders(
    found: Iterable[Content], pattern: re.Pattern[bytes], *may: Disclosure
) -> set[tuple[str, str]]:
    """Name of each output that holds a text and may not, with the text.

    Args:
        found: What outputs hold.
        pattern: The text.
        may: Outputs of these kinds may hold it.
    """
    return {
        (output.name, text.decode(errors="replace"))
        for output, content in found
        if output.disclosure not in may
        for text in pattern.findall(content)
    }


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


def produced(root: Path, registry: Path | None = None) -> set[tuple[Within, str]]:
    """Places of the register of which a root has a file."""
    return {
        (output.within, place)
        for within, folder in folders(root, registry).items()
        for path in folder.rglob("*")
        for output in outputs_of(within, path.relative_to(folder).as_posix())
        for place in output.places
        if path.is_file() and matches(place, path.relative_to(folder).as_posix())
    }


def places_of_files() -> set[tuple[Within, str]]:
    """Places of the register that are files of runs and registries."""
    return {
        (output.within, place)
        for output in REGISTER
        if output.within in FOLDERS
        for place in output.places
    }


TUNED_OUT_OF_FOLD = {
    (Within.ROOT, "data/<trial>/**"),
    *(
        (Within.ROOT, f"<study>/artifacts/{place}")
        for place in (
            "CrossFit/predictions/<number>/final_fit.json",
            "CrossFit/predictions/<number>/tuning.json",
            "Tuner/best_hyperparameters/<number>/*",
            "Tuner/tuner_results/<number>/*",
        )
    ),
}
"""Places of a tuned run of the synthetic trial out of fold, which other runs do not have."""
