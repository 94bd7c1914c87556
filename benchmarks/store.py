"""The store at its size: seconds of an export, and milliseconds of every question of the boards.

A PostgreSQL server of its own gets a run made by hand, which is then copied to a thousand, one a
day. Questions are asked as Grafana asks them: as the reading role, with the whole time that the
store covers, values written into the statement.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import psycopg
from sqlalchemy import text

from benchmarks.postgres import DATABASE, Server, running_server
from benchmarks.report import machine, machine_line, markdown_table, spread, write_json
from benchmarks.store_rows import STARTED, STUDY, TASKS, run_rows
from grafana.queries import alerts, model_quality, pipeline_health, trial_progress, variables
from grafana.queries.query import Query
from pipeline.errors import UserError
from pipeline.store import models
from pipeline.store.engine import PASSWORD_VARIABLE, store_engine, transaction
from pipeline.store.migrate import READER, WRITER, migrate, set_password
from pipeline.store.sqlite_file import sqlite_address
from pipeline.store.writer import export

logger = logging.getLogger(__name__)
_PASSWORD = "of this measurement"
_EXPORT_LIMIT_SECONDS = 2.0
_QUERY_LIMIT_MS = 200.0
_FIRST = "run-00000"
_CHOSEN = {
    "study": STUDY,
    "task": TASKS[0],
    "metric": "auc",
    "decision": "0",
    "slicing": "sex, age",
    "model": "challenger",
    "parameter": "ALT",
}
_MODULES = (model_quality, trial_progress, pipeline_health, variables, alerts)


@dataclass(frozen=True)
class Asked:
    """What a question took.

    Attributes:
        name: Its name in the project.
        rows: Rows of the answer.
        milliseconds: Of each repetition, connection not included.
        plan: What PostgreSQL did.
    """

    name: str
    rows: int
    milliseconds: tuple[float, ...]
    plan: tuple[str, ...]


def fill(server: Server, runs: int, metric_rows: int) -> None:
    """Exports one run and copies it, a day later each; then the statistics are brought up to date.

    Args:
        server: The server.
        runs: How many runs the store is to have.
        metric_rows: Rows of metrics of each.
    """
    content = run_rows(_FIRST, metric_rows)
    export(server.owner, content)
    with store_engine(server.owner) as engine, transaction(engine) as connection:
        for model in content:
            connection.execute(text(_copies(model)), {"last": runs - 1, "first": _FIRST})
    with psycopg.connect(_dsn(server, "postgres"), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _copies(model: type[models.Base]) -> str:
    columns = list(model.__table__.columns)
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(
        "'run-' || lpad(CAST(n AS text), 5, '0')"
        if column.name == "run"
        else f"\"{column.name}\" + n * interval '1 day'"
        if isinstance(column.type, models.UtcTime)
        else f'"{column.name}"'
        for column in columns
    )
    # In the order in which runs would have been exported.
    return (
        f"INSERT INTO {model.__tablename__} ({names}) SELECT {values} "
        f"FROM generate_series(1, :last) n, {model.__tablename__} WHERE run = :first ORDER BY n"
    )


def seconds_of_exports(address: str, name: str, metric_rows: int, repetitions: int) -> list[float]:
    """Wall times of exports of a run each, connection and check of the tables included."""
    taken = []
    for number in range(repetitions):
        rows = run_rows(f"{name}-{number}", metric_rows)
        taken.append(_seconds(lambda rows=rows: export(address, rows)))  # type: ignore[misc]
    return taken


def ask_all(server: Server, runs: int, repetitions: int) -> list[Asked]:
    """Asks every question of the boards and alerts."""
    chosen = _CHOSEN | {"run": f"run-{runs - 1:05}"}
    until = STARTED + timedelta(days=runs)
    with psycopg.connect(_dsn(server, READER), password=_PASSWORD, autocommit=True) as connection:
        return [
            _ask(connection, name, as_grafana_asks(query, chosen, until), repetitions)
            for name, query in _queries().items()
        ]


def _ask(connection: psycopg.Connection, name: str, sql: str, repetitions: int) -> Asked:
    statement = sql.encode()
    taken = [_seconds(lambda: connection.execute(statement).fetchall()) for _ in range(repetitions)]
    plan = connection.execute(b"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) " + statement).fetchall()
    return Asked(
        name=name,
        rows=len(connection.execute(statement).fetchall()),
        milliseconds=tuple(1000 * seconds for seconds in taken),
        plan=tuple(line for (line,) in plan),
    )


def as_grafana_asks(query: Query, chosen: Mapping[str, str], until: datetime) -> str:
    """The statement that reaches the server: variables quoted, the time filter expanded."""
    sql = re.sub(
        r"\$\{(\w+):sqlstring\}",
        lambda match: "'" + chosen[match.group(1)].replace("'", "''") + "'",
        query.for_grafana(),
    )
    return re.sub(
        r"\$__timeFilter\(([\w.]+)\)",
        rf"\1 BETWEEN '{STARTED.isoformat()}' AND '{until.isoformat()}'",
        sql,
    )


def _queries() -> dict[str, Query]:
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": value
        for module in _MODULES
        for name, value in vars(module).items()
        if isinstance(value, Query)
    }


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _dsn(server: Server, user: str) -> str:
    host = "127.0.0.1" if user == READER else server.folder
    return f"host={host} port={server.port} user={user} dbname={DATABASE}"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 if every limit is kept, 1 if one is not, 2 where PostgreSQL is missing.
    """
    arguments = _parser().parse_args(argv)
    os.environ[PASSWORD_VARIABLE] = _PASSWORD
    sys.stdout.write(f"{machine_line()}\n\n")
    try:
        with running_server() as server:
            exports, asked = _measure(server, arguments)
    except UserError as error:
        logger.error("%s", error)
        return 2
    sys.stdout.write(report(exports, asked, arguments.plans))
    write_json(
        arguments.out,
        {
            "benchmark": "store",
            "machine": machine(),
            "runs": arguments.runs,
            "metric_rows_a_run": arguments.rows,
            "export_seconds": exports,
            "questions": [asdict(item) for item in asked],
        },
    )
    kept = all(max(taken) <= _EXPORT_LIMIT_SECONDS for taken in exports.values())
    return int(not kept or any(median(item.milliseconds) > _QUERY_LIMIT_MS for item in asked))


def _measure(
    server: Server, arguments: argparse.Namespace
) -> tuple[dict[str, list[float]], list[Asked]]:
    migrate(server.owner)
    set_password(server.owner, WRITER, _PASSWORD)
    set_password(server.owner, READER, _PASSWORD)
    writer, repetitions = server.of(WRITER), arguments.repetitions
    exports = {}
    with tempfile.TemporaryDirectory(prefix="store-") as folder:
        file = sqlite_address(Path(folder) / "store.sqlite")
        exports["SQLite file"] = seconds_of_exports(file, "x", arguments.export, repetitions)
    exports["PostgreSQL, empty"] = seconds_of_exports(writer, "x", arguments.export, repetitions)
    with store_engine(server.owner) as engine, transaction(engine) as connection:
        for table in models.Base.metadata.tables:
            connection.execute(text(f"TRUNCATE {table}"))
    taken = _seconds(lambda: fill(server, arguments.runs, arguments.rows))
    logger.info("filled in %.0f s", taken)
    asked = ask_all(server, arguments.runs, repetitions)
    exports["PostgreSQL, full"] = seconds_of_exports(writer, "y", arguments.export, repetitions)
    return exports, asked


def report(exports: Mapping[str, Sequence[float]], asked: Sequence[Asked], plans: bool) -> str:
    """The results for people, in Markdown.

    Args:
        exports: Seconds of each export, by store.
        asked: The questions.
        plans: Whether the plan of each is shown.
    """
    slowest_first = sorted(asked, key=lambda item: -median(item.milliseconds))
    parts = [
        "## Exports\n\n",
        markdown_table(
            ["store", "seconds (least / median / most)", "limit"],
            [[name, spread(taken), _EXPORT_LIMIT_SECONDS] for name, taken in exports.items()],
        ),
        "\n## Questions of boards and alerts\n\n",
        markdown_table(
            ["question", "rows", "milliseconds (least / median / most)", "limit", ""],
            [
                [
                    item.name,
                    item.rows,
                    spread(item.milliseconds, 1),
                    _QUERY_LIMIT_MS,
                    "" if median(item.milliseconds) <= _QUERY_LIMIT_MS else "over",
                ]
                for item in slowest_first
            ],
        ),
    ]
    if plans:
        for item in slowest_first:
            parts.append(f"\n### {item.name}\n\n```\n" + "\n".join(item.plan) + "\n```\n")
    return "".join(parts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.store",
        description="Seconds of an export and milliseconds of every question of the boards.",
    )
    parser.add_argument("--runs", type=int, default=1000, help="runs that the store has")
    parser.add_argument("--rows", type=int, default=5000, help="rows of metrics of each run")
    parser.add_argument("--export", type=int, default=10_000, help="rows of metrics of an export")
    parser.add_argument("--repetitions", type=int, default=5, help="how often each is measured")
    parser.add_argument("--no-plans", dest="plans", action="store_false", help="show no plans")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/benchmarks/store.json"), help="file of the results"
    )
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    sys.exit(main())
