"""Migrates a store's tables and roles to this release."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text

from pipeline.errors import UserError
from pipeline.store.engine import store_engine, transaction
from pipeline.store.scripts import ALEMBIC, Scripts

READER = "trial_reader"
"""Role of PostgreSQL that Grafana reads with."""

WRITER = "trial_writer"
"""Role of PostgreSQL that the pipeline adds rows with."""

PASSWORDS = {WRITER: "TRIAL_WRITER_PASSWORD", READER: "TRIAL_READER_PASSWORD"}
"""Environment variables with the roles' passwords."""

SCRIPTS = Scripts(Path(__file__).parent / "migrations")
"""Migrations of the store's tables."""


def migrate(address: str) -> None:
    """Creates or alters tables and, on PostgreSQL, roles; does nothing if they are current.

    Args:
        address: The store's, for PostgreSQL with a user who may create tables and roles.

    Raises:
        StoreDownError: The store does not answer, or the user lacks a right.
        UserError: The store is of a later release.
    """
    with ALEMBIC, store_engine(address) as engine, transaction(engine) as connection:
        if connection.dialect.name == "postgresql":
            # Two concurrent migrations would both create the first table.
            connection.execute(text("SELECT pg_advisory_xact_lock(7210311)"))
        found = SCRIPTS.revision(connection)
        if found is not None and not SCRIPTS.knows(found):
            raise _other_release(engine, found)
        if found != SCRIPTS.head:
            SCRIPTS.upgrade(connection)


def set_password(address: str, role: str, password: str) -> None:
    """Gives a role of PostgreSQL its password.

    Args:
        address: The store's, with a user who may alter roles.
        role: The role.
        password: The password; only its hash is sent to the server.
    """
    with store_engine(address) as engine:
        set_role_password(engine, role, password)


def set_role_password(engine: Engine, role: str, password: str) -> None:
    """Gives a role of PostgreSQL its password.

    Args:
        engine: Of a user who may alter roles.
        role: The role.
        password: The password; only its hash is sent to the server.
    """
    # Runs on SQLite need no driver for PostgreSQL.
    import psycopg
    from psycopg import sql

    with transaction(engine) as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        hashed = driver.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(hashed.decode())
        )
        driver.execute(statement)


def open_current(address: str) -> None:
    """Makes sure that a store can be read: a SQLite file of an earlier release is migrated.

    Args:
        address: The store's.

    Raises:
        StoreDownError: The store does not answer.
        UserError: PostgreSQL has to be migrated by its owner, or the store is of a later release
            or not a store.
    """
    with store_engine(address) as engine:
        if engine.dialect.name == "sqlite" and _revision_of(engine) is not None:
            migrate(address)
        check_current(engine)


def check_current(engine: Engine) -> None:
    """Refuses a store whose tables are not those of this release.

    Raises:
        UserError: It has to be migrated, or is newer than this release.
    """
    found = _revision_of(engine)
    if found != SCRIPTS.head:
        raise _other_release(engine, found)


def _other_release(engine: Engine, found: str | None) -> UserError:
    place = engine.url.render_as_string(hide_password=True)
    return UserError(
        f"{place}: the store's tables are of revision {found or 'none'}, this release needs "
        f"{SCRIPTS.head}. Run `make store-migrate STORE=...` with a user who may "
        "create tables; a store of a later release needs that release."
    )


def _revision_of(engine: Engine) -> str | None:
    with transaction(engine) as connection:
        return SCRIPTS.revision(connection)
