"""`trial run`: its exit code and its JSON, by how the run ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.runners.local import run as local
from pipeline.runners.local.outcome import RunOutcome

PATHS = {"log": Path("/runs/logs/r1.log"), "records": Path("/runs/synthetic/records/r1")}


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets every run end in a given way."""

    def prepare(**outcome: Any) -> None:
        monkeypatch.setattr(local, "run", lambda _: RunOutcome("r1", **outcome))

    return prepare


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ({"status": "done", "verdict": "blessed"}, 0),
        ({"status": "done", "verdict": "refused"}, 0),
        ({"status": "done"}, 0),
        ({"status": "failed", "error": "Unexpected ValueError"}, 1),
        ({"status": "failed", "error": "no column AGE", "is_users_to_fix": True}, 2),
        ({"status": "not started", "error": "no data", "is_users_to_fix": True}, 2),
        ({"status": "not started", "error": "Unexpected ValueError"}, 1),
        ({"status": "interrupted"}, 130),
    ],
)
def test_the_exit_code_says_how_it_ended(
    outcome: dict[str, Any], code: int, ended: Callable[..., None]
) -> None:
    ended(**outcome)
    assert main(["run"]) == code


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ({"status": "done", "verdict": "blessed"}, 0),
        ({"status": "done", "verdict": "refused"}, 3),
        ({"status": "failed", "is_users_to_fix": True}, 2),
        ({"status": "interrupted"}, 130),
    ],
)
def test_only_a_refused_model_ends_with_3_where_the_flag_asks_for_it(
    outcome: dict[str, Any], code: int, ended: Callable[..., None]
) -> None:
    ended(**outcome)
    assert main(["run", "--fail-if-refused"]) == code


def test_the_outcome_is_json_for_a_machine(
    ended: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    ended(status="done", verdict="refused", reasons=("auc is below 0.7",), paths=PATHS)
    assert main(["run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "command": "run",
        "exit_code": 0,
        "run": "r1",
        "status": "done",
        "verdict": "refused",
        "tasks": {},
        "reasons": ["auc is below 0.7"],
        "failed_stage": "",
        "error": None,
        "paths": {"log": "/runs/logs/r1.log", "records": "/runs/synthetic/records/r1"},
    }


def test_an_unexpected_error_before_the_first_stage_is_logged_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("subject 4711")

    monkeypatch.setattr(local, "resolve", fail)
    assert main(["run", "--root", str(tmp_path)]) == 1
    said = capfd.readouterr()
    assert "Unexpected ValueError; see the run's log" in said.out
    assert "4711" not in said.out + said.err
    [log] = (tmp_path / "logs").iterdir()
    assert "ValueError: subject 4711" in log.read_text()
