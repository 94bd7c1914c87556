"""A store that is asked what boards and alerts ask."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.store.engine import store_engine
from tests.pipeline.store.hand_made_monitoring import MODEL
from tests.pipeline.store.hand_made_store import fill

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
CHOICES = {
    "study": "hand",
    "task": "death",
    "metric": "auc",
    "decision": "0",
    "slicing": "sex",
    "model": "challenger",
    "run": "r2",
    "parameter": "ADAS",
    "registered": MODEL,
}


@pytest.fixture
def ask(sqlite: Any) -> Any:
    """Asks the store; what is chosen on the board can be changed."""

    def ask(query: Any, since: Any = ALWAYS, **choices: Any) -> Any:
        with store_engine(sqlite) as engine, engine.connect() as connection:
            return query.rows(connection, {**CHOICES, **choices}, since)

    return ask


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("store") / "store.sqlite"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture
def filled(sqlite: Any, template: Any) -> None:
    shutil.copy(template, sqlite.removeprefix("sqlite:///"))
