"""A connection to a study's database that can only read."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipeline.errors import UserError
from pipeline.study.sections import Database

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

_SECONDS_TO_CONNECT = 10


@contextlib.contextmanager
def connected(database: Database, data_root: str) -> Iterator[Connection]:
    """Opens a connection in a transaction that only reads, and ends it without a change.

    Args:
        database: The section of the study file.
        data_root: Folder that a SQLite file's path is relative to.

    Yields:
        The connection.

    Raises:
        UserError: The password is not where it should be, or the database does not answer.
    """
    engine = _engine(database, data_root)
    try:
        with _begun(engine) as connection:
            yield connection
    finally:
        engine.dispose()


@contextlib.contextmanager
def _begun(engine: Engine) -> Iterator[Connection]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        # The driver's message may have parts of the address.
        raise UserError(
            f"database.address: no connection ({class_of(error)}); check that the database "
            "answers at this address, its user, and that `database.password` names the right "
            "password"
        ) from None
    with connection:
        connection.exec_driver_sql(
            "BEGIN" if engine.dialect.name == "sqlite" else "SET LOCAL TIME ZONE 'UTC'"
        )
        yield connection
        connection.rollback()


def class_of(error: BaseException) -> str:
    """Class and SQLSTATE of an error of a driver: what of it never quotes a value."""
    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None)
    return f"{type(original).__name__}{f', SQLSTATE {state}' if state else ''}"


def _engine(database: Database, data_root: str) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.pool import NullPool

    url = make_url(database.address)
    if database.backend == "sqlite":
        path = _sqlite_file(url.database or "", data_root)
        only_read = f"file:{quote(str(path))}?mode=ro"
        return create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(only_read, uri=True, isolation_level=None),
            poolclass=NullPool,
        )
    url = url.set(drivername="postgresql+psycopg", password=_password(database.password))
    seconds = url.query.get("connect_timeout", str(_SECONDS_TO_CONNECT))
    engine = create_engine(
        url,
        connect_args={
            "connect_timeout": seconds,
            # For the session too: a COMMIT in a query would end the transaction.
            "options": "-c default_transaction_read_only=on",
        },
        poolclass=NullPool,
        hide_parameters=True,
    )
    # One state of all tables, whatever is written meanwhile.
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _sqlite_file(database: str, data_root: str) -> Path:
    path = Path(database)
    if not path.is_absolute():
        if not data_root or "://" in data_root:
            raise UserError(
                "database.address: the SQLite file's path is relative to the data folder, and "
                "there is none on this machine; give a path with four slashes (sqlite:////data/…) "
                "or the folder (DATA=, --data)"
            )
        path = Path(data_root) / path
    if not path.is_file():
        raise UserError(f"database.address: there is no SQLite file {path}; check the path")
    return path


def _password(reference: str | None) -> str | None:
    if reference is None:
        return None
    kind, _, place = reference.partition(":")
    if kind == "env":
        password = os.environ.get(place, "")
        if not password:
            raise UserError(
                f"database.password: the environment variable {place} is not set; put the "
                "password of the database's user there"
            )
        return password
    try:
        password = Path(place).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"database.password: the file {place} can't be read ({type(error).__name__})"
        ) from None
    if not password:
        raise UserError(f"database.password: the file {place} is empty; put the password there")
    return password
