"""Every query of every board and alert on a real PostgreSQL, filled by real runs of two studies.

No Grafana server takes part: the generated files are read as Grafana reads them, and each query
is run as the role that Grafana gets.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors

from grafana.queries.alerts import ALERTS
from pipeline.store.engine import PASSWORD_VARIABLE
from pipeline.store.migrate import READER, WRITER, migrate, set_password
from pipeline.store.writer import export
from tests.each import each
from tests.grafana.grafana_files import (
    BOARDS,
    Asked,
    alert_queries,
    board,
    expanded,
    filled,
    panel_queries,
    queries,
)
from tests.pipeline.store.hand_made_store import VALIDATED, at, fill, validation_run
from tests.pipeline.store.postgres_server import DATABASE, READER_PASSWORD, WRITER_PASSWORD, Server

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
SMALL = ("--subjects", "1000", "--steps", "50")
SINCE = "2026-01-01T00:00:00Z"
UNTIL = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
STUDIES = ("synthetic", "actg175")
OIDS = {
    "time": {"timestamptz"},
    "text": {"text"},
    "number": {"float8", "numeric"},
    "count": {"int4", "int8"},
}
MADE_BY_HAND = "hand"
"""A study whose summary of the trial is made by hand."""


@pytest.fixture(scope="module")
def store(server: Server, tmp_path_factory: pytest.TempPathFactory, trial_data_dir: Path) -> str:
    """Name of a database that real runs were exported to, two of them with a champion."""
    name = f"{DATABASE}_boards"
    with psycopg.connect(_dsn(server, "postgres", DATABASE), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    owner = server.owner.replace(f"/{DATABASE}?", f"/{name}?")
    migrate(owner)
    set_password(owner, WRITER, WRITER_PASSWORD)
    set_password(owner, READER, READER_PASSWORD)
    address = server.of(WRITER, name)
    root = tmp_path_factory.mktemp("runs")
    lenient = _lenient_synthetic_study(tmp_path_factory.mktemp("study"))
    run(address, root, "--study", str(lenient), "--seed", "1", *SMALL)
    run(address, root, "--study", str(lenient), "--seed", "2", *SMALL)
    run(address, root, "--study", str(lenient), "--seed", "3", "--subjects", "150", expected=2)
    data = str(trial_data_dir / "actg175")
    run(address, root, "--study", "actg175", "--data", data, "--steps", "50")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSWORD_VARIABLE, WRITER_PASSWORD)
        fill(address)
        for study in STUDIES:
            export(address, at(validation_run(f"validated-{study}", study), VALIDATED, study=study))
    return name


def _lenient_synthetic_study(folder: Path) -> Path:
    """The synthetic study for a few hundred subjects: its models are blessed."""
    source = REPOSITORY / "schema" / "synthetic"
    text = re.sub(r"at_least: 0\.\d+", "at_least: 0.1", (source / "study.yaml").read_text())
    text = re.sub(r"at_most: 0\.\d+", "at_most: 0.9", text)
    text = text.replace("at_least: -0.05, holds: bound", "at_least: -0.9")
    text = text.replace("smallest_group: 50", "smallest_group: 20")
    evaluation = "evaluation: {scheme: split, default_thresholds: false}"
    text = text.replace("evaluation: {scheme: auto}", evaluation)
    (folder / "study.yaml").write_text(text)
    (folder / "schema.pbtxt").write_text((source / "schema.pbtxt").read_text())
    return folder / "study.yaml"


def run(address: str, root: Path, *options: str, expected: int = 0) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.local_runner"),
            *("--root", root, "--store", address, *options),  # type: ignore[list-item]
        ],
        cwd=REPOSITORY,
        env={**os.environ, PASSWORD_VARIABLE: WRITER_PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Not exported" not in done.stdout


def _dsn(server: Server, user: str, database: str) -> str:
    return f"host={server.folder} port={server.port} user={user} dbname={database}"


@pytest.fixture(scope="module")
def reader(server: Server, store: str) -> Iterator[psycopg.Connection]:
    """A connection of the role that Grafana gets, over the network, with its password."""
    address = f"host=127.0.0.1 port={server.port} user={READER} dbname={store}"
    with psycopg.connect(address, password=READER_PASSWORD, autocommit=True) as connection:
        yield connection


def chosen(reader: psycopg.Connection, uid: str, study: str) -> dict[str, str]:
    """What Grafana chooses when a board is opened for a study: the first value of each variable."""
    values = {}
    for item in board(uid)["templating"]["list"]:
        if item["type"] == "custom":
            values[item["name"]] = item["current"]["value"]
            continue
        rows = reader.execute(expanded(filled(item["query"], values), SINCE, UNTIL)).fetchall()
        found = [str(row[0]) for row in rows]
        assert len(set(found)) == len(found), f"{item['name']}: values twice"
        if item["name"] == "study":
            assert study in found
            values["study"] = study
        else:
            values[item["name"]] = found[0] if found else ""
    return values


def ask(
    reader: psycopg.Connection[Any], asked: Asked, values: dict[str, str]
) -> list[tuple[Any, ...]]:
    """Runs a query; its columns have the names and types that the project promises."""
    cursor = reader.execute(expanded(filled(asked.sql, values), SINCE, UNTIL))
    found = {column.name: column.type_display for column in cursor.description}  # type: ignore[union-attr]
    assert list(found) == list(asked.query.columns)
    for name, kind in asked.query.columns.items():
        assert found[name] in OIDS[kind], (asked.place, name, found[name])
    return cursor.fetchall()


NOTHING_AT_FIRST = ("better than the champion", "Do distributions drift")
"""What a study's first run can't show: there is nothing to compare with."""

NOTHING_IN_SMALL_PARTS = "leaving the least certain"
"""What a test split of 200 subjects with few events can't show."""

OF_GROUPS_LEFT_OUT = "groups that its models never saw"
"""What only a run under `internal_external` shows, as the one made by hand is."""

QUALITY_AND_HEALTH = [asked for uid in (BOARDS[0], BOARDS[2]) for asked in panel_queries(uid)]


@pytest.mark.parametrize("asked", QUALITY_AND_HEALTH, ids=lambda asked: asked.place)
@pytest.mark.parametrize("study", STUDIES)
def test_a_panel_on_models_and_runs_shows_something(reader: Any, study: Any, asked: Any) -> None:
    rows = ask(reader, asked, chosen(reader, asked.place.split(":")[0], study))

    at_first = any(words in asked.place for words in NOTHING_AT_FIRST)
    too_few = NOTHING_IN_SMALL_PARTS in asked.place
    if OF_GROUPS_LEFT_OUT in asked.place:
        assert not rows
    elif not ((at_first and study == "actg175") or (too_few and study == "synthetic")):
        assert rows


def test_the_spread_between_groups_is_shown_where_groups_were_left_out(reader: Any) -> None:
    [asked] = [asked for asked in QUALITY_AND_HEALTH if OF_GROUPS_LEFT_OUT in asked.place]

    assert ask(reader, asked, chosen(reader, BOARDS[0], MADE_BY_HAND))


@pytest.mark.parametrize("asked", panel_queries(BOARDS[1]), ids=lambda asked: asked.place)
def test_a_panel_on_the_trial_shows_something(reader: Any, asked: Any) -> None:
    assert ask(reader, asked, chosen(reader, BOARDS[1], MADE_BY_HAND))


@pytest.mark.parametrize("asked", panel_queries(BOARDS[1]), ids=lambda asked: asked.place)
@pytest.mark.parametrize("study", STUDIES)
def test_a_panel_on_the_trial_runs_for_a_study_whatever_its_data_say(
    reader: Any, study: Any, asked: Any
) -> None:
    ask(reader, asked, chosen(reader, BOARDS[1], study))


@pytest.mark.parametrize("study", STUDIES)
def test_the_trial_of_a_real_run_is_summed_up(reader: Any, study: Any) -> None:
    enrolled = next(asked for asked in panel_queries(BOARDS[1]) if "enrolled" in asked.place)

    ((subjects,),) = ask(reader, enrolled, chosen(reader, BOARDS[1], study))
    assert subjects > 100


@pytest.mark.parametrize("asked", panel_queries(BOARDS[3]), ids=lambda asked: asked.place)
def test_a_panel_on_what_is_in_service_shows_something(reader: Any, asked: Any) -> None:
    assert ask(reader, asked, chosen(reader, BOARDS[3], MADE_BY_HAND))
    # A study that was not monitored has nothing to show.
    assert ask(reader, asked, chosen(reader, BOARDS[3], "synthetic")) == []


@pytest.mark.parametrize("asked", panel_queries(BOARDS[4]), ids=lambda asked: asked.place)
@pytest.mark.parametrize("study", ["synthetic", MADE_BY_HAND])
def test_a_panel_on_registered_models_shows_something(reader: Any, study: str, asked: Any) -> None:
    """Of the runs of a study, which registered their models, as of decisions made by hand."""
    assert ask(reader, asked, chosen(reader, BOARDS[4], study))


LINES = [asked for uid in BOARDS for asked in panel_queries(uid) if asked.format == "time_series"]


@pytest.mark.parametrize("asked", LINES, ids=lambda asked: asked.place)
def test_a_line_has_one_point_at_a_time(reader: Any, asked: Any) -> None:
    rows = ask(reader, asked, chosen(reader, asked.place.split(":")[0], "synthetic"))
    points = [row[:2] for row in rows]

    assert list(asked.query.columns)[:2] == ["time", "metric"]
    assert len(set(points)) == len(points)


@pytest.mark.parametrize(
    "asked",
    [asked for asked in panel_queries(BOARDS[0]) if OF_GROUPS_LEFT_OUT not in asked.place],
    ids=lambda asked: asked.place,
)
def test_a_metric_of_decisions_can_be_chosen(reader: Any, asked: Any) -> None:
    values = chosen(reader, BOARDS[0], "synthetic") | {"task": "worsening", "metric": "sensitivity"}
    thresholds = queries()["variables.DECISION_THRESHOLDS"].for_grafana()
    ((lowest,), *_) = reader.execute(filled(thresholds, values)).fetchall()

    assert ask(reader, asked, values | {"decision": lowest})


@pytest.mark.parametrize("asked", alert_queries(), ids=lambda asked: asked.place)
def test_an_alert_watches_something_and_names_it_once(reader: Any, asked: Any) -> None:
    rows = ask(reader, asked, {})
    kinds = list(asked.query.columns.values())
    labels = [
        tuple(v for v, kind in zip(row, kinds, strict=True) if kind == "text") for row in rows
    ]

    assert rows
    assert len(set(labels)) == len(labels)
    assert all(label for row in each(labels[:1]) for label in row[:1])


def test_the_run_that_failed_raises_its_alert(reader: Any) -> None:
    alert = next(alert for alert in ALERTS if alert.uid == "trial-failed")
    rows = reader.execute(expanded(alert.query.for_grafana(), SINCE, UNTIL)).fetchall()

    assert {row[0]: row[-1] for row in rows} == {"synthetic": 1, "actg175": 0, "hand": 1}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO runs SELECT * FROM runs",
        "UPDATE metrics SET value = 1",
        "DELETE FROM outcomes",
        "TRUNCATE metrics",
        "DROP TABLE metrics",
        "CREATE TABLE mine (a int)",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
def test_the_role_of_grafana_can_write_nothing(reader: Any, statement: Any) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        reader.execute(statement)
