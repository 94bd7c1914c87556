"""docs/cli.md names every command, every exit code and the right variable of completion."""

from __future__ import annotations

import re
from typing import get_args

from pipeline.cli.answer import ExitCode
from pipeline.results.task_verdicts import TaskDecision
from tests.pipeline.cli.command_tree import COMMANDS
from tests.whole_runs import REPOSITORY

TEXT = (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")


def test_every_command_is_named() -> None:
    named = re.findall(r"^\| `trial ([a-z ]+?)(?: \[?[A-Z]+\]?)*` \|", TEXT, re.MULTILINE)
    assert {tuple(words.split()) for words in named} == set(COMMANDS)


def test_every_exit_code_is_explained() -> None:
    codes = re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)
    assert [int(code) for code in codes] == sorted(ExitCode)


def test_every_verdict_is_named() -> None:
    [line] = re.findall(r"`verdict` is (.+)\.$", TEXT, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", line)) == set(get_args(TaskDecision))


def test_every_shell_has_its_line() -> None:
    assert set(re.findall(r"_TRIAL_COMPLETE=(\w+)_source trial", TEXT)) == {"bash", "zsh", "fish"}
