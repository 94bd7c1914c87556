"""Tables of a trial in a SQL database, and the study file that reads them."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from pipeline.reading.database.snapshot import take_snapshot
from pipeline.study.load import parse_study
from tests.components.trial_example_gen.hand_made_trial import Trial
from tests.pipeline.reading.formats.tables import Cell, Described, Storage, Table, is_empty
from tests.pipeline.reading.random_trial import RandomTrial


def described(tables: Mapping[str, Table]) -> dict[str, Described]:
    """What the study file says of tables in a database."""
    return {name: {"format": "sql", "table": name} for name in tables}


def read_database(trial: RandomTrial, address: str, folder: Path) -> Trial:
    """A trial as it is read from a database: from a snapshot, of few rows a batch."""
    content = trial.study(described(trial.tables))
    content["database"] = {"address": address}
    study = parse_study(content, "study.yaml")
    snapshot = take_snapshot(study, str(folder), str(folder / "snapshots"), batch_rows=3)
    return Trial(study, folder, snapshot)


def write_sqlite(path: Path, tables: Mapping[str, Table]) -> None:
    """Writes tables whose cells keep their own type, as SQLite allows."""

    def value(storage: Storage, cell: Cell) -> Any:
        if storage == "text" or is_empty(cell):
            return cell if storage == "text" else None
        try:
            return float(cell or "") if storage == "number" and is_plain(cell or "") else cell
        except ValueError:
            return cell

    with sqlite3.connect(path) as connection:
        for name, table in tables.items():
            columns = ", ".join(f'"{column}"' for column in table.columns)
            connection.execute(f'CREATE TABLE "{name}" ({columns})')
            marks = ", ".join("?" * len(table.columns))
            connection.executemany(
                f'INSERT INTO "{name}" VALUES ({marks})',
                [[value(table.columns[c], row[c]) for c in table.columns] for row in table.rows],
            )
    connection.close()


def is_plain(cell: str) -> bool:
    """Whether a cell is a number as every format writes it."""
    return not set(cell) - set("-.0123456789")


def write_postgres(connection: psycopg.Connection, tables: Mapping[str, Table]) -> None:
    """Writes tables with NUMERIC, DATE and TEXT columns; columns with other texts are TEXT."""
    types: dict[Storage, str] = {"text": "text", "number": "numeric", "date": "date"}

    def value(storage: Storage, cell: Cell) -> Any:
        if storage == "text" or is_empty(cell):
            return cell if storage == "text" else None
        return (
            Decimal(cell or "") if storage == "number" else datetime.date.fromisoformat(cell or "")
        )

    for name, table in tables.items():
        stored = {column: table.stored(column) for column in table.columns}
        columns = [
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(types[storage]))
            for column, storage in stored.items()
        ]
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("CREATE TABLE {} ({})").format(
                sql.Identifier(name), sql.SQL(", ").join(columns)
            )
        )
        with connection.cursor() as cursor:
            marks = sql.SQL(", ").join([sql.Placeholder()] * len(stored))
            cursor.executemany(
                sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(name), marks),
                [[value(stored[c], row[c]) for c in stored] for row in table.rows],
            )
