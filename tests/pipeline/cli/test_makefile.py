"""The Makefile calls `trial` with options that it has."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.each import each
from tests.pipeline.cli.command_tree import COMMANDS
from tests.pipeline.cli.make_targets import SWITCHES, TARGETS
from tests.whole_runs import REPOSITORY, environment

MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
DOCUMENTED = re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE)
[_NAMES] = re.findall(r"^VARIABLES := ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
VARIABLES = set(_NAMES.replace("\\", "").split())
"""What a person may set."""
OPTIONAL = sorted(set(re.findall(r"\$\(if \$\(([A-Z_]+)\)", MAKEFILE)))


def outside_of_make() -> dict[str, str]:
    """The environment of a person's shell, also where `make test` runs these tests."""
    leaves = (*VARIABLES, "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    return {name: text for name, text in environment().items() if name not in leaves}


def commands(target: str, *variables: str) -> str:
    """The shell commands that a target would run."""
    return subprocess.run(
        ["make", "-n", target, *variables],
        cwd=REPOSITORY,
        env=outside_of_make(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def called(folder: Path, target: str, *variables: str) -> list[str]:
    """The arguments that a target gives `trial`; make and the shell have read them."""
    [line] = recorded(folder, target, *variables)
    assert line[:2] == ["-m", "pipeline.cli"]
    return line[2:]


def recorded(folder: Path, target: str, *variables: str, **environ: str) -> list[list[str]]:
    """The command lines of a target, run with programs that only write down their arguments.

    Args:
        folder: An empty folder for these programs and for what they write.
        target: The target.
        variables: Variables on make's command line.
        environ: Variables in its environment.
    """
    calls = folder / "calls"
    programs = folder / "venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "docker", "uv"):
        script = (
            f"#!/bin/sh\nprintf '%s\\0' \"$@\" >>{calls}\nprintf '\\n' >>{calls}\n"
            f"env -0 >>{folder / 'environment'}\n"
        )
        (programs / name).write_text(script, encoding="utf-8")
        (programs / name).chmod(0o755)
    make = ["make", f"VENV={programs.parent}"]
    names = subprocess.run(
        [*make, "-pn", "help"],
        cwd=REPOSITORY,
        env=outside_of_make(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (programs.parent / f".ready-{re.findall('^LOCK := (.+)$', names, re.MULTILINE)[0]}").touch()
    subprocess.run(
        [*make, target, *variables],
        cwd=REPOSITORY,
        env=outside_of_make() | {"PATH": f"{programs}:{os.environ['PATH']}"} | environ,
        check=True,
    )
    return [line.split("\0") for line in calls.read_text(encoding="utf-8").split("\0\n")[:-1]]


def parse(line: list[str]) -> dict[str, object]:
    """Values of the options that a command line gives; fails where `trial` would refuse it."""
    [words] = [words for words in COMMANDS if tuple(line[: len(words)]) == words]
    ctx = COMMANDS[words].make_context(" ".join(words), line[len(words) :])
    return {
        name: value
        for name, value in ctx.params.items()
        if ctx.get_parameter_source(name).name == "COMMANDLINE"  # type: ignore[union-attr]
    }


def _words(target: str, name: str, text: str) -> list[str]:
    """What a variable's text becomes among the options: most are one value, spaces included."""
    if name in SWITCHES:
        return ["True"]
    if (target, name) == ("submit", "STUDY"):
        return [f"trial-{text}.yaml"]
    return text.split() if name in ("BEAM", "PARAMS") else [text]


@pytest.mark.parametrize("target", TARGETS)
def test_every_variable_of_a_target_reaches_an_option(target: str, tmp_path: Path) -> None:
    variables = TARGETS[target]
    line = called(tmp_path, target, *(f"{name}={text}" for name, text in variables.items()))
    values = str(parse(line))
    for name, text in variables.items():  # may be empty
        for word in each(_words(target, name, text)):
            assert word in values, name


ASKING = {
    "monitor",
    "outcomes",
    "promote",
    "retrain",
    "rollback",
    "score",
    "store-migrate",
    "submit",
    "verdict",
}
"""Targets that need variables."""


@pytest.mark.parametrize("target", sorted(set(TARGETS) - ASKING))
def test_a_target_without_variables_leaves_the_choice_to_trial(target: str, tmp_path: Path) -> None:
    assert parse(called(tmp_path, target)) == {}


@pytest.mark.parametrize("target", ["run", "submit", "image", "push"])
def test_what_a_target_runs_finds_no_variable_that_was_not_set(target: str, tmp_path: Path) -> None:
    recorded(tmp_path, target)
    left = (tmp_path / "environment").read_text(encoding="utf-8").split("\0")
    assert not VARIABLES & {text.partition("=")[0] for text in left}


def hostile_text(touched: Path) -> str:
    """Text that touches a file as soon as make or a shell interprets any part of it."""
    touch = f"touch {touched}"
    quotes = f"a' ; {touch} ; ' b\" ; {touch} ; \""
    return f"{quotes} `{touch}` $({touch}) $$({touch}) $(shell {touch}) *"


HOSTILE = [
    *((target, name) for target, variables in TARGETS.items() for name in variables),
    *(("submit", "PACKAGE"), ("image", "IMAGE"), ("image", "BASE"), ("image", "IMAGE_OPTIONS")),
    *(("push", "IMAGE"), ("bench-startup", "OTHER")),
]


def test_every_variable_that_a_person_may_set_is_attacked() -> None:
    # A switch of pytest's; the programs and the interpreter have tests of their own.
    others = {"COVERAGE", "IMAGE_BUILD", "IMAGE_PUSH", "PYTHON"}
    assert {name for _, name in HOSTILE} | others == VARIABLES
    assert set(OPTIONAL) <= VARIABLES


@pytest.mark.parametrize("place", ["command line", "environment"])
@pytest.mark.parametrize(("target", "name"), HOSTILE)
def test_a_variable_is_text_that_neither_make_nor_the_shell_runs(
    target: str, name: str, place: str, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    text = hostile_text(touched)
    if place == "environment":
        [line] = recorded(tmp_path, target, **{name: text})
    else:
        [line] = recorded(tmp_path, target, f"{name}={text}")
    assert not touched.exists()
    if name in SWITCHES:
        assert f"--{name.lower().replace('_', '-')}" in line or (target, name) == (
            "submit",
            "VALIDATE",
        )
        return
    shown = text.replace("_", "-") if (target, name) == ("submit", "STUDY") else text
    words = shown.split() if name in ("BEAM", "PARAMS", "IMAGE_OPTIONS") else [shown]
    for word in each(words):
        assert any(word in argument for argument in line), word


@pytest.mark.parametrize("target", ["image", "push"])
def test_the_program_of_images_is_words_of_which_none_is_run_by_the_shell(
    target: str, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    text = f"docker {hostile_text(touched)}"
    [line] = recorded(tmp_path, target, f"IMAGE_{'BUILD' if target == 'image' else 'PUSH'}={text}")
    assert not touched.exists()
    assert line[: len(text.split()) - 1] == text.split()[1:]


def test_an_interpreter_with_blanks_in_its_path_is_one_name(tmp_path: Path) -> None:
    folder = tmp_path / "with blanks"
    folder.mkdir()
    interpreter = folder / "python"
    # The versions of every lock, in turn.
    interpreter.write_text("#!/bin/sh\necho 3.11\n", encoding="utf-8")
    interpreter.chmod(0o755)
    found = subprocess.run(
        ["sh", "requirements/platform.sh", "python", str(interpreter)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.rstrip("\n") == str(interpreter)


def test_an_interpreter_that_is_no_python_is_reported_and_not_run_by_the_shell(
    tmp_path: Path,
) -> None:
    touched = tmp_path / "touched"
    done = subprocess.run(
        ["make", "setup", f"VENV={tmp_path / 'venv'}", f"PYTHON={hostile_text(touched)}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not touched.exists()
    assert done.returncode != 0
    assert "is not Python 3.1" in done.stderr


@pytest.mark.parametrize("given", [False, True], ids=["without variables", "with every variable"])
@pytest.mark.parametrize("target", DOCUMENTED)
def test_the_shell_can_parse_what_a_target_runs(target: str, given: bool) -> None:
    assert {"test", "run"} < set(DOCUMENTED)
    assert "COVERAGE" in OPTIONAL
    variables = [f"{name}=1" for name in OPTIONAL] if given else []
    script = commands(target, *variables)
    parsed = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert parsed.returncode == 0, parsed.stderr


def test_no_target_compiles_the_project_in_each_process(tmp_path: Path) -> None:
    recorded(tmp_path, "run", PYTHONDONTWRITEBYTECODE="1")
    environ = (tmp_path / "environment").read_text(encoding="utf-8").split("\0")
    assert any(line.startswith("PATH=") for line in environ)
    assert not [line for line in environ if line.startswith("PYTHONDONTWRITEBYTECODE=")]
