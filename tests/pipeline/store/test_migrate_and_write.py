"""The store: what is added once, as a whole, and by whom."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text

from benchmarks.store_rows import run_rows as measured_rows
from pipeline.errors import UserError
from pipeline.estimates import Estimate
from pipeline.results.between_groups import BetweenGroups
from pipeline.results.documents import Curves
from pipeline.results.predicted_risks import PredictedRisk
from pipeline.results.referral import ReferralPoint
from pipeline.results.registration import Registration
from pipeline.store.engine import PASSWORD_VARIABLE, StoreDownError, store_engine, store_url
from pipeline.store.exported_study import ExportedStudy
from pipeline.store.migrate import READER, migrate
from pipeline.store.rows import evaluation_rows
from pipeline.store.writer import ATTEMPTS_VARIABLE, Patience, export
from tests.components.run_page.hand_made_run import BY_SITE
from tests.pipeline.store.postgres_server import READER_PASSWORD
from tests.pipeline.store.store_runs import (
    add_run,
    counts,
    curves,
    metrics,
    record,
    run_rows,
    study,
    verdict,
)

ONCE = Patience(attempts=1)
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def scalar(address: str, statement: str) -> object:
    engine = create_engine(store_url(address))
    with engine.connect() as connection:
        found = connection.execute(text(statement)).scalar_one()
    engine.dispose()
    return found


def test_a_run_is_added_with_all_that_it_measured(address: str) -> None:
    export(address, run_rows("r1"))

    assert counts(address) == {
        "runs": 1,
        "titles": 2,
        "outcomes": 1,
        "stages": 1,
        "stage_rows": 1,
        "models": 1,
        "task_verdicts": 1,
        "blessing_reasons": 0,
        "comparisons": 2,
        "thresholds": 1,
        "metrics": 4,
        "between_groups": 0,
        "predicted_risks": 0,
        "validations": 0,
        "validation_estimates": 0,
        "monitorings": 0,
        "monitored_values": 0,
        "monitored_drift": 0,
        "monitored_alarms": 0,
        "registry_entries": 0,
        "model_stages": 0,
        "calibration": 1,
        "referral": 0,
        "suppressed_groups": 2,
        "gate_findings": 2,
        "trial_progress": 0,
    }


def test_the_same_export_twice_changes_nothing(address: str) -> None:
    export(address, run_rows("r1"))
    before = counts(address)
    export(address, run_rows("r1"))

    assert counts(address) == before
    assert scalar(address, "SELECT value FROM metrics WHERE slice = 'F'") == 0.82


def test_rows_are_never_changed(address: str) -> None:
    export(address, run_rows("r1"))
    export(address, run_rows("r1", blessed=False))

    assert scalar(address, "SELECT count(*) FROM models WHERE blessed") == 1


def test_a_moment_comes_back_in_utc(address: str) -> None:
    export(address, run_rows("r1"))

    started = str(scalar(address, "SELECT started FROM runs"))
    assert started.startswith("2026-03-01 12:00:00")


def test_two_writers_at_once_lose_nothing(address: str) -> None:
    runs = [f"r{number}" for number in range(4)]
    with ProcessPoolExecutor(2, get_context("spawn")) as writers:
        list(writers.map(add_run, [address] * 4, runs))

    assert counts(address)["runs"] == 4
    assert counts(address)["metrics"] == 16


def test_an_export_that_breaks_off_leaves_nothing_half_visible(address: str) -> None:
    rows = run_rows("r1")
    # The last table's row lacks a value that it needs.
    last = list(rows)[-1]
    rows[last] = [{**rows[last][0], "ended": None}]

    with pytest.raises(UserError, match="Nothing was written"):
        export(address, rows, ONCE)

    assert counts(address)["metrics"] == 0


def test_migrating_twice_changes_nothing(address: str, request: pytest.FixtureRequest) -> None:
    owner = address
    if address.startswith("postgresql"):
        owner = request.getfixturevalue("server").owner
    migrate(owner)
    migrate(owner)

    export(address, run_rows("r1"))


def test_a_demand_on_the_point_and_one_on_the_interval_are_two_rows(sqlite: str) -> None:
    demands = [
        {"metric": "auc", "at_least": 0.7},
        {"metric": "auc", "at_least": 0.6, "holds": "bound"},
        {"metric": "sensitivity", "at_least": 0.5, "decision_threshold": 0.5},
    ]
    export(sqlite, run_rows("r1", thresholds=demands))

    with store_engine(sqlite) as engine, engine.connect() as connection:
        found = connection.execute(
            text("SELECT metric, holds, decision_threshold, at_least FROM thresholds ORDER BY 1, 2")
        ).fetchall()
    assert [tuple(row) for row in found] == [
        ("auc", "bound", 0.0, 0.6),
        ("auc", "point", 0.0, 0.7),
        ("sensitivity", "point", 0.5, 0.5),
    ]


def test_of_two_thresholds_with_the_same_key_the_strictest_limits_are_kept(sqlite: str) -> None:
    demands = [
        {"metric": "auc", "at_least": 0.7, "at_most": 0.95},
        {"metric": "auc", "at_least": 0.6, "at_most": 0.9},
    ]
    export(sqlite, run_rows("r1", thresholds=demands))

    assert scalar(sqlite, "SELECT at_least FROM thresholds") == 0.7
    assert scalar(sqlite, "SELECT at_most FROM thresholds") == 0.9


def test_a_store_of_an_unknown_revision_is_reported(sqlite: str) -> None:
    migrate(sqlite)
    with sqlite3.connect(sqlite.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(UserError, match="9999"):
        export(sqlite, run_rows("r1"), ONCE)


def test_the_runs_that_the_benchmark_makes_are_rows_of_the_store(sqlite: str) -> None:
    export(sqlite, measured_rows("r1", 300))

    assert scalar(sqlite, "SELECT count(*) FROM metrics") == 300
    assert scalar(sqlite, "SELECT count(*) FROM thresholds") == 10
    assert scalar(sqlite, "SELECT count(*) FROM comparisons") == 10


def test_of_a_suppressed_group_the_store_knows_the_name_alone(address: str) -> None:
    export(address, run_rows("r1"))

    engine = create_engine(store_url(address))
    with engine.connect() as connection:
        columns = connection.execute(text("SELECT * FROM suppressed_groups")).keys()
    engine.dispose()
    assert set(columns) == {"run", "task", "slicing", "slice", "reason"}


def test_no_group_below_the_smallest_is_in_any_table(address: str) -> None:
    export(address, run_rows("r1", record(slice={"sex": "F"}, metric="brier", subjects=30)))

    for table in ("metrics", "calibration"):
        assert int(str(scalar(address, f"SELECT min(subjects) FROM {table}"))) >= 10


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("postgresql://writer:secret@host/trial", PASSWORD_VARIABLE),
        ("mysql://host/trial", "PostgreSQL or SQLite, not mysql"),
        ("nonsense", "address of the store is invalid"),
        ("oracledb+x://host/trial", "address of the store is invalid"),
    ],
)
def test_an_address_that_can_not_be_used_is_reported(address: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        store_url(address)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "the password")
    with pytest.raises(StoreDownError, match="Nothing was written") as caught:
        export("postgresql://trial_writer@127.0.0.1:1/trial", run_rows("r1"), ONCE)
    assert "\n" not in str(caught.value)
    assert "the password" not in str(caught.value)


@pytest.mark.parametrize("given", ["0", "11", "many", "-1"])
def test_attempts_that_are_no_small_number_are_refused(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ATTEMPTS_VARIABLE, given)
    with pytest.raises(UserError, match="1 to 10"):
        Patience.from_environment()


def test_the_environment_says_how_often_a_store_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ATTEMPTS_VARIABLE, "7")
    assert Patience.from_environment().attempts == 7


def test_each_wait_for_a_store_is_twice_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("pipeline.store.writer.time.sleep", waits.append)

    with pytest.raises(StoreDownError):
        export("postgresql://no_role@127.0.0.1:1/trial", run_rows("r1"), Patience(attempts=4))
    assert waits == [1, 2, 4]


def test_a_locked_file_is_reported_and_nothing_is_half_written(
    sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.store.engine._SECONDS_FOR_A_LOCK", 0.1)
    export(sqlite, run_rows("r1"))
    with sqlite3.connect(sqlite.removeprefix("sqlite:///")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreDownError, match="database is locked"):
            export(sqlite, run_rows("r2"), ONCE)
        other.rollback()

    assert counts(sqlite)["runs"] == 1
    export(sqlite, run_rows("r2"))
    assert counts(sqlite)["runs"] == 2


def test_a_full_disk_is_reported_and_nothing_is_half_written(sqlite: str) -> None:
    export(sqlite, run_rows("r1"))
    file = sqlite.removeprefix("sqlite:///")
    # The shell's limit on the size of files stands for a disk without space.
    program = (
        "import sys\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from tests.pipeline.store.store_runs import record, run_rows\n"
        "from pipeline.store.writer import ATTEMPTS_VARIABLE, Patience, export\n"
        "from pipeline.errors import UserError\n"
        "more = [record(task=f't{n}') for n in range(4000)]\n"
        "rows = run_rows('r2', *more)\n"
        "try:\n"
        f"    export({sqlite!r}, rows, Patience(attempts=1))\n"
        "except UserError as error:\n"
        "    sys.exit(str(error))\n"
    )
    blocks = Path(file).stat().st_size // 512 + 64
    done = subprocess.run(
        [
            "bash",
            "-c",
            f'ulimit -f {blocks // 2}; exec "$@"',
            "bash",
            sys.executable,
            "-c",
            program,
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Nothing was written" in done.stderr
    assert "Traceback" not in done.stderr
    assert counts(sqlite)["runs"] == 1


@pytest.mark.slow
def test_the_reader_reads_and_can_write_nothing(
    postgres: str, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(postgres, run_rows("r1"))
    monkeypatch.setenv(PASSWORD_VARIABLE, READER_PASSWORD)
    reader = server.of(READER)
    assert counts(reader)["metrics"] == 4

    engine = create_engine(store_url(reader))
    for statement in (
        "INSERT INTO outcomes VALUES ('x', 'done', '', now(), NULL)",
        "UPDATE metrics SET value = 1",
        "DELETE FROM runs",
        "CREATE TABLE mine (a int)",
        "TRUNCATE metrics",
    ):
        with engine.connect() as connection, pytest.raises(Exception, match="permission denied"):
            connection.execute(text(statement))
    engine.dispose()


@pytest.mark.slow
def test_the_writer_adds_but_changes_and_deletes_nothing(postgres: str) -> None:
    export(postgres, run_rows("r1"))
    engine = create_engine(store_url(postgres))
    for statement in ("UPDATE metrics SET value = 1", "DELETE FROM runs", "DROP TABLE runs"):
        with engine.connect() as connection, pytest.raises(Exception, match=r"denied|owner"):
            connection.execute(text(statement))
    engine.dispose()


@pytest.mark.slow
@pytest.mark.usefixtures("postgres")
def test_what_a_role_may_not_do_is_reported_at_once(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting would not help: only what may pass is tried again."""
    monkeypatch.setenv(PASSWORD_VARIABLE, READER_PASSWORD)

    with pytest.raises(UserError, match="permission denied") as caught:
        export(server.of(READER), run_rows("r1"), Patience(attempts=2, first_wait=3600))
    assert not isinstance(caught.value, StoreDownError)


@pytest.mark.slow
def test_a_server_that_dies_during_an_export_leaves_nothing_and_the_export_is_repeated(
    postgres: str, server: Any
) -> None:
    """The server is stopped when half of the tables' rows wait to be committed."""
    seen: list[int] = []

    def stop_once(connection: Any, _cursor: Any, statement: Any, *_: Any) -> None:
        if "INSERT INTO calibration" not in statement:
            return
        server_was_stopped = bool(seen)
        waiting = connection.exec_driver_sql("SELECT count(*) FROM metrics").scalar_one()
        seen.append(waiting)
        if not server_was_stopped:
            server.control("stop", "-m", "immediate")

    def start_again(_seconds: float) -> None:
        server.control("start")
        assert counts(postgres)["metrics"] == 0

    event.listen(Engine, "before_cursor_execute", stop_once)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pipeline.store.writer.time.sleep", start_again)
            export(postgres, run_rows("r1"), Patience(attempts=2))
    finally:
        event.remove(Engine, "before_cursor_execute", stop_once)

    assert seen == [4, 4]
    assert counts(postgres)["runs"] == 1
    assert counts(postgres)["metrics"] == 4


def test_the_summary_over_groups_is_added(address: str) -> None:
    between = BetweenGroups(
        task="death", metric="auc", groups=2, left_out=1, lowest=0.6, highest=0.8, mean=0.7
    )
    found = metrics().model_copy(update={"between_groups": (between,), "evaluation": BY_SITE})
    rows = evaluation_rows(
        "r1",
        ExportedStudy.of(study()),
        found,
        verdict(),
        curves(),
        Registration(registered=True, reason=None),
    )
    export(address, rows)

    assert scalar(address, "SELECT highest FROM between_groups WHERE task = 'death'") == 0.8
    assert scalar(address, "SELECT new_upper FROM between_groups") is None
    assert scalar(address, "SELECT folds FROM models WHERE scheme = 'internal_external'") == 4


def test_mean_predictions_beside_risks_are_added(address: str) -> None:
    risk = PredictedRisk(
        task="death",
        arm="A",
        risk=Estimate(0.1, 0.08, 0.13),
        mean_prediction=Estimate(0.15),
        outcome="fails",
        reason="outside_interval",
    )
    judged = verdict().model_copy(update={"risks": (risk,)})
    rows = evaluation_rows(
        "r1",
        ExportedStudy.of(study()),
        metrics(),
        judged,
        curves(),
        Registration(registered=True, reason=None),
    )
    export(address, rows)

    assert scalar(address, "SELECT risk_upper FROM predicted_risks WHERE arm = 'A'") == 0.13
    assert scalar(address, "SELECT mean_prediction FROM predicted_risks") == 0.15
    assert scalar(address, "SELECT mean_upper FROM predicted_risks") is None
    assert scalar(address, "SELECT outcome FROM predicted_risks") == "fails"


def test_what_leaving_the_least_certain_of_all_subjects_to_people_gains_is_added(
    address: str,
) -> None:
    (overall,) = curves().curves
    points = tuple(
        ReferralPoint(referred=share, subjects=kept, widest=0.3, observed_rate=0.2, brier=brier)
        for share, kept, brier in ((0.0, 60, 0.2), (0.25, 45, 0.15))
    )
    of_women = {"slice": {"sex": "F"}, "subjects": 30}
    found = Curves(
        curves=(
            overall.model_copy(update={"referral": points[:1], **of_women}),
            overall.model_copy(update={"referral": points}),
        )
    )
    rows = evaluation_rows(
        "r1",
        ExportedStudy.of(study()),
        metrics(),
        verdict(),
        found,
        Registration(registered=True, reason=None),
    )
    export(address, rows)

    assert counts(address)["referral"] == 2
    assert scalar(address, "SELECT brier FROM referral WHERE point = 1") == 0.15
    assert scalar(address, "SELECT subjects FROM referral WHERE referred = 0.25") == 45
