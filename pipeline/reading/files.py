"""The files of a study's datasets, and their format."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pipeline.errors import UserError
from pipeline.patterns import matching, newest_change
from pipeline.reading.formats import FileFormat
from pipeline.study.sections import Dataset
from pipeline.study.sections.types import SELF_DESCRIBED


def find_files(data_root: str, pattern: str) -> tuple[tuple[str, int], ...]:
    """Files that a pattern matches: (path, size in bytes), sorted by path."""
    return tuple((found.path, found.size) for found in matching(data_root, pattern))


def files_of_dataset(
    data_root: str, name: str, dataset: Dataset, snapshot: str = ""
) -> tuple[tuple[str, int], ...]:
    """Files of a dataset: (path, size in bytes), sorted by path.

    Args:
        data_root: Folder that its pattern is relative to.
        name: Its name.
        dataset: What the study file says of it.
        snapshot: Folder of the snapshot of the database, for one of the format `sql`.

    Raises:
        UserError: There is none.
    """
    if dataset.is_sql:
        return _snapshot_of_dataset(name, snapshot)
    files = find_files(data_root, dataset.file)
    if not files:
        raise UserError(
            f"Dataset {name}: no file {dataset.file} in {data_root}. Check the data folder and "
            f"`datasets.{name}.file` of the study file."
        )
    return files


def snapshot_file(name: str) -> str:
    """Name of a dataset's file in a snapshot of the database."""
    return f"{name}.parquet"


def _snapshot_of_dataset(name: str, snapshot: str) -> tuple[tuple[str, int], ...]:
    files = find_files(snapshot, snapshot_file(name)) if snapshot else ()
    if not files:
        raise UserError(
            f"Dataset {name}: the snapshot of the database has no file of it"
            f"{f' ({snapshot})' if snapshot else ''}; it may have been removed since the run was "
            "created (`database.keep_snapshots`). Create the run again: it takes a new one."
        )
    return files


def data_modified(files: Iterable[str], data_root: str) -> datetime | None:
    """When the newest of a study's files was changed, in UTC; None where none is there.

    Args:
        files: Patterns of the files, as the study file names them.
        data_root: Folder that they are relative to.
    """
    return newest_change(data_root, files)


def file_format(dataset: Dataset) -> FileFormat:
    """How a dataset's files are read, as the study file describes it."""
    default = "" if dataset.format in SELF_DESCRIBED else "utf-8"
    return FileFormat(
        format="parquet" if dataset.is_sql else dataset.format,
        encoding=dataset.encoding or default,
        delimiter=dataset.delimiter,
        missing=dataset.missing,
        zone=dataset.zone,
        decimal=dataset.decimal,
        sheet=dataset.sheet,
    )
