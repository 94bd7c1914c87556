"""What is checked before a commit is what `make lint` checks."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

from tests.each import each

REPOSITORY = Path(__file__).parents[1]


def hooks() -> list[dict[str, Any]]:
    content = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    return [hook for repository in content["repos"] for hook in repository["hooks"]]


def make_lint() -> list[list[str]]:
    """Words of each command of the target `lint`, without `@` and with the folder of programs."""
    makefile = (REPOSITORY / "Makefile").read_text()
    variables = dict(re.findall(r"^(\w+)\s*[:?]?=\s*(\S+)$", makefile, re.MULTILINE))
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe
    text = recipe[1]
    while found := re.search(r"\$\((\w+)\)", text):
        text = text.replace(found[0], variables[found[1]])
    commands = text.splitlines()
    return [shlex.split(command.strip().removeprefix("@")) for command in commands]


def words_of(hook: dict[str, Any]) -> list[str]:
    """Words of the command that a hook would be on all files."""
    words = shlex.split(hook["entry"])
    # Variables stand before a command in a recipe, after `env` in a hook.
    words = words[1:] if words[0] == "env" else words
    return words if hook.get("pass_filenames", True) is False else [*words, "."]


def test_the_hooks_run_what_make_lint_runs() -> None:
    assert len(hooks()) == 4
    assert [words_of(hook) for hook in hooks()] == make_lint()


def test_every_hook_is_a_program_of_the_environment_and_sees_every_python_file() -> None:
    # Hooks of other repositories would be downloaded, in other versions than the lock's.
    for hook in each(hooks()):
        assert hook["language"] == "system"
        assert hook["types_or"] == ["python", "pyi"]
        assert not {"exclude", "files", "args", "stages"} & hook.keys()
