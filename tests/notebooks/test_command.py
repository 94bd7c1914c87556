"""`trial notebooks`, as a person types it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebooks.hand_made_groups import RUN, write_run
from tests.whole_runs import REPOSITORY, environment


def notebooks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "notebooks", *arguments],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_run_is_reported_without_a_traceback(tmp_path: Path) -> None:
    ended = notebooks("nowhere", "--root", str(tmp_path))

    assert ended.returncode == 2
    assert ended.stderr.startswith("There is no run nowhere below")
    assert "Traceback" not in ended.stderr


def test_what_a_notebook_misses_in_a_run_is_reported_without_a_traceback(tmp_path: Path) -> None:
    write_run(tmp_path, status="failed", failed_stage="TrialEvaluator")

    ended = notebooks(RUN, "--root", str(tmp_path), "--only", "fairness")

    assert ended.returncode == 2
    assert "this run has no verdict of TrialEvaluator: it ended as failed" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.rglob("*.ipynb"))


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("runs")
    folder = write_run(root)
    return folder / "notebooks", notebooks("--root", str(root), "--only", "fairness")


def test_the_page_is_named_and_nothing_else_is_said(executed: Any) -> None:
    folder, ended = executed

    assert ended.returncode == 0
    assert ended.stdout == f"{folder / 'fairness.html'}\n"
    assert ended.stderr == ""


def test_notebook_and_page_are_in_the_runs_folder_of_records(executed: Any) -> None:
    folder, _ = executed

    assert sorted(path.name for path in folder.iterdir()) == ["fairness.html", "fairness.ipynb"]


def test_the_executed_notebook_has_its_outputs(executed: Any) -> None:
    folder, _ = executed
    notebook = nbformat.read(folder / "fairness.ipynb", as_version=4)

    shown = [cell.id for cell in notebook.cells if cell.get("outputs")]
    assert shown[-1] == "widget"
    nbformat.validate(notebook)
