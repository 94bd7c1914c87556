"""Stores of earlier releases: migrated with all that is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from pipeline.metrics import current_name
from pipeline.store.engine import store_engine, store_url
from pipeline.store.migrate import migrate, open_current
from pipeline.store.models import Base
from pipeline.store.pending import ExportFile
from pipeline.store.writer import export
from tests.pipeline.store.earlier_stores import ROWS, make_store_of_0_1_0, upgrade
from tests.pipeline.store.postgres_server import DATABASE
from tests.pipeline.store.store_runs import counts, record, run_rows

MEASURED = "task, model, metric, slice, value, subjects"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def owner(request: pytest.FixtureRequest) -> str:
    """Address of an empty store, with a user who may make tables."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite"))
    server = request.getfixturevalue("server")
    dsn = f"host={server.folder} port={server.port} user=postgres dbname={DATABASE}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        # A session that was just closed may still be ending on the server.
        connection.execute(b"DROP DATABASE IF EXISTS empty WITH (FORCE)")
        connection.execute(b"CREATE DATABASE empty")
    address: str = server.owner.replace(f"/{DATABASE}?", "/empty?")
    return address


def rows(address: str, statement: str) -> Sequence[Any]:
    engine = create_engine(store_url(address))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(statement))]
    engine.dispose()
    return found


def test_migrations_make_the_tables_that_the_code_knows(owner: str) -> None:
    migrate(owner)

    with store_engine(owner) as engine, engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert differences == []


def test_a_store_of_the_first_revision_keeps_its_thresholds(owner: str) -> None:
    with store_engine(owner) as engine, engine.begin() as connection:
        upgrade(connection, "0001")
        connection.execute(
            text("INSERT INTO thresholds VALUES ('r0', 'death', 'auc', 'overall', '', 0.6, NULL)")
        )

    migrate(owner)

    kept = "SELECT scope, holds, decision_threshold FROM thresholds WHERE at_least = 0.6"
    assert rows(owner, kept) == [("overall", "point", 0.0)]


def test_a_store_of_0_1_0_loses_no_row(owner: str) -> None:
    make_store_of_0_1_0(owner)
    migrate(owner)

    found = counts(owner)
    assert {table: found[table] for table in ROWS} == {t: len(r) for t, r in ROWS.items()}
    assert found["comparisons"] == 0


def test_a_place_becomes_a_scope(owner: str) -> None:
    make_store_of_0_1_0(owner)
    migrate(owner)

    found = rows(owner, "SELECT metric, scope FROM thresholds ORDER BY metric")
    assert found == [("auc", "every_slice"), ("sensitivity", "overall")]


def test_rows_left_out_become_excluded(owner: str) -> None:
    make_store_of_0_1_0(owner)
    migrate(owner)

    found = rows(owner, "SELECT dataset, rows_in, used, excluded, rejected FROM stage_rows")
    assert found == [("dm", 70, 60, 8, 2)]


def test_metrics_get_the_names_of_this_release(owner: str) -> None:
    make_store_of_0_1_0(owner)
    migrate(owner)

    found = rows(owner, "SELECT DISTINCT metric, value FROM metrics ORDER BY metric, value")
    decisions = [row for row in found if row[0] != "auc"]
    assert decisions == [("positive_predictive_value", 0.3), ("sensitivity", 0.4)]


def test_a_reason_names_its_metric_as_this_release_does(owner: str) -> None:
    make_store_of_0_1_0(owner)
    migrate(owner)

    assert rows(owner, "SELECT metric, message FROM blessing_reasons") == [
        (
            "sensitivity",
            "death: sensitivity at decision threshold 0.5 overall is 0.4, below 0.6",
        )
    ]


def test_a_migrated_store_takes_runs(owner: str) -> None:
    make_store_of_0_1_0(owner)
    migrate(owner)
    export(owner, run_rows("r1"))

    assert rows(owner, "SELECT DISTINCT run FROM comparisons") == [("r1",)]


@pytest.mark.slow
@pytest.mark.parametrize("owner", ["postgresql"], indirect=True)
def test_roles_may_use_the_table_of_comparisons_as_the_others(owner: str) -> None:
    make_store_of_0_1_0(owner)
    migrate(owner)

    allowed = {
        (role, right)
        for role in ("trial_reader", "trial_writer")
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
        if rows(owner, f"SELECT has_table_privilege('{role}', 'comparisons', '{right}')")[0][0]
    }
    assert allowed == {
        ("trial_reader", "SELECT"),
        ("trial_writer", "SELECT"),
        ("trial_writer", "INSERT"),
    }


def test_a_file_of_0_1_0_is_migrated_when_it_is_opened(sqlite: str) -> None:
    make_store_of_0_1_0(sqlite)
    open_current(sqlite)

    assert rows(sqlite, "SELECT version_num FROM alembic_version") == [("0017",)]


def test_earlier_metrics_are_compared_with_the_champion_alone(owner: str) -> None:
    make_store_of_0_1_0(owner)
    before = rows(owner, f"SELECT {MEASURED} FROM metrics ORDER BY {MEASURED}")
    migrate(owner)

    expected = [(task, of, current_name(metric), *rest) for task, of, metric, *rest in before]
    kept = rows(owner, f"SELECT {MEASURED} FROM metrics WHERE versus = ''")
    assert sorted(kept, key=str) == sorted(expected, key=str)


def test_differences_to_two_models_stand_beside_each_other(owner: str) -> None:
    make_store_of_0_1_0(owner)
    migrate(owner)
    differences = (
        record(model="difference", value=0.05),
        record(model="difference", value=0.01, versus="ridge"),
        record(model="difference", value=0.02, versus="base_rate"),
    )
    export(owner, run_rows("r1", *differences))
    export(owner, run_rows("r1", *differences))

    found = rows(
        owner, "SELECT versus, value FROM metrics WHERE model = 'difference' ORDER BY versus"
    )
    assert found == [("", 0.05), ("base_rate", 0.02), ("ridge", 0.01)]


def test_the_table_of_metrics_keeps_its_index(owner: str) -> None:
    make_store_of_0_1_0(owner)
    migrate(owner)

    with store_engine(owner) as engine:
        found = inspect(engine).get_indexes("metrics")
        key = inspect(engine).get_pk_constraint("metrics")["constrained_columns"]
    assert [index["name"] for index in found] == ["metrics_over_runs"]
    assert key[-2:] == ["model", "versus"]


def test_an_earlier_model_was_evaluated_on_a_test_split(owner: str) -> None:
    make_store_of_0_1_0(owner)
    migrate(owner)

    assert rows(owner, "SELECT scheme, folds, repeats FROM models") == [("split", 0, 0)]


def test_a_run_of_0_1_0_has_a_verdict_on_each_task_by_its_own_refusals(sqlite: str) -> None:
    make_store_of_0_1_0(sqlite)
    open_current(sqlite)

    found = rows(sqlite, "SELECT run, task, verdict, reason FROM task_verdicts")
    refusal = "death: sensitivity at decision threshold 0.5 overall is 0.4, below 0.6"
    assert found == [("r0", "death", "refused", refusal)]


def test_rows_that_0_1_0_left_pending_can_be_added(sqlite: str) -> None:
    pending = {table: ROWS[table] for table in ("thresholds", "stage_rows", "metrics", "models")}
    left = ExportFile(status="pending", store="", pending=pending)
    read = ExportFile.model_validate_json(left.to_json())
    export(sqlite, read.pending_rows())

    found = rows(sqlite, "SELECT metric, scope FROM thresholds ORDER BY metric")
    assert found == [("auc", "every_slice"), ("sensitivity", "overall")]
    assert rows(sqlite, "SELECT excluded FROM stage_rows") == [(8,)]
    assert rows(sqlite, "SELECT DISTINCT versus FROM metrics") == [("",)]
    assert rows(sqlite, "SELECT scheme FROM models") == [("split",)]
    assert rows(sqlite, "SELECT DISTINCT origin FROM thresholds") == [("study",)]
