"""Runs that die in a stage, and the runs after them: one chain on one root."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.runs.alive import RUN_LOCK
from tests.whole_runs import REPOSITORY, Run, accept_signals, environment

pytestmark = pytest.mark.slow

_RUNNING = 2
"""`RUNNING` in ml_metadata/proto/metadata_store.proto."""


def run(folder: Path, death: str = "") -> Run:
    """A run whose second stage dies in a way of `aborting_stage`, or does not."""
    marker = folder / "marker"
    marker.write_text(death)
    start = time.monotonic()
    root = folder / "runs"
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tests.e2e.aborting_run", str(marker)),
            *("--root", str(root), "--subjects", "200"),
        ],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        preexec_fn=accept_signals,
    )
    seconds = time.monotonic() - start
    return Run(ended.returncode, ended.stdout, ended.stderr, root, "synthetic", seconds)


def stored(died: Run, statement: str) -> list[tuple[Any, ...]]:
    """Rows of the store about a run."""
    with sqlite3.connect(died.root / "store.sqlite") as store:
        return store.execute(statement, [died.id]).fetchall()


def outcomes(died: Run) -> list[tuple[Any, ...]]:
    return stored(died, "SELECT status, failed_stage FROM outcomes WHERE run = ?")


def left(root: Path) -> list[str]:
    """Outputs and working folders of the stage that dies."""
    stage = root / "synthetic" / "artifacts" / "AbortingStage"
    found = (*stage.glob("examples/*"), *stage.glob(".system/stateful_working_dir/*"))
    return sorted(path.name for path in found)


def running(root: Path) -> int:
    """Executions of ML Metadata that run."""
    with sqlite3.connect(root / "synthetic" / "metadata.sqlite") as metadata:
        statement = "SELECT COUNT(*) FROM Execution WHERE last_known_state = ?"
        return int(metadata.execute(statement, [_RUNNING]).fetchone()[0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dying")


@pytest.fixture(scope="module")
def died(folder: Path) -> Run:
    return run(folder, "abort")


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
    assert outcomes(died) == [("failed", "AbortingStage")]
    stages = dict(stored(died, "SELECT stage, status FROM stages WHERE run = ?"))
    assert stages == {"CuratedSchema": "done", "AbortingStage": "failed"}


def test_log_says_where_the_process_was(died: Run) -> None:
    assert "Fatal Python error: Aborted" in died.log
    assert "_abort_if" in died.log
    assert "the run failed: Stage AbortingStage" in died.log


def _killed(folder: Path) -> Run:
    """A run that kill -9 ended, with its parent; the buffered terminal is lost with it."""
    found = run(folder, "kill -9")
    newest = max(path.name for path in (found.root / "synthetic" / "records").iterdir())
    terminal = f"x  run {newest}\n{found.terminal}"
    return Run(found.code, terminal, found.errors, found.root, found.study, found.seconds)


@pytest.mark.usefixtures("died")
def test_a_killed_run_has_a_row_without_an_outcome_and_the_next_start_closes_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = _killed(folder)
    assert killed.file["status"] == "running"
    assert stored(killed, "SELECT study FROM runs WHERE run = ?") == [("synthetic",)]
    assert outcomes(killed) == []
    assert running(killed.root) == 1
    assert len(left(killed.root)) == 2

    after = run(folder, "SIGTERM")

    assert f"The run {killed.id} died at AbortingStage: it is recorded as killed." in after.terminal
    # Three of its outputs, and its temporary files.
    assert "had left: 1 unfinished execution and 4 folders" in after.terminal
    assert killed.file["status"] == "killed"
    assert killed.statuses["AbortingStage"] == "killed"
    assert outcomes(killed) == [("killed", "AbortingStage")]
    assert running(killed.root) == 0
    # SIGTERM cleans up as Ctrl-C does.
    assert after.code == 1
    assert "Ended by SIGTERM. Rerun the same command" in after.terminal
    assert "Traceback" not in after.terminal + after.errors
    assert outcomes(after) == [("killed", "AbortingStage")]
    assert after.file["reason"] == "ended by SIGTERM"
    assert after.statuses == {"CuratedSchema": "cached", "AbortingStage": "killed"}
    # What is left is an empty working folder of the execution's own, which the next start removes.
    assert len(left(after.root)) == 1
    assert (after.root / "synthetic" / RUN_LOCK).read_text() == ""

    assert main(["report", killed.id, "--root", str(killed.root)]) != 0
    assert "it ended as killed at AbortingStage" in capsys.readouterr().err


@pytest.mark.usefixtures("died")
def test_an_export_closes_a_killed_run_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = _killed(folder)

    assert main(["export", killed.id, "--root", str(killed.root)]) == 0

    assert "rows exported" in capsys.readouterr().out
    assert outcomes(killed) == [("killed", "AbortingStage")]
    assert killed.file["status"] == "killed"


@pytest.mark.usefixtures("died")
@pytest.mark.parametrize(
    ("death", "code", "status", "reason"),
    [
        ("SIGHUP, wrapped", 1, "killed", "ended by SIGHUP"),
        ("Ctrl-C, swallowed", 130, "interrupted", "interrupted"),
    ],
)
def test_a_signal_gets_through_what_wraps_or_swallows_it(
    folder: Path, death: str, code: int, status: str, reason: str
) -> None:
    ended = run(folder, death)

    assert ended.code == code
    assert f"{reason[0].upper()}{reason[1:]}. Rerun" in ended.terminal
    assert outcomes(ended) == [(status, "AbortingStage")]
    assert ended.file["reason"] == ended.stages["AbortingStage"]["error"] == reason
    assert running(ended.root) == 0


def test_rerun_goes_on_where_it_died(died: Run, folder: Path) -> None:
    again = run(folder)

    assert again.id != died.id
    assert again.statuses == {"CuratedSchema": "cached", "AbortingStage": "done"}
    assert left(again.root) == [Path(again.file["outputs"]["AbortingStage"]["examples"]).name]
