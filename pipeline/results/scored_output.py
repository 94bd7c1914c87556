"""Writes predictions to one file that only its owner can read."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.names import SUBJECT_HASH
from pipeline.results.scored_file import FLAGS, INPUTS, read_parts

SUFFIXES = (".parquet", ".csv")
SUBJECT = "subject"
_BETWEEN_FLAGS = ";"


def check_output(path: Path) -> None:
    """Checks that predictions can be written to a file.

    Raises:
        UserError: It is no Parquet or CSV file by its name, or its folder does not exist.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"--out {path}: expected a file that ends with .parquet or .csv.")
    if not path.parent.is_dir():
        raise UserError(f"--out {path}: the folder {path.parent} does not exist. Make it first.")


def write_scored(folder: str, path: Path, subjects: Mapping[str, str] | None = None) -> None:
    """Writes all predictions, in the order of their parts; an existing file is replaced.

    Args:
        folder: Folder of the artifact `ScoredSubjects`.
        path: The file; its suffix decides the format. In a CSV file flags stand behind each other,
            with `;` between them.
        subjects: Original key of each subject by pseudonym, which becomes the first column;
            None leaves the pseudonyms alone.

    Raises:
        OSError: The file can't be written.
    """
    with _private(path) as file:
        writer = None
        for part in read_parts(folder):
            if INPUTS in part.schema.names:
                part = part.drop([INPUTS])
            table = part if subjects is None else _named(part, subjects)
            if path.suffix == ".csv":
                table = _flat(table)
            if writer is None:
                made = pa.csv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
                writer = made(file, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()


@contextmanager
def _private(path: Path) -> Iterator[Any]:
    """A file that appears whole, and that only its owner can read."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _named(part: pa.Table, subjects: Mapping[str, str]) -> pa.Table:
    names = [subjects[pseudonym] for pseudonym in part[SUBJECT_HASH].to_pylist()]
    return part.add_column(0, SUBJECT, pa.array(names, pa.string()))


def _flat(table: pa.Table) -> pa.Table:
    flags = pc.binary_join(table[FLAGS].combine_chunks(), _BETWEEN_FLAGS)
    return table.set_column(table.schema.get_field_index(FLAGS), FLAGS, flags)
