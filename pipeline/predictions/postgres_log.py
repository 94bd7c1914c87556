"""A prediction log in PostgreSQL: tables in a schema of their own, beside the store or elsewhere.

Three roles use it: one adds predictions and can read none, one reads predictions and adds outcomes
of those who were predicted, one reads both. Its owner removes rows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
from psycopg import errors
from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from pipeline.errors import UserError
from pipeline.names import SUBJECT_HASH
from pipeline.predictions.log import Batch
from pipeline.predictions.outcomes import OUTCOME_ROWS, RECORDED_AT, RecordedCut
from pipeline.predictions.rows import PREDICTED_AT, ROWS
from pipeline.results.scored_file import FLAGS, INPUTS
from pipeline.sql_address import sql_url
from pipeline.store.engine import (
    ADDRESS_PARAMETERS,
    StoreDownError,
    postgres_engine,
    transaction,
)

if TYPE_CHECKING:
    from pipeline.store.scripts import Scripts

SCHEMA = "predictions"
"""Schema of PostgreSQL that the tables are in."""

WRITER = "trial_prediction_writer"
"""Role that adds predictions, and can read none."""

OUTCOME_WRITER = "trial_outcome_writer"
"""Role that adds outcomes; it reads predictions, since only outcomes of these are added."""

READER = "trial_prediction_reader"
"""Role that reads them."""

PASSWORDS = {
    WRITER: "TRIAL_PREDICTION_WRITER_PASSWORD",
    OUTCOME_WRITER: "TRIAL_OUTCOME_WRITER_PASSWORD",
    READER: "TRIAL_PREDICTION_READER_PASSWORD",
}
"""Environment variables with the roles' passwords, for who prepares the log."""

PASSWORD_VARIABLE = "TRIAL_PREDICTION_LOG_PASSWORD"
"""Environment variable with the password of the address's user."""

_WHAT = "the prediction log"
_MISSING = (errors.UndefinedTable, errors.InvalidSchemaName)
_PASSES = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)
_ROWS_AT_ONCE = 10_000
_PREDICTED = "predicted"
_OUTCOMES = "outcomes"
_ROWS = (_PREDICTED, _OUTCOMES)
"""Tables with rows of subjects."""


class PostgresLog:
    """A log of tables.

    Args:
        address: `postgresql://user@host:5432/database`.

    Raises:
        UserError: The address is invalid, or holds a password.
    """

    def __init__(self, address: str) -> None:
        self._url = log_url(address)

    def append(self, batch: Batch, tables: Iterable[pa.Table]) -> None:
        """See `PredictionLog`."""
        occasion = batch.occasion
        with self._transaction() as connection:
            if _is_new(connection, occasion.study, occasion.source, batch.name, batch.day):
                _copy(connection, _PREDICTED, ROWS, tables)

    def read(self, study: str) -> Iterator[pa.Table]:
        """See `PredictionLog`."""
        return self._read(study, _PREDICTED, ROWS)

    def append_outcomes(self, cut: RecordedCut, outcomes: pa.Table) -> bool:
        """See `PredictionLog`."""
        if not len(outcomes):
            return False
        day = cut.recorded_at.astimezone(UTC).date()
        with self._transaction() as connection:
            if not _is_new(connection, cut.study, _OUTCOMES, cut.fingerprint, day):
                return False
            _copy(connection, _OUTCOMES, OUTCOME_ROWS, [outcomes])
            return True

    def read_outcomes(self, study: str) -> Iterator[pa.Table]:
        """See `PredictionLog`."""
        return self._read(study, _OUTCOMES, OUTCOME_ROWS)

    def forget(self, study: str, pseudonyms: Collection[str]) -> int:
        """See `PredictionLog`."""
        with self._transaction() as connection:
            return remove_subjects(connection, study, pseudonyms)

    def expire(self, before: date) -> int:
        """See `PredictionLog`."""
        first = datetime(before.year, before.month, before.day, tzinfo=UTC)
        with self._transaction() as connection:
            _delete(connection, "batches", "day < :day", day=before)
            times = {_PREDICTED: PREDICTED_AT, _OUTCOMES: RECORDED_AT}
            return sum(
                _delete(connection, table, f"{time} < :first", first=first)
                for table, time in times.items()
            )

    def _read(self, study: str, table: str, schema: pa.Schema) -> Iterator[pa.Table]:
        columns = ", ".join(schema.names)
        statement = text(f"SELECT {columns} FROM {SCHEMA}.{table} WHERE study = :study")
        with self._transaction() as connection:
            streamed = connection.execution_options(yield_per=_ROWS_AT_ONCE)
            for part in streamed.execute(statement, {"study": study}).mappings().partitions():
                yield pa.Table.from_pylist([_row({**row}) for row in part], schema)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        engine = postgres_engine(self._url)
        try:
            with transaction(engine, _WHAT) as connection:
                try:
                    yield connection
                except ProgrammingError as error:
                    if not isinstance(error.orig, _MISSING):
                        raise
                    raise UserError(
                        f"{_place(engine)}: the database has no tables of a prediction log. Run "
                        "`trial predictions prepare ADDRESS` with a user who may create a schema "
                        "and roles."
                    ) from error
                except psycopg.Error as error:
                    failure = StoreDownError if isinstance(error, _PASSES) else UserError
                    # Its other lines may quote a row.
                    reason = str(error).strip().partition("\n")[0]
                    raise failure(
                        f"{_place(engine)}: {_WHAT} rejected the rows: {reason}. Nothing was "
                        "written."
                    ) from error
        finally:
            engine.dispose()


def log_url(address: str) -> URL:
    """The address of a log, with the password from the environment.

    Args:
        address: `postgresql://user@host:5432/database`.

    Raises:
        UserError: See `pipeline.sql_address.sql_url`.
    """
    remedy = f"Remove it and set it in the environment as {PASSWORD_VARIABLE}."
    accepted = {"postgresql": ADDRESS_PARAMETERS["postgresql"]}
    url = sql_url(address, _WHAT, remedy, accepted)
    password = os.environ.get(PASSWORD_VARIABLE)
    return url.set(password=password) if password else url


def log_scripts() -> Scripts:
    """Migrations of a log's tables."""
    from pipeline.store.scripts import Scripts

    return Scripts(Path(__file__).parent / "migrations", SCHEMA)


def prepare(address: str) -> dict[str, bool]:
    """Creates or alters the tables and roles of a log; does nothing if they are current.

    Args:
        address: The log's, with a user who may create a schema and roles.

    Returns:
        Whether each role got the password of its environment variable.

    Raises:
        StoreDownError: The database does not answer.
        UserError: The log is of a later release, or the user lacks a right.
    """
    # The service's image has no Alembic.
    from pipeline.store.migrate import set_role_password
    from pipeline.store.scripts import ALEMBIC

    scripts = log_scripts()
    engine = postgres_engine(log_url(address))
    try:
        with ALEMBIC, transaction(engine, _WHAT) as connection:
            # Two at once would both create the first table.
            connection.execute(text("SELECT pg_advisory_xact_lock(7210312)"))
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            found = scripts.revision(connection)
            if found is not None and not scripts.knows(found):
                raise UserError(
                    f"{_place(engine)}: the tables of the prediction log are of revision {found}, "
                    f"which this release does not know. Use the later release that made them."
                )
            if found != scripts.head:
                scripts.upgrade(connection)
        given = {role: os.environ.get(variable, "") for role, variable in PASSWORDS.items()}
        for role, password in given.items():
            if password:
                set_role_password(engine, role, password)
    finally:
        engine.dispose()
    return {role: bool(password) for role, password in given.items()}


def subjects_in(connection: Connection, study: str) -> set[str]:
    """Pseudonyms of all subjects of a study, in the tables of an open transaction."""
    tables = (f"SELECT {SUBJECT_HASH} FROM {SCHEMA}.{name} WHERE study = :study" for name in _ROWS)
    found = connection.execute(text(" UNION ".join(tables)), {"study": study}).scalars()
    return {name for name in found if name}


def remove_subjects(connection: Connection, study: str, pseudonyms: Collection[str]) -> int:
    """Removes the rows of subjects in an open transaction; returns how many there were."""
    condition = f"study = :study AND {SUBJECT_HASH} = ANY(:subjects)"
    values = {"study": study, "subjects": list(pseudonyms)}
    return sum(_delete(connection, table, condition, **values) for table in _ROWS)


def _delete(connection: Connection, table: str, condition: str, **values: Any) -> int:
    statement = text(f"DELETE FROM {SCHEMA}.{table} WHERE {condition}")
    return connection.execute(statement, values).rowcount


def _is_new(connection: Connection, study: str, source: str, name: str, day: date) -> bool:
    """Notes a batch; says whether it was not there."""
    added = connection.execute(
        text(
            f"INSERT INTO {SCHEMA}.batches (study, source, name, day) "
            "VALUES (:study, :source, :name, :day) ON CONFLICT DO NOTHING"
        ),
        {"study": study, "source": source, "name": name, "day": day},
    )
    return bool(added.rowcount)


def _copy(connection: Connection, table: str, schema: pa.Schema, parts: Iterable[pa.Table]) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    statement = f"COPY {SCHEMA}.{table} ({', '.join(schema.names)}) FROM STDIN"
    with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for part in parts:
            for row in part.to_pylist():
                if INPUTS in row:
                    row[INPUTS] = json.dumps(dict(row[INPUTS]))
                copy.write_row(list(row.values()))


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as Arrow takes it."""
    if INPUTS not in row:
        return {**row}
    return {**row, FLAGS: list(row[FLAGS]), INPUTS: sorted(row[INPUTS].items())}


def _place(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
