"""Takes the snapshot of a study's database: one private Parquet file a dataset.

A snapshot's folder is named after its content, so that a database without changes gives the folder
that a previous run's stages read, and their results come from the cache. Its marker is written
last: a folder without one is no snapshot.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.reading.database.columns import UnreadableError, as_type, batch_column, common_type
from pipeline.reading.database.transaction import Place, Row, Transaction, place_of, read_only
from pipeline.reading.files import snapshot_file
from pipeline.storage import copy_folder, files_below, is_remote, read, remove_folder, write_private
from pipeline.study.study import Study

logger = logging.getLogger(__name__)

BATCH_ROWS = 20_000
"""Rows that are in memory at once."""

_MARKER = "snapshot.json"
_DRAFT = ".draft-"
_SECONDS_OF_A_DRAFT = 86_400
_LETTERS_OF_NAME = 20


@dataclass(frozen=True)
class _Columns:
    """The columns of a query.

    Attributes:
        names: Their names, in order.
        batches: Arrow types of each batch, by column.
        unreadable: The first row, from 1, of each column with a value that no column can hold,
            and what was found.
    """

    names: list[str]
    batches: list[pa.Schema] = field(default_factory=list)
    unreadable: dict[str, tuple[int, str]] = field(default_factory=dict)

    def schema(self) -> pa.Schema:
        """The types of the whole columns that can be read."""
        return pa.schema(
            (name, common_type(batch.field(name).type for batch in self.batches))
            for name in self.names
            if name not in self.unreadable
        )


def take_snapshot(study: Study, data_root: str, folder: str, batch_rows: int = BATCH_ROWS) -> str:
    """Reads all datasets of the format `sql` in one transaction, and removes older snapshots.

    Args:
        study: The study.
        data_root: Folder of the data, which a SQLite file's path is relative to; may be empty.
        folder: Folder of the study's snapshots: a local path, or an address of an object store,
            whose policy decides who reads it. On a local path only the owner does.
        batch_rows: Rows that are in memory at once.

    Returns:
        Folder of the snapshot; empty if the study reads no database.

    Raises:
        UserError: The database does not answer, refuses a query, or holds in a column that the
            study uses what can't be read.
    """
    if study.database is None:
        return ""
    with _draft_folder(folder) as draft:
        rows: dict[str, int] = {}
        with read_only(study.database, data_root) as transaction:
            for name in study.sql_datasets:
                rows[name] = _read_dataset(transaction, study, name, draft, batch_rows)
        target = f"{folder.rstrip('/')}/{_digest_of(draft)}"
        if read(f"{target}/{_MARKER}") is None:
            _put(draft, target)
    for name, count in rows.items():
        logger.info("%s: %d rows read", place_of(name, study.datasets[name]).key, count)
    marker = {"taken": datetime.now(UTC).isoformat(), "rows": rows}
    write_private(f"{target}/{_MARKER}", json.dumps(marker, indent=1).encode())
    _remove_older(folder, study.database.keep_snapshots, target)
    return target


def _read_dataset(
    transaction: Transaction, study: Study, name: str, draft: Path, batch_rows: int
) -> int:
    """Writes the file of a dataset; returns its number of rows."""
    dataset = study.datasets[name]
    place = place_of(name, dataset)
    statement = transaction.statement(place, dataset)
    spilled = draft / f"{name}.batches"
    columns, rows = None, 0
    with os.fdopen(_private_file(spilled), "wb") as stream:
        for names, found in transaction.batches(place, statement, batch_rows):
            if columns is None:
                columns = _Columns(names)
                _check_names(place, names)
            batch = _batch(columns, found, rows)
            with pa.ipc.new_stream(stream, batch.schema) as writer:
                writer.write_batch(batch)
            rows += len(found)
    if columns is None:
        raise place.error("the statement answers no table; expected a SELECT")
    _check_used(place, study, name, columns)
    _write_parquet(place, columns, spilled, draft / snapshot_file(name))
    spilled.unlink()
    return rows


def _check_names(place: Place, names: list[str]) -> None:
    for column in names:
        if names.count(column) > 1:
            raise place.error("the name occurs twice; name each column once", column=column)


def _batch(columns: _Columns, found: list[Row], first: int) -> pa.RecordBatch:
    """A batch with a type of each column, which is noted; unreadable columns are empty."""
    arrays = []
    for number, name in enumerate(columns.names):
        try:
            array = batch_column([row[number] for row in found])
        except UnreadableError as error:
            columns.unreadable.setdefault(name, (first + error.row + 1, error.found))
            array = pa.nulls(len(found))
        arrays.append(array)
    batch = pa.RecordBatch.from_arrays(arrays, names=columns.names)
    columns.batches.append(batch.schema)
    return batch


def _check_used(place: Place, study: Study, name: str, columns: _Columns) -> None:
    """Refuses unreadable columns that the study uses; others are left out."""
    used = {use.column for use in study.references() if use.dataset == name}
    for column, (row, found) in columns.unreadable.items():
        if column in used:
            raise place.error(
                f"found {found}, expected text, a number, a date, a time or true and false; "
                "convert the column in a query",
                rows=(row, row),
                column=column,
            )
        logger.info("%s: column %s is left out: it holds %s", place.key, column, found)


def _write_parquet(place: Place, columns: _Columns, spilled: Path, target: Path) -> None:
    schema = columns.schema()
    first = 0
    with (
        os.fdopen(_private_file(target), "wb") as stream,
        pq.ParquetWriter(stream, schema) as writer,
        spilled.open("rb") as batches,
    ):
        for _ in columns.batches:
            with pa.ipc.open_stream(batches) as reader:
                batch = reader.read_next_batch()
                # The end of the stream is read too, so that the next one follows.
                for _rest in reader:
                    raise AssertionError("a stream has one batch")
            arrays = []
            for column in schema:
                try:
                    values = batch.column(batch.schema.get_field_index(column.name))
                    arrays.append(as_type(values, column.type))
                except UnreadableError as error:
                    row = first + error.row + 1
                    raise place.error(
                        f"found {error.found}; convert the column in a query",
                        rows=(row, row),
                        column=column.name,
                    ) from None
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            first += batch.num_rows


def _private_file(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


@contextlib.contextmanager
def _draft_folder(folder: str) -> Iterator[Path]:
    """An empty folder that only its owner reads, removed at the end unless it was moved."""
    if is_remote(folder):
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary)
        return
    parent = Path(folder)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        parent.chmod(0o700)
    except OSError as error:
        raise UserError(
            f"{folder}: the folder of snapshots can't be created: {error.strerror}"
        ) from error
    _remove_abandoned(parent)
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=parent))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Removes what runs left that were killed while they took a snapshot."""
    for draft in parent.glob(f"{_DRAFT}*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _SECONDS_OF_A_DRAFT:
                shutil.rmtree(draft)


def _digest_of(draft: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(draft.iterdir()):
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:_LETTERS_OF_NAME]


def _put(draft: Path, target: str) -> None:
    if is_remote(target):
        copy_folder(str(draft), target)
        return
    # Without its marker it is what a killed run left, or another run is about to write it.
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


def _remove_older(folder: str, keep: int, current: str) -> None:
    """Removes all but the newest snapshots of the folder, and never the current one."""
    root = folder.rstrip("/")
    taken: list[tuple[str, str]] = []
    for file in files_below(root):
        name, _, rest = file.partition("/")
        if rest == _MARKER and (content := read(f"{root}/{file}")):
            taken.append((json.loads(content)["taken"], f"{root}/{name}"))
    others = [path for _, path in sorted(taken, reverse=True) if path != current]
    for path in others[keep - 1 :]:
        logger.info("%s: this older snapshot of the database is removed", path)
        remove_folder(path)
