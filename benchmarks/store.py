"""The store at its size: seconds of an export, and milliseconds of every question of the boards.

A PostgreSQL server of its own gets a run made by hand, which is then copied to a thousand, one a
day. Questions are asked as Grafana asks them: as the reading role, with the whole time that the
store covers, values written into the statement.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import text

from benchmarks.postgres import DATABASE, Server, running_server
from benchmarks.report import machine, machine_line, markdown_table, spread, write_json
from grafana.queries import alerts, model_quality, pipeline_health, trial_progress, variables
from grafana.queries.query import Query
from pipeline.errors import UserError
from pipeline.store import models
from pipeline.store.engine import PASSWORD_VARIABLE, store_engine, transaction
from pipeline.store.migrate import READER, WRITER, migrate, set_password
from pipeline.store.rows import NO_THRESHOLD, Row, Rows
from pipeline.store.sqlite_file import sqlite_address
from pipeline.store.writer import export

logger = logging.getLogger(__name__)
_PASSWORD = "of this measurement"
_EXPORT_LIMIT_SECONDS = 2.0
_QUERY_LIMIT_MS = 200.0
_STARTED = datetime(2024, 1, 1, tzinfo=UTC)
_FIRST = "run-00000"
_STUDY = "hand"
_TASKS = tuple(f"task_{number}" for number in range(1, 6))
_MODELS = ("challenger", "champion", "difference")
_METRICS = tuple(
    (metric, decision)
    for metrics, decisions in (
        (
            (
                *("auc", "pr_auc", "brier", "log_loss", "calibration_slope"),
                *("calibration_in_the_large", "expected_calibration_error"),
                *("observed_rate", "mean_prediction", "subjects_share"),
            ),
            (0.0,),
        ),
        (
            (
                "sensitivity",
                "specificity",
                "positive_predictive_value",
                "false_positive_rate",
                "false_negative_rate",
            ),
            (0.2, 0.5),
        ),
    )
    for metric in metrics
    for decision in decisions
)
_SEXES = ("F", "M")
_AGES = ("<50", "50 to <65", "65 to <75", ">=75")
_CHOSEN = {
    "study": _STUDY,
    "task": _TASKS[0],
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


def groups(count: int) -> Iterator[tuple[str, str]]:
    """(slicing, group) of as many groups: everybody, sex, age, both, then sites."""
    made: Iterator[tuple[str, str]] = itertools.chain(
        [("", "")],
        (("sex", sex) for sex in _SEXES),
        (("age", age) for age in _AGES),
        (("sex, age", f"{sex}, {age}") for sex in _SEXES for age in _AGES),
        (("site", f"{number:03}") for number in itertools.count(1)),
    )
    return itertools.islice(made, count)


def run_rows(run: str, metric_rows: int) -> Rows:
    """All rows of a run, of its metrics about as many as asked for (in steps of 300)."""
    cells = list(groups(-(-metric_rows // (len(_TASKS) * len(_METRICS) * len(_MODELS)))))
    number = {"value": 0.5, "lower": 0.4, "upper": 0.6}
    of_task = [
        {"run": run, "task": task, "slicing": slicing, "slice": group}
        for task in _TASKS
        for slicing, group in cells
    ]
    return {
        models.Run: [
            {
                "run": run,
                "study": _STUDY,
                "started": _STARTED,
                "runner": "local",
                "started_by": "benchmark",
                "code_version": "0",
                "study_digest": "",
                "fingerprint": "",
                "data_modified": _STARTED,
                "smallest_group": 10,
                "parameters": {},
            }
        ],
        models.Outcome: [
            {"run": run, "status": "done", "failed_stage": "", "ended": _STARTED, "reason": None}
        ],
        models.Stage: [
            {
                "run": run,
                "stage": f"Stage{place}",
                "started": _STARTED + timedelta(seconds=place),
                "status": "done",
                "seconds": 1.0,
                "peak_memory_mb": 1000.0,
                "error": None,
            }
            for place in range(17)
        ],
        models.StageRows: [
            {
                "run": run,
                "stage": "TrialExampleGen",
                "dataset": f"dataset{place}",
                "split": "",
                "rows_in": 1000,
                "used": 990,
                "left_out": 5,
                "rejected": 5,
                "subjects": None,
            }
            for place in range(6)
        ],
        models.Model: [
            {
                "run": run,
                "study": _STUDY,
                "blessed": True,
                "judged": True,
                "comparisons": 20,
                "registered": True,
                "not_registered": None,
                "champion": True,
            }
        ],
        models.BlessingReason: [
            {
                **of_task[0],
                "number": place,
                "metric": "auc",
                "decision_threshold": NO_THRESHOLD,
                "value": 0.5,
                "message": "a threshold was not reached",
            }
            for place in range(3)
        ],
        models.Threshold: [
            {
                "run": run,
                "task": task,
                "metric": "auc",
                "scope": scope,
                "versus": "",
                "holds": "point",
                "decision_threshold": NO_THRESHOLD,
                "at_least": 0.6,
                "at_most": None,
            }
            for task in _TASKS
            for scope in ("overall", "every_slice")
        ],
        models.Comparison: list(_comparisons(of_task)),
        models.Metric: [
            {
                **cell,
                "metric": metric,
                "decision_threshold": decision,
                "model": model,
                **number,
                "subjects": 100,
                "positives": 50,
            }
            for cell in of_task
            for metric, decision in _METRICS
            for model in _MODELS
        ],
        models.CalibrationBin: [
            {
                **cell,
                "model": model,
                "bin": place,
                "mean_prediction": place / 10,
                "observed_rate": place / 10,
                "lower": 0.0,
                "upper": 1.0,
                "subjects": 20,
            }
            for cell in of_task
            for model in _MODELS[:2]
            for place in range(10)
        ],
        models.SuppressedGroup: [
            {
                "run": run,
                "task": task,
                "slicing": "site",
                "slice": f"{place}",
                "reason": "too_small",
            }
            for task in _TASKS
            for place in range(900, 910)
        ],
        models.GateFinding: [
            {
                "run": run,
                "number": place,
                "rule": "drift",
                "severity": "ok",
                "feature": f"feature{place}",
                "task": None,
                "split": None,
                "dataset": None,
                "value": 0.1,
                "limit": 0.2,
                "message": "within its limit",
            }
            for place in range(60)
        ],
        models.TrialProgress: list(_progress(run)),
    }


def _comparisons(of_task: Sequence[Row]) -> Iterator[Row]:
    """AUC of every group, of the new model and of the champion, with one limit each."""
    for number, (cell, model) in enumerate(itertools.product(of_task, _MODELS[:2])):
        yield {
            **cell,
            "number": number,
            "model": model,
            "metric": "auc",
            "decision_threshold": NO_THRESHOLD,
            "side": "at_least",
            "limit": 0.6,
            "holds": "point",
            "value": 0.5,
            "outcome": "fails",
            "reason": "beyond_limit",
            "message": "a threshold was not reached",
        }


def _progress(run: str) -> Iterator[Row]:
    arms = (None, "active", "placebo")
    parts: list[dict[str, Any]] = [
        {"section": "enrolment", "measure": "subjects"},
        *({"section": "enrolment", "measure": "subjects", "site": f"{n:03}"} for n in range(100)),
        *(
            {"section": "enrolment", "measure": "subjects", "period": f"20{year}-{month:02}"}
            for year in (21, 22, 23)
            for month in range(1, 13)
        ),
        *(
            {"section": "disposition", "measure": "share", "category": reason, "arm": arm}
            for reason in ("completed", "adverse event", "withdrawal", "lost to follow-up")
            for arm in arms
        ),
        *({"section": "exposure", "measure": "mean", "arm": arm} for arm in arms),
        *(
            {
                "section": "adverse_events",
                "measure": measure,
                "category": f"class {n}",
                "severity": severity,
                "arm": arm,
            }
            for n in range(25)
            for severity in (None, "MILD", "MODERATE", "SEVERE")
            for arm in arms[1:]
            for measure in ("share", "risk_difference")
        ),
        *(
            {
                "section": "endpoint",
                "measure": "mean",
                "parameter": parameter,
                "visit": f"week {week}",
                "arm": arm,
            }
            for parameter in ("ALT", "AST", "BILI")
            for week in range(0, 52, 4)
            for arm in arms[1:]
        ),
        *(
            {"section": "completeness", "measure": "share", "site": f"{n:03}", "category": "adsl"}
            for n in range(100)
        ),
    ]
    nothing = dict.fromkeys(("arm", "site", "period", "category", "severity", "visit", "parameter"))
    for number, part in enumerate(parts):
        yield {
            "run": run,
            "number": number,
            **nothing,
            "value": 0.5,
            "lower": 0.4,
            "upper": 0.6,
            "subjects": 50,
            **part,
        }


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
    until = _STARTED + timedelta(days=runs)
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
        rf"\1 BETWEEN '{_STARTED.isoformat()}' AND '{until.isoformat()}'",
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
