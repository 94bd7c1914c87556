"""A stage whose process dies, without an exception that anybody could handle."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.whole_runs import REPOSITORY, Run, environment

pytestmark = pytest.mark.slow


def run(folder: Path) -> Run:
    """A run whose second stage aborts while the file `marker` is there."""
    start = time.monotonic()
    root = folder / "runs"
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tests.e2e.aborting_run", str(folder / "marker")),
            *("--root", str(root), "--subjects", "200"),
        ],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    seconds = time.monotonic() - start
    return Run(ended.returncode, ended.stdout, ended.stderr, root, "synthetic", seconds)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dying")
    (folder / "marker").touch()
    return folder


@pytest.fixture(scope="module")
def died(folder: Path) -> Run:
    return run(folder)


def test_one_line_says_which_stage_died_of_what_and_what_to_do(died: Run) -> None:
    assert died.code == 1
    [line] = [line for line in died.terminal.splitlines() if line.startswith("✗")]
    assert line.startswith("✗ Stage AbortingStage: its process was ended by SIGABRT")
    assert f"See {died.root}/logs/{died.id}.log. Fix the problem and rerun" in line
    assert "Traceback" not in died.terminal + died.errors


def test_run_and_stage_are_recorded_as_failed(died: Run) -> None:
    assert died.file["status"] == "failed"
    assert died.file["failed_stage"] == "AbortingStage"
    assert "SIGABRT" in died.file["reason"]
    assert died.statuses == {"CuratedSchema": "done", "AbortingStage": "failed"}
    assert "SIGABRT" in died.stages["AbortingStage"]["error"]
    assert list(died.file["outputs"]) == ["CuratedSchema"]


def test_store_holds_the_run_as_failed(died: Run) -> None:
    with sqlite3.connect(died.root / "store.sqlite") as store:
        runs = store.execute("SELECT run FROM runs").fetchall()
        stages = dict(store.execute("SELECT stage, status FROM stages WHERE run = ?", [died.id]))

    assert runs == [(died.id,)]
    assert stages == {"CuratedSchema": "done", "AbortingStage": "failed"}


def test_log_says_where_the_process_was(died: Run) -> None:
    assert "Fatal Python error: Aborted" in died.log
    assert "_abort_if" in died.log
    assert "the run failed: Stage AbortingStage" in died.log


def test_rerun_goes_on_where_it_died(died: Run, folder: Path) -> None:
    (folder / "marker").unlink()

    again = run(folder)

    assert again.id != died.id
    assert again.statuses == {"CuratedSchema": "cached", "AbortingStage": "done"}
