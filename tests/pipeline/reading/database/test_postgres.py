"""Tables and queries of a real PostgreSQL: one moment, one role that only reads, no value shown."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from pipeline.errors import UserError
from pipeline.reading.database.snapshot import take_snapshot
from pipeline.reading.database.transaction import Place, read_only
from pipeline.study.load import parse_study
from pipeline.study.sections import Database
from pipeline.study.study import Study
from tests.components.trial_example_gen.hand_made_trial import Trial, study_content
from tests.each import each
from tests.pipeline.reading.database.written_database import read_database, write_postgres
from tests.pipeline.reading.formats.every_format import write_in_every_format
from tests.pipeline.reading.random_trial import RandomTrial, random_trials
from tests.pipeline.reading.test_one_trial_in_every_format import found_in
from tests.pipeline.store.postgres_server import Server

pytestmark = pytest.mark.slow

ROLE, PASSWORD, VARIABLE = "edc_reader", "only for this: test@%2F?", "EDC_PASSWORD"
NAME, TRIALS = "edc", "random_trials"
PLACE = Place("datasets.dm.query")


@pytest.fixture(scope="module")
def owner(server: Server) -> Iterator[psycopg.Connection]:
    """The owner's connection to a database of its own, with a role that may only read."""
    socket: dict[str, Any] = {"host": str(server.folder), "port": server.port, "user": "postgres"}
    with psycopg.connect(**socket, dbname="trial", autocommit=True) as connection:
        for name in (NAME, TRIALS):
            connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
    with psycopg.connect(**socket, dbname=NAME, autocommit=True) as connection:
        connection.execute(
            f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {ROLE}; "
            "CREATE TABLE dm (usubjid text PRIMARY KEY, age numeric(6, 2), sex text, died boolean);"
            "INSERT INTO dm VALUES ('S2', 72, NULL, false), ('S1', 61.5, 'F', true);"
            "CREATE TABLE lb (usubjid text, lbtestcd text, lbdy int, lbstresn float8);"
            "INSERT INTO lb SELECT 'S' || i, 'ALT', 1, i FROM generate_series(1, 250) i"
        )
        yield connection


@pytest.fixture
def database(
    server: Server, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> Database:
    del owner
    monkeypatch.setenv(VARIABLE, PASSWORD)
    return Database(address=server.of(ROLE, NAME), password=f"env:{VARIABLE}")


def study(database: Database, **queries: str) -> Study:
    content = study_content({"database": database.model_dump()})
    for name, dataset in content["datasets"].items():
        del dataset["file"]
        dataset |= {"format": "sql", "query": queries[name]}
    return parse_study(content, "study.yaml")


DM = 'SELECT usubjid "USUBJID", age "AGE", sex "SEX", died::text "DIED" FROM dm ORDER BY 1'
LB = 'SELECT usubjid "USUBJID", lbtestcd "LBTESTCD", lbdy "LBDY", lbstresn "LBSTRESN" FROM lb'


def read(database: Database, query: str, rows: int = 100) -> list[Any]:
    """All rows of a query."""
    with read_only(database, "") as transaction:
        return [row for _, found in transaction.batches(PLACE, query, rows) for row in found]


def test_the_snapshot_holds_what_the_queries_answer(database: Database, tmp_path: Path) -> None:
    found = Path(take_snapshot(study(database, dm=DM, lb=LB), "", str(tmp_path / "s"), 100))
    assert pq.read_table(found / "dm.parquet").to_pylist() == [
        {"USUBJID": "S1", "AGE": 61.5, "SEX": "F", "DIED": "true"},
        {"USUBJID": "S2", "AGE": 72, "SEX": None, "DIED": "false"},
    ]
    labs = pq.read_table(found / "lb.parquet")
    assert labs["LBSTRESN"].to_pylist() == [float(number) for number in range(1, 251)]


def test_every_type_of_a_trial_is_read(database: Database, tmp_path: Path) -> None:
    types = (
        'SELECT 1::numeric / 3 "third", 9007199254740993 "key", DATE \'2024-01-02\' "day", '
        'TIMESTAMP \'2024-01-02 03:04:05\' "moment", TRUE "yes", NULL::text "nothing", '
        "TIMESTAMPTZ '2024-01-02 03:04:05+09' \"zoned\", TIME '10:30' \"clock\", "
        "'a%b'::char(5) \"text\", 'NaN'::numeric \"nan\""
    )
    whole = study(database, dm=DM, lb=LB.replace("FROM", f", t.* FROM ({types}) t,"))
    found = Path(take_snapshot(whole, "", str(tmp_path / "s")))
    row = pq.read_table(found / "lb.parquet").to_pylist()[0]
    assert row | {
        "USUBJID": "",
        "LBTESTCD": "",
        "LBDY": 0,
        "LBSTRESN": 0,
        "third": 0,
        "nan": 0,
    } == {
        "USUBJID": "",
        "LBTESTCD": "",
        "LBDY": 0,
        "LBSTRESN": 0,
        "third": 0,
        "key": 9007199254740993,
        "day": dt.date(2024, 1, 2),
        "moment": dt.datetime(2024, 1, 2, 3, 4, 5),
        "yes": True,
        "nothing": None,
        "zoned": dt.datetime(2024, 1, 1, 18, 4, 5, tzinfo=dt.UTC),
        "clock": dt.time(10, 30),
        "text": "a%b  ",
        "nan": 0,
    }
    assert str(row["third"]).startswith("0.333333333333333")


def test_a_table_is_read_in_the_order_of_its_key_and_by_its_schema(database: Database) -> None:
    content = study_content({"database": database.model_dump()})["datasets"]["dm"]
    del content["file"]
    dataset = type(study(database, dm=DM, lb=LB).datasets["dm"]).model_validate(
        content | {"format": "sql", "table": "public.dm"}
    )
    with read_only(database, "") as transaction:
        statement = transaction.statement(PLACE, dataset)
    assert statement == "SELECT * FROM public.dm ORDER BY usubjid"


def test_all_queries_see_one_moment(database: Database, owner: psycopg.Connection) -> None:
    count = "SELECT count(*) FROM lb"
    with read_only(database, "") as transaction:
        before = [row for _, rows in transaction.batches(PLACE, count, 10) for row in rows]
        owner.execute("INSERT INTO lb VALUES ('S251', 'ALT', 1, 251)")
        after = [row for _, rows in transaction.batches(PLACE, count, 10) for row in rows]
    owner.execute("DELETE FROM lb WHERE usubjid = 'S251'")
    assert before == after == [(250,)]


def test_rows_stay_on_the_server_until_they_are_fetched(database: Database) -> None:
    with read_only(database, "") as transaction:
        batches = transaction.batches(PLACE, "SELECT generate_series(1, 1000000000)", 10)
        assert [row[0] for row in next(batches)[1]] == list(range(1, 11))
        batches.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM dm",
        "WITH gone AS (DELETE FROM dm RETURNING *) SELECT * FROM gone",
        "SELECT 1; DELETE FROM dm",
        "SELECT 1; COMMIT; DELETE FROM dm",
        "SELECT setval('s', 1)",
    ],
)
def test_nothing_is_written_even_by_a_role_that_may(
    server: Server, owner: psycopg.Connection, query: str
) -> None:
    owner.execute("CREATE SEQUENCE IF NOT EXISTS s")
    of_owner = Database(address=server.owner.replace("/trial?", f"/{NAME}?"))
    with pytest.raises(UserError, match=r"^datasets.dm.query: the database refuses the query"):
        read(of_owner, query)
    [count] = owner.execute("SELECT count(*), (SELECT NOT is_called FROM s) FROM dm").fetchall()
    assert count == (2, True)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT * FROM labs", 'relation "labs" does not exist'),
        ("SELECT agee FROM dm", 'column "agee" does not exist'),
        ("SELEC", "syntax error"),
        ("SELECT * FROM pg_authid", "permission denied for table pg_authid"),
    ],
)
def test_what_is_wrong_with_a_query_is_reported(database: Database, query: str, told: str) -> None:
    with pytest.raises(UserError, match=r"^datasets.dm.query: ") as refused:
        read(database, query)
    assert told in str(refused.value)


def test_a_value_that_the_server_can_not_convert_is_not_reported(database: Database) -> None:
    with pytest.raises(UserError) as refused:
        read(database, "SELECT usubjid::int FROM dm ORDER BY 1")
    assert "S1" not in str(refused.value)
    assert "SQLSTATE 22P02" in str(refused.value)


def test_a_date_without_end_is_reported_with_its_row(database: Database) -> None:
    query = (
        "SELECT CASE WHEN i = 137 THEN 'infinity' ELSE DATE '2024-01-02' END "
        "FROM generate_series(1, 250) i"
    )
    for rows in each((50, 100, 1000)):
        with pytest.raises(UserError, match=r"^datasets.dm.query, row 137: the row can't be read"):
            read(database, query, rows)


def test_a_wrong_password_is_reported_without_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "hunter2")
    with pytest.raises(UserError, match=r"^database.address: no connection") as refused:
        read(database, "SELECT 1")
    assert "hunter2" not in f"{refused.value}{refused.value.__cause__}"
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(UserError, match=f"environment variable {VARIABLE} is not set"):
        read(database, "SELECT 1")
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n")
    from_file = database.model_copy(update={"password": f"file:{secret}"})
    assert read(from_file, "SELECT 1") == [(1,)]


def test_a_server_that_does_not_answer_is_reported() -> None:
    unreachable = Database(address="postgresql://reader@127.0.0.1:1/edc")
    with pytest.raises(UserError, match=r"^database.address: no connection"):
        read(unreachable, "SELECT 1")


@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(trial=random_trials())
def test_a_trial_in_postgresql_is_that_of_the_files(
    server: Server, owner: psycopg.Connection, trial: RandomTrial
) -> None:
    del owner
    with tempfile.TemporaryDirectory() as folder:
        address = server.owner.replace("/trial?", f"/{TRIALS}?")
        with psycopg.connect(address, autocommit=True) as connection:
            write_postgres(connection, trial.tables)
        found = found_in(read_database(trial, address, Path(folder)))
        _, files, described = next(write_in_every_format(Path(folder), trial.tables))
        expected = found_in(Trial(parse_study(trial.study(described), "study.yaml"), files))
        for what, value in each(expected.items()):
            assert found[what] == value, what
