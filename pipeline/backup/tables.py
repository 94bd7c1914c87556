"""Tables of PostgreSQL in files and back: PostgreSQL's own COPY, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import sql
from sqlalchemy import URL, Connection, MetaData, text

from pipeline.errors import UserError
from pipeline.store.engine import postgres_engine, transaction
from pipeline.store.scripts import ALEMBIC, Scripts

_LIST = "tables.json"
_BLOCK = 2**20
_VERSIONS = "alembic_version"


class _Table(TypedDict):
    name: str
    columns: list[str]


@dataclass(frozen=True)
class Tables:
    """Tables of a database.

    Attributes:
        url: The database.
        scripts: Migrations of the tables.
        what: What the tables are, for messages.
        only: Names of the tables; None for all of the schema.
    """

    url: URL
    scripts: Scripts
    what: str
    only: frozenset[str] | None = None

    @property
    def place(self) -> str:
        """The database, for messages."""
        return self.url.render_as_string(hide_password=True)


def dump_tables(tables: Tables, folder: Path) -> str:
    """Writes the rows of tables as they are at one moment; their user must be able to read them.

    Args:
        tables: The tables.
        folder: An empty folder.

    Returns:
        Their revision.

    Raises:
        StoreDownError: The database does not answer.
        UserError: It has no such tables, or the user may not read them.
    """
    scripts = tables.scripts
    with _connected(tables) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        revision = scripts.revision(connection)
        if revision is None:
            raise UserError(f"{tables.place}: the database has no tables of {tables.what}.")
        found = list(_list_tables(connection, tables))
        driver = _driver(connection)
        for table in found:
            statement = _statement("COPY {} ({}) TO STDOUT", scripts.schema, table)
            with (
                (folder / f"{table['name']}.copy").open("wb") as file,
                driver.cursor() as cursor,
                cursor.copy(statement) as copy,
            ):
                for block in copy:
                    file.write(block)
    (folder / _LIST).write_text(json.dumps(found, indent=1))
    return revision


def check_empty(tables: Tables, revision: str) -> None:
    """Checks that tables can be loaded: there are none, or they have the revision and no row.

    Args:
        tables: The tables.
        revision: That of the backup.

    Raises:
        StoreDownError: The database does not answer.
        UserError: They can't.
    """
    scripts, what = tables.scripts, tables.what
    if not scripts.knows(revision):
        raise UserError(
            f"The tables of {what} in the backup are of revision {revision}, which this release "
            "does not know. Nothing was written. Restore it with the later release that made them."
        )
    with _connected(tables) as connection:
        found = scripts.revision(connection)
        if found not in (None, revision):
            raise UserError(
                f"{tables.place}: the tables of {what} are of revision {found}, those of the "
                f"backup of {revision}. Nothing was written. Name a database without these tables."
            )
        if found is None:
            return
        for table in _list_tables(connection, tables):
            query = _statement("SELECT 1 FROM {} LIMIT 1", scripts.schema, table)
            if _driver(connection).execute(query).fetchone():
                raise UserError(
                    f"{tables.place}: the table {table['name']} of {what} has rows. Nothing was "
                    "written. Name an empty database, or one without these tables."
                )


def load_tables(
    tables: Tables,
    revision: str,
    folder: Path,
    last: Callable[[Connection], None] | None = None,
) -> None:
    """Makes tables as they were, fills them and migrates them to this release: all, or nothing.

    Args:
        tables: The tables; their user may make tables and roles.
        revision: That of the backup.
        folder: What `dump_tables` has written.
        last: What is done in the same transaction, with the tables of this release.

    Raises:
        StoreDownError: The database does not answer.
        UserError: It refuses.
    """
    listed: list[_Table] = json.loads((folder / _LIST).read_text())
    scripts = tables.scripts
    with ALEMBIC, _connected(tables) as connection:
        if scripts.schema:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {scripts.schema}"))
        if scripts.revision(connection) is None:
            scripts.upgrade(connection, revision)
        driver = _driver(connection)
        for table in listed:
            statement = _statement("COPY {} ({}) FROM STDIN", scripts.schema, table)
            with (
                (folder / f"{table['name']}.copy").open("rb") as file,
                driver.cursor() as cursor,
                cursor.copy(statement) as copy,
            ):
                while block := file.read(_BLOCK):
                    copy.write(block)
            _continue_numbers(connection, scripts.schema, table)
        if revision != scripts.head:
            scripts.upgrade(connection)
        if last:
            last(connection)


def _continue_numbers(connection: Connection, schema: str | None, table: _Table) -> None:
    """Lets columns that PostgreSQL numbers go on behind the rows."""
    name = f"{schema}.{table['name']}" if schema else table["name"]
    for column in table["columns"]:
        found = connection.execute(
            text("SELECT pg_get_serial_sequence(:name, :column)"), {"name": name, "column": column}
        ).scalar()
        if found:
            connection.execute(
                text(f"SELECT setval(:found, max({column})) FROM {name}"), {"found": found}
            )


def _list_tables(connection: Connection, tables: Tables) -> Iterator[_Table]:
    """The tables that there are, those that others refer to first."""
    metadata = MetaData(schema=tables.scripts.schema)
    metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name != _VERSIONS and (tables.only is None or table.name in tables.only):
            yield {"name": table.name, "columns": [column.name for column in table.columns]}


def _statement(form: str, schema: str | None, table: _Table) -> sql.Composed:
    name = sql.Identifier(*filter(None, (schema, table["name"])))
    columns = sql.SQL(", ").join(map(sql.Identifier, table["columns"]))
    return sql.SQL(form).format(name, columns)


@contextmanager
def _connected(tables: Tables) -> Iterator[Connection]:
    engine = postgres_engine(tables.url)
    try:
        with transaction(engine, tables.what) as connection:
            try:
                yield connection
            except psycopg.Error as error:
                # Its other lines may quote a row.
                reason = str(error).strip().partition("\n")[0]
                raise UserError(f"{tables.place}: {tables.what}: {reason}.") from error
    finally:
        engine.dispose()


def _driver(connection: Connection) -> psycopg.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver
