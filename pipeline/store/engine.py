"""Reaching the store: one address for PostgreSQL and SQLite, without a password in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    InterfaceError,
    InternalError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)

from pipeline.errors import UserError
from pipeline.store.sqlite_file import check_sqlite_file

PASSWORD_VARIABLE = "TRIAL_STORE_PASSWORD"
"""Environment variable with the password of the address's user."""

_SECONDS_TO_CONNECT = 10
_SECONDS_FOR_A_LOCK = 30
_PASSES = (OperationalError, InterfaceError, InternalError)
"""What another attempt may not meet: no connection, a lock, no space, a server that changes over.

A row that is not allowed and a right that is missing stay as they are."""

_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class StoreDownError(UserError):
    """The store does not answer, or can't take anything now: try again later."""


def store_url(address: str) -> URL:
    """The address of a store, with the password from the environment.

    Args:
        address: `postgresql://user@host:5432/database`, or `sqlite:///file`.

    Raises:
        UserError: It is none, or holds a password.
    """
    try:
        url = make_url(address)
        url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise UserError(
            "Invalid store address. Expected postgresql://user@host:5432/database or "
            "sqlite:///path/to/file."
        ) from error
    if url.get_backend_name() not in ("postgresql", "sqlite"):
        raise UserError(
            f"The store can be PostgreSQL or SQLite, not {url.get_backend_name()}: "
            "postgresql://user@host:5432/database or sqlite:///path/to/file."
        )
    if url.password is not None:
        raise UserError(
            f"The address of the store holds a password, which would stand in logs and metadata. "
            f"Take it out and give it in the environment as {PASSWORD_VARIABLE}."
        )
    if url.get_backend_name() == "postgresql" and os.environ.get(PASSWORD_VARIABLE):
        url = url.set(password=os.environ[PASSWORD_VARIABLE])
    return url


def check_address(address: str) -> None:
    """Checks what can be known of a store without connecting to it.

    Args:
        address: See `store_url`.

    Raises:
        UserError: The address is invalid, or names a file that is not a SQLite database.
    """
    url = store_url(address)
    if url.get_backend_name() == "sqlite" and url.database:
        check_sqlite_file(Path(url.database))


@contextmanager
def store_engine(address: str) -> Iterator[Engine]:
    """An engine for a store, closed afterwards.

    Args:
        address: See `store_url`.

    Raises:
        UserError: See `check_address`; or the folder of a SQLite file can't be made.
    """
    check_address(address)
    url = store_url(address)
    if url.get_backend_name() == "sqlite":
        if url.database:
            _make_parent(Path(url.database))
        engine = create_engine(url, connect_args={"timeout": _SECONDS_FOR_A_LOCK})
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        engine = create_engine(
            url, connect_args={"connect_timeout": _SECONDS_TO_CONNECT}, pool_pre_ping=True
        )
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction: all of what is written inside becomes visible at once, or nothing.

    Raises:
        StoreDownError: The store does not answer, is locked or has no space.
        UserError: It refuses: the user may not, or a row can't be.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        # The driver's own message names no value; SQLAlchemy's has the statement's parameters.
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip()
        place = engine.url.render_as_string(hide_password=True)
        told = StoreDownError if isinstance(error, _PASSES) else UserError
        raise told(
            f"{place}: the store did not take it: {reason.splitlines()[0]}. Nothing was written."
        ) from error


def _make_parent(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{path}: the folder of the store can't be made: {error.strerror}. Name another file "
            "(STORE=, --store)."
        ) from error


def _prepare_sqlite(connection: object, record: object) -> None:
    del record
    cursor = connection.cursor()  # type: ignore[attr-defined]
    # Readers (boards) and one writer at a time do not wait for each other.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()
