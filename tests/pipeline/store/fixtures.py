"""A real PostgreSQL, and a SQLite file, for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Imported on use: every pytest loads this file, and most tests need no store.
if TYPE_CHECKING:
    from tests.pipeline.store.postgres_server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server, its database migrated, both roles with their passwords."""
    from benchmarks.postgres import running_server
    from pipeline.store.migrate import READER, WRITER, migrate, set_password
    from tests.pipeline.store.postgres_server import READER_PASSWORD, WRITER_PASSWORD

    with running_server() as server:
        migrate(server.owner)
        set_password(server.owner, WRITER, WRITER_PASSWORD)
        set_password(server.owner, READER, READER_PASSWORD)
        yield server


@pytest.fixture
def postgres(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of an empty store on PostgreSQL, for the writer."""
    from sqlalchemy import create_engine, text

    from pipeline.store.engine import PASSWORD_VARIABLE, store_url
    from pipeline.store.migrate import WRITER
    from tests.pipeline.store.postgres_server import WRITER_PASSWORD

    engine = create_engine(store_url(server.owner))
    with engine.begin() as connection:
        tables = connection.execute(
            text(
                "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
                "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
        ).scalar_one()
        connection.execute(text(f"TRUNCATE {tables}"))
    engine.dispose()
    monkeypatch.setenv(PASSWORD_VARIABLE, WRITER_PASSWORD)
    return server.of(WRITER)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """Address of a store in a file."""
    return f"sqlite:///{tmp_path / 'store.sqlite'}"
