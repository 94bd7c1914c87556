"""Completion in the shell: commands, options, studies and runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from pipeline.cli.main import trial
from pipeline.study.shipped import shipped_studies
from tests.pipeline.cli.command_tree import HEAVY
from tests.whole_runs import REPOSITORY, environment


def completions(*words: str) -> list[str]:
    """What is offered for the last word."""
    shell = ShellComplete(trial, {}, "trial", "_TRIAL_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three runs of two studies."""
    for study, run in (("ist", "20260101T1"), ("ist", "20260103T1"), ("actg175", "20260102T1")):
        folder = tmp_path / study / "records" / run
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
    return tmp_path


def test_commands() -> None:
    assert completions("re") == ["retrain", "report", "restore"]
    assert completions("draft", "s") == ["schema", "study"]


def test_options() -> None:
    assert "--fail-if-refused" in completions("run", "--f")


@pytest.mark.parametrize("command", ["run", "compile"])
def test_shipped_studies(command: str) -> None:
    assert completions(command, "--study", "") == shipped_studies()
    assert completions(command, "--study", "cdisc") == ["cdisc_pilot01", "cdisc_pilot01_sdtm"]


def test_a_study_file_where_no_shipped_study_begins_so() -> None:
    shell = ShellComplete(trial, {}, "trial", "_TRIAL_COMPLETE")
    [item] = shell.get_completions(["run", "--study"], "./my")
    assert item.type == "file"


@pytest.mark.parametrize("command", ["report", "notebooks", "export"])
def test_runs_below_the_root_newest_first(command: str, root: Path) -> None:
    named = ["--root", str(root)]
    assert completions(command, *named, "") == ["20260103T1", "20260102T1", "20260101T1"]
    assert completions(command, *named, "20260102") == ["20260102T1"]


def test_no_run_is_no_mistake(tmp_path: Path) -> None:
    assert completions("report", "--root", str(tmp_path / "nowhere"), "") == []


def test_runners_and_notebooks() -> None:
    assert completions("run", "--runner", "s") == ["spark"]
    assert completions("notebooks", "--only", "f") == ["fairness"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_written(shell: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline.cli"],
        cwd=REPOSITORY,
        env=environment(_TRIAL_COMPLETE=f"{shell}_source"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0
    assert "_TRIAL_COMPLETE" in ended.stdout


def test_completing_imports_no_slow_library(root: Path) -> None:
    probe = (
        "import json, sys\n"
        "from pipeline.cli.main import main\n"
        "try:\n    main([])\n"
        "except SystemExit:\n    pass\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))\n"
    )
    for words in ("trial run --study ", f"trial report --root {root} "):
        ended = subprocess.run(
            [sys.executable, "-c", probe],
            cwd=REPOSITORY,
            env=environment(
                _TRIAL_COMPLETE="bash_complete",
                COMP_WORDS=words,
                COMP_CWORD=str(len(words.split())),
            ),
            capture_output=True,
            text=True,
            check=True,
        )
        *offered, heavy = ended.stdout.splitlines()
        assert offered
        assert json.loads(heavy) == []
