"""A real PostgreSQL, and a SQLite file, for the tests of the store."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import DATABASE, READER_PASSWORD, WRITER_PASSWORD, Server
from sqlalchemy import create_engine, text

from grafana.store.engine import PASSWORD_VARIABLE, store_url
from grafana.store.migrate import READER, WRITER, migrate, set_password


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server, its database migrated, both roles with their passwords."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert found, "PostgreSQL is not installed: make system"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    server = Server(found[-1], folder, port)
    (folder / "log").touch(mode=0o666)
    (folder / "log").chmod(0o666)
    server.run(
        *(found[-1] / "initdb", "-D", folder / "data", "-U", "postgres", "--no-sync"),
        *("--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C"),
    )
    server.control("start")
    try:
        server.run(*(found[-1] / "createdb", "-h", folder, "-p", port, "-U", "postgres", DATABASE))
        migrate(server.owner)
        set_password(server.owner, WRITER, WRITER_PASSWORD)
        set_password(server.owner, READER, READER_PASSWORD)
        yield server
    finally:
        server.control("stop", "-m", "immediate")
        shutil.rmtree(folder)


@pytest.fixture
def postgres(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of an empty store on PostgreSQL, for the writer."""
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
