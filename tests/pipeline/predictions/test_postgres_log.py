"""Roles and rights of a prediction log, on a real PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import text

from pipeline.errors import UserError
from pipeline.outputs.output import Within
from pipeline.outputs.register import outputs_within
from pipeline.predictions.open_log import open_log
from pipeline.predictions.postgres_log import (
    OUTCOME_WRITER,
    PASSWORD_VARIABLE,
    READER,
    WRITER,
    log_url,
    prepare,
)
from pipeline.store import migrate
from pipeline.store.engine import StoreDownError, postgres_engine
from tests.each import each
from tests.pipeline.predictions.conftest import (
    OUTCOME_WRITER_PASSWORD,
    READER_PASSWORD,
    WRITER_PASSWORD,
)
from tests.pipeline.predictions.hand_made import STUDY, add, record, subjects_of
from tests.pipeline.store import postgres_server
from tests.pipeline.store.postgres_server import DATABASE, Server

pytestmark = pytest.mark.slow

TABLES = ("predictions.predicted", "predictions.batches", "predictions.outcomes")


def connected(server: Server, role: str, password: str) -> psycopg.Connection:
    where = f"host=127.0.0.1 port={server.port} dbname={DATABASE}"
    return psycopg.connect(f"{where} user={role}", password=password, autocommit=True)


def test_the_writer_adds_rows_and_can_read_change_or_remove_none(
    postgres_log: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, WRITER_PASSWORD)
    log = open_log(server.of(WRITER))
    add(log, "a")
    add(log, "a")

    with pytest.raises(UserError, match="permission denied for table predicted"):
        list(log.read(STUDY))
    with pytest.raises(UserError, match="permission denied"):
        log.forget(STUDY, ["a"])
    with pytest.raises(UserError, match="permission denied"):
        log.expire(date(2030, 1, 1))
    with pytest.raises(UserError, match="permission denied for table outcomes"):
        record(log, "a")
    monkeypatch.delenv(PASSWORD_VARIABLE)
    assert subjects_of(open_log(postgres_log).read(STUDY)) == ["a", "a"]


def test_the_reader_reads_rows_and_can_write_none(
    postgres_log: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(open_log(postgres_log), "a")
    monkeypatch.setenv(PASSWORD_VARIABLE, READER_PASSWORD)
    log = open_log(server.of(READER))

    assert subjects_of(log.read(STUDY)) == ["a", "a"]
    with pytest.raises(UserError, match="permission denied"):
        add(log, "b", run="run-2")
    with pytest.raises(UserError, match="permission denied"):
        log.forget(STUDY, ["a"])
    with pytest.raises(UserError, match="permission denied"):
        record(log, "a")
    monkeypatch.delenv(PASSWORD_VARIABLE)
    record(open_log(postgres_log), "a")
    monkeypatch.setenv(PASSWORD_VARIABLE, READER_PASSWORD)
    assert subjects_of(log.read_outcomes(STUDY)) == ["a"]


def test_the_writer_of_outcomes_sees_who_was_predicted_and_adds_outcomes_alone(
    postgres_log: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(open_log(postgres_log), "a")
    monkeypatch.setenv(PASSWORD_VARIABLE, OUTCOME_WRITER_PASSWORD)
    log = open_log(server.of(OUTCOME_WRITER))

    assert subjects_of(log.read(STUDY)) == ["a", "a"]
    assert record(log, "a")
    assert not record(log, "a")
    with pytest.raises(UserError, match="permission denied for table outcomes"):
        list(log.read_outcomes(STUDY))
    with pytest.raises(UserError, match="permission denied for table predicted"):
        add(log, "b", run="run-2")
    with pytest.raises(UserError, match="permission denied"):
        log.forget(STUDY, ["a"])
    monkeypatch.delenv(PASSWORD_VARIABLE)
    assert subjects_of(open_log(postgres_log).read_outcomes(STUDY)) == ["a"]


@pytest.mark.parametrize(
    ("role", "password"),
    [
        (migrate.READER, postgres_server.READER_PASSWORD),
        (migrate.WRITER, postgres_server.WRITER_PASSWORD),
    ],
)
def test_the_roles_of_the_store_see_nothing_of_it(
    postgres_log: str, server: Server, role: str, password: str
) -> None:
    """The first of them is Grafana's."""
    add(open_log(postgres_log), "a")
    with connected(server, role, password) as connection:
        for table in each(TABLES):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {table}".encode())
        listed = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'predictions'"
        assert connection.execute(listed.encode()).fetchone() == (0,)
        assert connection.execute(b"SELECT count(*) FROM runs").fetchone() is not None


@pytest.mark.parametrize(
    ("role", "password"),
    [
        (WRITER, WRITER_PASSWORD),
        (OUTCOME_WRITER, OUTCOME_WRITER_PASSWORD),
        (READER, READER_PASSWORD),
    ],
)
def test_the_roles_of_the_log_see_nothing_of_the_store(
    prepared: str, server: Server, role: str, password: str
) -> None:
    assert prepared
    with connected(server, role, password) as connection:
        for table in each(("runs", "metrics", "titles")):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {table}".encode())


def test_its_tables_are_in_the_register_of_outputs(prepared: str) -> None:
    engine = postgres_engine(log_url(prepared))
    with engine.connect() as connection:
        listed = text("SELECT tablename FROM pg_tables WHERE schemaname = 'predictions'")
        tables = {f"predictions.{name}" for name in connection.execute(listed).scalars()}
    engine.dispose()
    registered = (output.places for output in outputs_within(Within.PREDICTION_LOG))
    assert tables == {place for places in registered for place in places if "/" not in place}


def test_to_prepare_it_again_changes_nothing(postgres_log: str) -> None:
    add(open_log(postgres_log), "a")
    assert prepare(postgres_log) == {
        WRITER: False,
        OUTCOME_WRITER: False,
        READER: False,
    }
    assert subjects_of(open_log(postgres_log).read(STUDY)) == ["a", "a"]


def test_a_log_of_a_later_release_is_left_alone(postgres_log: str) -> None:
    engine = postgres_engine(log_url(postgres_log))
    change = text("UPDATE predictions.alembic_version SET version_num = :found")
    with engine.connect() as connection:
        current = text("SELECT version_num FROM predictions.alembic_version")
        found = connection.execute(current).scalar_one()
    try:
        with engine.begin() as connection:
            connection.execute(change, {"found": "9999"})
        with pytest.raises(UserError, match="revision 9999"):
            prepare(postgres_log)
    finally:
        with engine.begin() as connection:
            connection.execute(change, {"found": found})
        engine.dispose()


def test_a_database_without_a_log_says_what_to_do(server: Server) -> None:
    address = server.owner.replace(f"/{DATABASE}?", "/postgres?")
    with pytest.raises(UserError, match="trial predictions prepare"):
        add(open_log(address), "a")


def test_a_database_that_does_not_answer_may_be_tried_again() -> None:
    with pytest.raises(StoreDownError, match="the prediction log rejected the write"):
        add(open_log("postgresql://someone@127.0.0.1:1/predictions"), "a")


KILLED = """
import os, signal, sys
from pipeline.predictions import postgres_log
from pipeline.predictions.open_log import open_log
from tests.pipeline.predictions.hand_made import add

copied = postgres_log._copy

def killed(*arguments):
    copied(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

postgres_log._copy = killed
add(open_log(sys.argv[1]), "a")
"""


def test_a_writer_that_is_killed_leaves_nothing(postgres_log: str) -> None:
    """Killed when all rows are on the server, and before the transaction ends."""
    command = [sys.executable, "-c", KILLED, postgres_log]
    ended = subprocess.run(command, check=False, env=os.environ)
    assert ended.returncode == -signal.SIGKILL

    assert subjects_of(open_log(postgres_log).read(STUDY)) == []
    add(open_log(postgres_log), "a")
    assert subjects_of(open_log(postgres_log).read(STUDY)) == ["a", "a"]
