"""Runs whose end is not in the store are exported by the next start."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select, text

from pipeline.runners.local.record import close_runs, export_run
from pipeline.runs.run_file import read_run_file
from pipeline.store.engine import store_engine, transaction
from pipeline.store.migrate import migrate
from pipeline.store.models import Outcome
from tests.pipeline.runs.test_closing import STARTED, started
from tests.pipeline.store.store_runs import study


def ended(root: Path, run: str, store: str) -> Path:
    """Records of a run that failed and has ended."""
    changes = {"status": "failed", "ended": STARTED, "study_file": study().to_content()}
    return started(root / "hand", run, stage="", store=store, **changes)


def outcomes(store: str) -> list[str]:
    """Runs in the store that have ended."""
    with store_engine(store) as engine, transaction(engine) as connection:
        return sorted(connection.execute(select(Outcome.run)).scalars())


def renamed(store: str, table: str, name: str) -> None:
    """Gives a table another name: SQLite then answers as if its disk were gone."""
    with store_engine(store) as engine, transaction(engine) as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


class Terminal:
    """What a person sees."""

    def __init__(self) -> None:
        self._file = io.StringIO()
        self.console = Console(file=self._file, width=400)

    @property
    def said(self) -> str:
        return self._file.getvalue()


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_a_run_that_ended_while_the_store_was_down_is_exported_and_said(
    tmp_path: Path, terminal: Terminal
) -> None:
    store = f"sqlite:///{tmp_path / 'store.sqlite'}"
    ended(tmp_path, "r1", store)
    started(tmp_path / "hand", "r2", store=store, study_file=study().to_content())

    assert close_runs(tmp_path / "hand", ("r2", "r1"), terminal.console) == ()

    assert outcomes(store) == ["r1", "r2"]
    assert "The run r1 has ended without an entry in the store: it is exported" in terminal.said
    assert "The run r2 died at Trainer: it is recorded as killed" in terminal.said


def test_a_run_whose_end_is_in_the_store_is_neither_exported_nor_mentioned(
    tmp_path: Path, terminal: Terminal
) -> None:
    store = f"sqlite:///{tmp_path / 'store.sqlite'}"
    records = ended(tmp_path, "r1", store)
    assert export_run(read_run_file(records), records, Terminal().console)

    assert close_runs(tmp_path / "hand", ("r1", "gone"), terminal.console) == ()

    assert terminal.said == ""


def test_a_store_that_is_still_down_is_tried_again_by_the_next_start(
    tmp_path: Path, terminal: Terminal
) -> None:
    store = f"sqlite:///{tmp_path / 'store.sqlite'}"
    ended(tmp_path, "r1", store)
    migrate(store)
    renamed(store, "outcomes", "aside")

    assert close_runs(tmp_path / "hand", ("r1",), terminal.console) == ("r1",)
    assert "Not exported." in terminal.said

    renamed(store, "aside", "outcomes")
    assert close_runs(tmp_path / "hand", ("r1",), terminal.console) == ()
    assert outcomes(store) == ["r1"]


def test_rows_that_a_store_refuses_are_not_tried_for_ever(
    tmp_path: Path, terminal: Terminal
) -> None:
    ended(tmp_path, "r1", "mysql://host/trials")

    assert close_runs(tmp_path / "hand", ("r1",), terminal.console) == ()
    assert "Not exported." in terminal.said
    assert "make export" in terminal.said
