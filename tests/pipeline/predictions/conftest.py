"""Addresses of prediction logs: here, in an object store, in a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipeline.store.postgres_server import Server

WRITER_PASSWORD = "the prediction writer's, for this test"
OUTCOME_WRITER_PASSWORD = "the outcome writer's, for this test"
READER_PASSWORD = "the prediction reader's, for this test"


@pytest.fixture(scope="session")
def prepared(server: Server) -> str:
    """Address of a log in PostgreSQL beside a store, of its owner; all roles have passwords."""
    from pipeline.predictions.postgres_log import (
        OUTCOME_WRITER,
        PASSWORDS,
        READER,
        WRITER,
        prepare,
    )

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSWORDS[WRITER], WRITER_PASSWORD)
        patch.setenv(PASSWORDS[OUTCOME_WRITER], OUTCOME_WRITER_PASSWORD)
        patch.setenv(PASSWORDS[READER], READER_PASSWORD)
        assert prepare(server.owner) == {WRITER: True, OUTCOME_WRITER: True, READER: True}
    return server.owner


@pytest.fixture
def postgres_log(prepared: str) -> str:
    """The same, empty."""
    from sqlalchemy import text

    from pipeline.predictions.postgres_log import log_url
    from pipeline.store.engine import postgres_engine

    engine = postgres_engine(log_url(prepared))
    with engine.begin() as connection:
        tables = ("batches", "predicted", "outcomes")
        connection.execute(text(f"TRUNCATE {', '.join(f'predictions.{t}' for t in tables)}"))
    engine.dispose()
    return prepared


@pytest.fixture(params=["local", "s3", pytest.param("postgresql", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty log, for who may add, read and remove rows."""
    if request.param == "local":
        return str(tmp_path / "predictions")
    if request.param == "s3":
        return f"s3://{request.getfixturevalue('bucket')}/predictions"
    return str(request.getfixturevalue("postgres_log"))


@pytest.fixture(params=["local", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a log of files, which does not exist yet."""
    if request.param == "local":
        return str(tmp_path / "predictions")
    return f"s3://{request.getfixturevalue('bucket')}/predictions"
