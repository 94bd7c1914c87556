"""Which databases a backup has: the store and the prediction log, where they are no files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.backup.tables import Tables


def store_tables(address: str) -> Tables:
    """The store's tables in PostgreSQL.

    Raises:
        UserError: The address is invalid, or holds a password.
    """
    # A root without PostgreSQL needs no driver for it.
    from pipeline.backup.tables import Tables
    from pipeline.store.engine import store_url
    from pipeline.store.migrate import SCRIPTS
    from pipeline.store.models import Base

    return Tables(store_url(address), SCRIPTS, "the store", frozenset(Base.metadata.tables))


def log_tables(address: str) -> Tables:
    """The prediction log's tables in PostgreSQL.

    Raises:
        UserError: The address is invalid, or holds a password.
    """
    from pipeline.backup.tables import Tables
    from pipeline.predictions.postgres_log import log_scripts, log_url

    return Tables(log_url(address), log_scripts(), "the prediction log")


def sqlite_path(address: str) -> Path | None:
    """The file of a store in SQLite; None for PostgreSQL.

    Raises:
        UserError: The address is invalid.
    """
    from pipeline.store.engine import check_address, store_url

    check_address(address)
    url = store_url(address)
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database:
        raise UserError("A store in memory can't be kept: name its file (--store sqlite:///file).")
    return Path(url.database)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copies a database of SQLite as it is at one moment, while others may write to it.

    Raises:
        UserError: It is damaged, or stays locked.
    """
    # Who only reads leaves the files of the journal behind.
    address = f"file:{quote(str(source.resolve()))}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(address, uri=True)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing)
            # One file, whose content no journal beside it completes.
            writing.execute("PRAGMA journal_mode=DELETE")
            (state,) = writing.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise UserError(f"{source}: the database can't be copied: {error}.") from error
    if state != "ok":
        raise UserError(f"{source}: the database is damaged: {state}.")
