"""One read-only transaction of a study's database."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pipeline.errors import UserError
from pipeline.reading.database.connection import class_of, connected
from pipeline.study.sections import Database, Dataset

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

Row = Sequence[Any]

_ABOUT_THE_QUERY = ("no such ", "near ", "ambiguous column", "incomplete input")
_ABOUT_THE_FILE = ("attempt to write", "file is not a database", "database is locked")
"""How SQLite's messages begin that name no value of the data."""

_CLASSES_ABOUT_THE_QUERY = ("25", "42")
"""PostgreSQL's classes of errors that name what stands in the query (appendix A): a write in a
read-only transaction, and syntax, names and rights. Others may quote a value of the data."""


@dataclass(frozen=True)
class Place:
    """What is read, for messages.

    Attributes:
        key: Key of the table or query in the study file.
        what: The table, or nothing for a query.
    """

    key: str
    what: str = ""

    def error(
        self, problem: str, *, rows: tuple[int, int] | None = None, column: str | None = None
    ) -> UserError:
        """Words an error so that the place comes first.

        Args:
            problem: What was found, what was expected and what to do; no value of the data.
            rows: 1-based numbers of the first and last row that it may be in.
            column: Name of the column.

        Returns:
            The error, ready to be raised.
        """
        place = [f"{self.key}{f' ({self.what})' if self.what else ''}"]
        if rows is not None:
            first, last = rows
            place.append(f"row {first}" if first == last else f"rows {first} to {last}")
        if column is not None:
            place.append(f"column {column}")
        return UserError(f"{', '.join(place)}: {problem}")


def place_of(name: str, dataset: Dataset) -> Place:
    """Where a dataset's rows come from."""
    if dataset.table is not None:
        return Place(f"datasets.{name}.table", dataset.table)
    return Place(f"datasets.{name}.query")


class Transaction:
    """An open read-only transaction; everything read in it is of one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._driver: Any = connection.connection.driver_connection

    def statement(self, place: Place, dataset: Dataset) -> str:
        """The query of a dataset; of a table with a primary key its rows in the key's order.

        A table that does not exist is refused where it is read.

        Raises:
            UserError: The database does not tell what tables it has.
        """
        if dataset.query is not None:
            return dataset.query.strip().rstrip(";")
        from sqlalchemy import inspect
        from sqlalchemy.exc import DBAPIError, NoSuchTableError

        table = dataset.table or ""
        schema, _, own = table.rpartition(".")
        inspector = inspect(self._connection)
        try:
            key = inspector.get_pk_constraint(own, schema or None)["constrained_columns"]
        except NoSuchTableError:
            key = []
        except DBAPIError as error:
            _refuse(place, error.orig or error)
        quoted = self._connection.dialect.identifier_preparer.quote
        names = ".".join(quoted(part) for part in (schema, own) if part)
        order = f" ORDER BY {', '.join(map(quoted, key))}" if key else ""
        return f"SELECT * FROM {names}{order}"

    def batches(
        self, place: Place, statement: str, rows: int
    ) -> Iterator[tuple[list[str], list[Row]]]:
        """Reads what a query answers.

        Args:
            place: Its place, for messages.
            statement: The query.
            rows: Number of rows of a batch but the last.

        Yields:
            The names of the columns, and rows; at least once, even without any row.

        Raises:
            UserError: The database refuses the query, or a value can't be read.
        """
        read = 0
        with contextlib.closing(self._cursor(rows)) as cursor:
            try:
                cursor.execute(statement)
                names = [column[0] for column in cursor.description or ()]
            except Exception as error:
                _refuse(place, error)
            if not names:
                raise place.error("the statement answers no table; expected a SELECT")
            is_first = True
            while found := _next_rows(place, cursor, read, rows):
                yield names, found
                read, is_first = read + len(found), False
            if is_first:
                yield names, []

    def _cursor(self, rows: int) -> Any:
        if isinstance(self._driver, sqlite3.Connection):
            return self._driver.cursor()
        # A named cursor is one of the server: the rows stay there until they are fetched.
        cursor = self._driver.cursor(name="trial_snapshot")
        cursor.itersize = rows
        return cursor


@contextlib.contextmanager
def read_only(database: Database, data_root: str) -> Iterator[Transaction]:
    """Opens a read-only transaction, and ends it without a change.

    Args:
        database: The section of the study file.
        data_root: Folder that a SQLite file's path is relative to.

    Yields:
        The transaction.

    Raises:
        UserError: The password is not where it should be, or the database does not answer.
    """
    with connected(database, data_root) as connection:
        yield Transaction(connection)


def _next_rows(place: Place, cursor: Any, read: int, rows: int) -> list[Row]:
    try:
        return list(cursor.fetchmany(rows))
    except Exception as error:
        row = _unreadable_row(cursor)
        first, last = (read + row,) * 2 if row else (read + 1, read + rows)
        state = str(getattr(error, "sqlstate", None) or "")
        if state.startswith(_CLASSES_ABOUT_THE_QUERY):
            _refuse(place, error)
        if _is_lost(error):
            raise place.error(
                f"the connection was lost ({class_of(error)}); create the run again",
                rows=(read + 1, read + rows),
            ) from None
        raise place.error(
            f"the row can't be read ({class_of(error)}): a value is none of its column's type, "
            "such as a date without end or bytes that are no text, or the query fails on it; "
            "convert or leave out the column in a query",
            rows=(first, last),
        ) from None


def _is_lost(error: Exception) -> bool:
    import psycopg

    return isinstance(error, psycopg.OperationalError)


def _unreadable_row(cursor: Any) -> int | None:
    """Number, from 1, of the first row that the driver can't convert among those just fetched."""
    result = getattr(cursor, "pgresult", None)
    if result is None:
        return None
    from psycopg import Error
    from psycopg.adapt import Transformer

    converter = Transformer(cursor)
    converter.set_pgresult(result)
    for number in range(result.ntuples):
        try:
            converter.load_row(number, tuple)
        except Error:
            return number + 1
    return None


def _refuse(place: Place, error: BaseException) -> NoReturn:
    """Raises what the database says of the query, if it says nothing of the data."""
    import psycopg

    reason = ""
    if isinstance(error, psycopg.Error):
        if str(error.sqlstate or "").startswith(_CLASSES_ABOUT_THE_QUERY):
            reason = error.diag.message_primary or ""
    elif isinstance(error, sqlite3.Error):
        text = str(error)
        reason = text if text.startswith((*_ABOUT_THE_QUERY, *_ABOUT_THE_FILE)) else ""
    else:
        raise error
    said = f": {reason.splitlines()[0]}" if reason else ""
    raise place.error(f"the database refuses the query ({class_of(error)}){said}") from None
