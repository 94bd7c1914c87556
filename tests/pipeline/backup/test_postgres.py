"""Store and prediction log in a real PostgreSQL: rows are restored with tables and roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, create_engine, text
from sqlalchemy.exc import ProgrammingError

from pipeline.backup.manifest import PREDICTIONS, Places
from pipeline.errors import UserError
from pipeline.predictions.open_log import open_log
from pipeline.predictions.postgres_log import subjects_in
from pipeline.runs.forgotten import newly_forgotten
from pipeline.store.engine import store_url
from pipeline.store.migrate import READER, check_current, migrate
from tests.each import each
from tests.pipeline.backup.hand_made import elsewhere, files_of, made_root, restored, taken
from tests.pipeline.predictions.hand_made import STUDY, add, rows_of, subjects_of
from tests.pipeline.store.hand_made_store import fill
from tests.pipeline.store.postgres_server import DATABASE, Server

pytestmark = pytest.mark.slow

DATABASES = ("kept", "other", "half", "taken", "forgotten")


@pytest.fixture(scope="module")
def databases(server: Server) -> Iterator[dict[str, str]]:
    """Addresses of empty databases, for their owner."""
    engine = create_engine(store_url(server.owner), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in DATABASES:
            connection.execute(text(f"CREATE DATABASE {name}"))
    yield {name: server.owner.replace(f"/{DATABASE}?", f"/{name}?") for name in DATABASES}
    with engine.connect() as connection:
        for name in DATABASES:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="module")
def kept(databases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, str]:
    """A store and a log, and the folder of their backup."""
    from pipeline.predictions.postgres_log import prepare

    folder = tmp_path_factory.mktemp("postgres")
    address = databases["kept"]
    migrate(address)
    fill(address)
    prepare(address)
    add(open_log(address), "a", "b")
    places = replace(made_root(folder / "runs"), store=address, prediction_log=address)
    taken(places, str(folder / "backup"))
    return places, str(folder / "backup")


def rows_in(address: str, schema: str | None = None) -> dict[str, list[Any]]:
    """All rows of all tables."""
    engine = create_engine(store_url(address))
    metadata = MetaData(schema=schema)
    with engine.connect() as connection:
        metadata.reflect(connection)
        found = {
            name: sorted(map(repr, connection.execute(table.select())))
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    return found


def test_all_rows_are_restored(
    kept: tuple[Places, str], databases: dict[str, str], tmp_path: Path
) -> None:
    places, source = kept
    address = databases["other"]
    other = replace(elsewhere(tmp_path / "other"), store=address, prediction_log=address)

    restored(source, other)

    before = rows_in(places.store)
    assert sum(len(rows) for rows in before.values()) > 50
    assert rows_in(address) == before
    logs = [rows_of(*open_log(log).read(STUDY)) for log in (places.prediction_log, address)]
    assert logs[0] == logs[1]
    assert len(logs[0]) == 4
    engine = create_engine(store_url(address))
    check_current(engine)
    with engine.begin() as connection:
        # Grafana's reader sees the store, and no prediction.
        connection.execute(text(f"SET LOCAL ROLE {READER}"))
        assert connection.execute(text("SELECT count(*) FROM runs")).scalar_one() > 0
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("SELECT * FROM predictions.predicted"))
    engine.dispose()
    # A batch that is written again is the same one, and new ones can be added.
    add(open_log(address), "a", "b")
    add(open_log(address), "c", run="run-2")
    assert len(rows_of(*open_log(address).read(STUDY))) == 6
    with pytest.raises(UserError, match="there is something already"):
        restored(source, other)


def test_a_database_with_rows_is_left_alone(
    kept: tuple[Places, str], databases: dict[str, str], tmp_path: Path
) -> None:
    _, source = kept
    address = databases["taken"]
    migrate(address)
    fill(address)
    other = replace(elsewhere(tmp_path / "other"), store=address, prediction_log=databases["half"])

    with pytest.raises(UserError, match="has rows"):
        restored(source, other)

    assert not other.root.exists()
    assert rows_in(databases["half"], "predictions") == {}


def test_tables_that_do_not_fit_leave_nothing(
    kept: tuple[Places, str], databases: dict[str, str], tmp_path: Path
) -> None:
    from pipeline.backup.databases import store_tables
    from pipeline.backup.tables import load_tables

    _, source = kept
    folder = tmp_path / "store"
    folder.mkdir()
    for name, content in each(files_of(Path(source) / "store").items()):
        (folder / name).write_bytes(content)
    (folder / "titles.copy").write_text("no row of this table\n")
    tables = store_tables(databases["half"])
    with pytest.raises(UserError):
        load_tables(tables, tables.scripts.head or "", folder)
    assert rows_in(databases["half"]) == {}


def test_who_was_forgotten_is_left_out_in_the_transaction_that_fills_the_tables(
    kept: tuple[Places, str], databases: dict[str, str], tmp_path: Path
) -> None:
    from pipeline.backup.databases import log_tables
    from pipeline.backup.tables import load_tables

    def refuse(connection: Connection) -> None:
        assert subjects_in(connection, STUDY) == {"a", "b"}
        raise UserError("the rows stay")

    address = databases["forgotten"]
    tables = log_tables(address)
    with pytest.raises(UserError, match="the rows stay"):
        load_tables(tables, tables.scripts.head or "", Path(kept[1]) / PREDICTIONS, refuse)
    assert rows_in(address, "predictions") == {}

    other = replace(elsewhere(tmp_path / "other"), store=address, prediction_log=address)
    assert restored(kept[1], other, newly_forgotten(STUDY, ["a"])) == 2
    assert set(subjects_of(open_log(address).read(STUDY))) == {"b"}
