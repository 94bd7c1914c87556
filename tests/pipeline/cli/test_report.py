"""`trial report`: what it writes of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import internal_report
from pipeline.cli.main import main
from pipeline.pages import write_report
from pipeline.runs import run_file
from pipeline.runs.run_file import RUN_FILE, RunFile


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders whose `run.json` was read; the reports themselves are not made."""
    found: list[Path] = []
    read = run_file.read_run_file

    def counted(folder: Path) -> RunFile:
        found.append(folder)
        return read(folder)

    def report(folder: Path, run: RunFile) -> Path:
        return folder / f"public of {run.run}"

    def internal(folder: Path, run: RunFile) -> Path:
        return folder / f"internal of {run.run}"

    monkeypatch.setattr(run_file, "read_run_file", counted)
    monkeypatch.setattr(write_report, "write_report", report)
    monkeypatch.setattr(internal_report, "write_internal_report", internal)
    return found


@pytest.mark.parametrize(
    ("disclosure", "kinds"), [("public", ["public"]), ("internal", ["public", "internal"])]
)
def test_run_json_is_read_once_for_all_reports(
    local_run: Path,
    reads: list[Any],
    capsys: pytest.CaptureFixture[str],
    disclosure: str,
    kinds: list[str],
) -> None:
    folder = run_file.find_run("", local_run)
    content = json.loads((folder / RUN_FILE).read_text())
    content["study_file"]["disclosure"] = disclosure
    (folder / RUN_FILE).write_text(json.dumps(content))

    assert main(["report", "--root", str(local_run), "--json"]) == 0

    written = json.loads(capsys.readouterr().out)["written"]
    assert written == [str(folder / f"{kind} of {folder.name}") for kind in kinds]
    assert reads == [folder]
