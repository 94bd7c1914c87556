"""Connections to the store: one address for PostgreSQL and SQLite, without a password in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, SQLAlchemyError

from pipeline.errors import UserError
from pipeline.sql_address import sql_url
from pipeline.store.sqlite_file import check_sqlite_file

PASSWORD_VARIABLE = "TRIAL_STORE_PASSWORD"
"""Environment variable with the password of the address's user."""

ADDRESS_PARAMETERS = {
    # libpq's connection parameters that choose a server and how to reach it; those that hold a
    # secret (password, sslpassword) or can hold one (options, service) are left out.
    # https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    "postgresql": frozenset(
        {
            *("host", "hostaddr", "port", "application_name", "connect_timeout", "client_encoding"),
            *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslnegotiation"),
            *("gssencmode", "krbsrvname", "channel_binding", "require_auth", "load_balance_hosts"),
            *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
            *("target_session_attrs", "tcp_user_timeout", "passfile"),
        }
    ),
    # https://www.sqlite.org/uri.html and what Python's driver takes.
    "sqlite": frozenset({"uri", "mode", "cache", "immutable", "nolock", "timeout"}),
}
"""What the address of a store may have behind `?`, by kind of database."""

_SECONDS_TO_CONNECT = 10
_SECONDS_TO_BE_HEARD = 60
_SECONDS_FOR_A_LOCK = 30
_PASSES = (OperationalError, InterfaceError, InternalError)
"""Transient errors, worth another attempt: no connection, a lock, no space, a failover.

An invalid row or a missing right is permanent."""


class StoreDownError(UserError):
    """The store does not answer, or can't be written at the moment: try again later."""


def store_url(address: str) -> URL:
    """The address of a store, with the password from the environment.

    Args:
        address: `postgresql://user@host:5432/database`, or `sqlite:///file`.

    Raises:
        UserError: See `pipeline.sql_address.sql_url`.
    """
    remedy = f"Remove it and set it in the environment as {PASSWORD_VARIABLE}."
    url = sql_url(address, "the store", remedy, ADDRESS_PARAMETERS)
    if url.get_backend_name() == "postgresql" and os.environ.get(PASSWORD_VARIABLE):
        url = url.set(password=os.environ[PASSWORD_VARIABLE])
    return url


def check_address(address: str) -> None:
    """Checks a store's address without connecting to it.

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
        UserError: See `check_address`; or the folder of a SQLite file can't be created.
    """
    check_address(address)
    url = store_url(address)
    if url.get_backend_name() == "sqlite":
        if url.database:
            _make_parent(Path(url.database))
        engine = create_engine(url, connect_args={"timeout": _SECONDS_FOR_A_LOCK})
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        engine = postgres_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def postgres_engine(url: URL) -> Engine:
    """An engine for PostgreSQL, which the caller disposes of."""
    connecting = {
        "connect_timeout": _SECONDS_TO_CONNECT,
        # Where a network loses what is sent, the system would wait a quarter of an hour.
        "tcp_user_timeout": _SECONDS_TO_BE_HEARD * 1000,
    }
    return create_engine(url, connect_args=connecting, pool_pre_ping=True)


@contextmanager
def transaction(engine: Engine, what: str = "the store") -> Iterator[Connection]:
    """One transaction: everything written inside becomes visible at once, or nothing.

    Args:
        engine: The engine.
        what: What is written to, for the message.

    Raises:
        StoreDownError: The store does not answer, is locked or has no space.
        UserError: It refuses: the user lacks a right, or a row is invalid.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        # The driver's own message names no value; SQLAlchemy's has the statement's parameters.
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip()
        place = engine.url.render_as_string(hide_password=True)
        failure = StoreDownError if isinstance(error, _PASSES) else UserError
        raise failure(
            f"{place}: {what} rejected the write: {reason.splitlines()[0]}. Nothing was written."
        ) from error


def _make_parent(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{path}: the store's folder can't be created: {error.strerror}. Name another file "
            "(STORE=, --store)."
        ) from error


def _prepare_sqlite(connection: object, record: object) -> None:
    del record
    cursor = connection.cursor()  # type: ignore[attr-defined]
    # Readers (boards) and one writer at a time do not wait for each other.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()
