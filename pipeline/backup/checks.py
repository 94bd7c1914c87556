"""What is checked before a restore writes anything: that its places fit the backup and are free."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline import storage
from pipeline.backup.databases import log_tables, sqlite_path, store_tables
from pipeline.backup.manifest import Kind, Manifest, Places
from pipeline.errors import UserError
from pipeline.predictions.open_log import is_sql

_MOUNTS = Path("/proc/self/mountinfo")
_PLACE_IN_MOUNTS = 4
"""Of the fields of a line (proc_pid_mountinfo(5)), the one with the folder."""


def check_kinds(manifest: Manifest, places: Places) -> None:
    """Refuses places that are of another kind than what was kept.

    Raises:
        UserError: One of them is, or is missing.
    """
    store, log = manifest.store.kind, manifest.prediction_log.kind
    _check_kind("store", "--store", store, _store_kind(places.store))
    log_kind: Kind = "postgresql" if is_sql(places.prediction_log) else "files"
    _check_kind("prediction log", "--prediction-log", log, places.prediction_log and log_kind)


def _check_kind(what: str, option: str, kept: str, named: str) -> None:
    if kept == "none":
        if named:
            raise UserError(f"The backup holds no {what}: leave {option} out.")
    elif not named:
        raise UserError(f"The backup holds a {what} ({kept}): say where to ({option}).")
    elif kept != named:
        raise UserError(
            f"The {what} of the backup is {kept}, and {option} names {named}: name the same kind."
        )


def _store_kind(address: str) -> str:
    if not address:
        return ""
    return "postgresql" if sqlite_path(address) is None else "sqlite"


def check_free(target: str, is_file: bool = False) -> None:
    """Refuses a place where something is, or which a rename can't put a folder at.

    Args:
        target: A local path or `s3://bucket/folder`.
        is_file: Whether it is to be a file.

    Raises:
        UserError: It is such a place.
    """
    if storage.is_remote(target):
        there = next(iter(storage.files_below(target)), None)
    else:
        path = Path(target)
        if not is_file and _is_mount(path):
            raise UserError(
                f"{target}: another file system is mounted there, and what is restored "
                "comes by a rename, which can't take its place. Nothing was written. Name a "
                "folder in it, or one that does not exist yet."
            )
        if path.is_dir() and not is_file:
            there = next((entry.name for entry in sorted(path.iterdir())), None)
        else:
            there = path.name if path.exists() or path.is_symlink() else None
    if there is not None:
        raise UserError(
            f"{target}: there is something already ({there}), and nothing is overwritten. "
            "Nothing was written. Name an empty place, or move away what is there."
        )


def _is_mount(path: Path) -> bool:
    """Whether something is mounted at a path, be it a folder of the same file system."""
    if path.is_mount():
        return True
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return False
    places = {line.split(" ")[_PLACE_IN_MOUNTS] for line in lines}
    # A path's own spaces and backslashes are octal there.
    return os.path.realpath(path).replace("\\", "\\134").replace(" ", "\\040") in places


def check_databases(manifest: Manifest, places: Places) -> None:
    """Refuses databases that can't be filled.

    Raises:
        StoreDownError: One does not answer.
        UserError: One has rows, or tables of another release.
    """
    if "postgresql" not in (manifest.store.kind, manifest.prediction_log.kind):
        return
    from pipeline.backup.tables import check_empty

    if manifest.store.kind == "postgresql":
        check_empty(store_tables(places.store), manifest.store.revision)
    if manifest.prediction_log.kind == "postgresql":
        check_empty(log_tables(places.prediction_log), manifest.prediction_log.revision)
