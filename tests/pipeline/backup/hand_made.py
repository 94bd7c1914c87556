"""A root with all parts of a backup, made by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from pipeline.backup.manifest import Manifest, Places
from pipeline.backup.restore import opened, restore_backup
from pipeline.backup.take import take_backup
from pipeline.predictions.open_log import open_log
from pipeline.runs.forgotten import ForgottenList
from pipeline.storage import write_private
from pipeline.store.sqlite_file import sqlite_address
from tests.pipeline.predictions.hand_made import add
from tests.pipeline.runs.governed import registered

KEY_ID = "0123456789ab"


def made_root(root: Path) -> Places:
    """A root with two registered models, a ledger, a store, metadata and a prediction log."""
    registry = str(root / "registry")
    registered(registry, root.parent / "models", "first", "second")
    for name in ("ist/releases/1.parquet", "ist/second/predictions.parquet"):
        write_private(f"{registry}-subjects/{name}", f"content of {name}".encode())
    for path in ("store.sqlite", "ist/metadata.sqlite", "ist/scoring/metadata.sqlite"):
        made_database(root / path, path)
    (root / "ist" / "run.lock").touch()
    (root / "ist" / "records").mkdir()
    log = str(root / "predictions")
    add(open_log(log), "a", "b")
    return Places(root, registry, sqlite_address(root / "store.sqlite"), log)


def made_database(path: Path, content: str) -> None:
    """A database of SQLite in the mode of the store, with one row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE told (text TEXT)")
        connection.execute("INSERT INTO told VALUES (?)", (content,))


def content_of(path: Path) -> str:
    """The row of such a database."""
    with closing(sqlite3.connect(path)) as connection:
        (text,) = connection.execute("SELECT text FROM told").fetchone()
    return str(text)


def taken(places: Places, target: str) -> Manifest:
    """Takes a backup."""
    return take_backup(places, target, KEY_ID)


def elsewhere(root: Path) -> Places:
    """Places below another root."""
    return Places(
        root,
        str(root / "registry"),
        sqlite_address(root / "store.sqlite"),
        str(root / "predictions"),
    )


def restored(source: str, places: Places, forgotten: ForgottenList | None = None) -> int:
    """Restores a backup; returns how many rows of forgotten subjects were left out."""
    with opened(source) as (folder, manifest):
        return restore_backup(folder, manifest, places, forgotten or ForgottenList())


def files_of(folder: Path) -> dict[str, bytes]:
    """Content of each file below a folder."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
