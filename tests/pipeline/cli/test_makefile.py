"""The Makefile calls `trial` with options that it has."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

from tests.each import each
from tests.pipeline.cli.command_tree import COMMANDS
from tests.whole_runs import REPOSITORY, environment

TARGETS = {
    "run": {
        **{"STUDY": "ist", "DATA": "my data", "ROOT": "my runs", "SUBJECTS": "200", "SEED": "7"},
        **{"STEPS": "30", "TUNE": "1", "STORE": "sqlite:///my store", "RUNNER": "flink"},
        **{"WORKERS": "4", "MASTER": "flink:8081", "BEAM": "--x=1 --y=2"},
    },
    "validate": {
        **{"STUDY": "my study.yaml", "DATA": "my data", "MODEL": "ist", "UPDATE": "logistic"},
        **{"ROOT": "my runs", "REGISTRY": "s3://b/my registry", "RUNNER": "flink"},
        **{"WORKERS": "4", "MASTER": "flink:8081", "BEAM": "--x=1 --y=2"},
    },
    "flink-up": {"WORKERS": "3", "FLINK_JARS": "my jars"},
    "flink-down": {},
    "compile": {
        **{"STUDY": "ist", "SETTINGS": "my settings.yaml", "OUT": "my packages", "TUNE": "1"},
        **{"VALIDATE": "1", "MODEL": "ist", "UPDATE": "logistic", "IMAGE": "host/trial:7"},
    },
    "report": {"RUN": "my runs/r1", "ROOT": "my runs"},
    "notebooks": {"RUN": "my runs/r1", "ROOT": "my runs", "ONLY": "fairness"},
    "submit": {
        **{
            "ENDPOINT": "http://h",
            "STUDY": "ist",
            "DATA": "s3://b",
            "PARAMETERS": "my values.yaml",
        },
        **{"PARAMS": "a=1 b=2", "NAMESPACE": "n", "CRON": "0 3 * * *", "WAIT": "5"},
    },
    "export": {"RUN": "my runs/r1", "STORE": "sqlite:///my store", "ROOT": "my runs"},
    "verdict": {"STUDY": "my study", "RUN": "r1", "STORE": "sqlite:///s", "ROOT": "my runs"},
    "store-migrate": {"STORE": "sqlite:///my store"},
    "freeze": {"STUDY": "ist", "ROOT": "my runs", "REGISTRY": "s3://b/my registry"},
    "boards": {"STORE": "sqlite:///my store", "ROOT": "my runs", "OUT": "my boards.html"},
}


MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
DOCUMENTED = re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE)
OPTIONAL = sorted(set(re.findall(r"\$\(if \$\(([A-Z_]+)\)", MAKEFILE)))


def commands(target: str, *variables: str) -> str:
    """The shell commands that a target would run."""
    return subprocess.run(
        ["make", "-n", target, *variables],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def called(target: str, *variables: str) -> list[str]:
    """The command line of `trial` that a target would run."""
    printed = commands(target, *variables)
    # A command may be continued on the next line.
    lines = printed.replace("\\\n", " ").splitlines()
    [line] = [line for line in lines if " -m pipeline.cli " in line]
    return shlex.split(line.partition(" -m pipeline.cli ")[2])


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
    if name in ("TUNE", "VALIDATE"):
        return ["True"]
    if (target, name) == ("submit", "STUDY"):
        return [f"trial-{text}.yaml"]
    return text.split() if name in ("BEAM", "PARAMS") else [text]


@pytest.mark.parametrize("target", TARGETS)
def test_every_variable_of_a_target_reaches_an_option(target: str) -> None:
    variables = TARGETS[target]
    values = str(parse(called(target, *(f"{name}={text}" for name, text in variables.items()))))
    for name, text in variables.items():  # may be empty
        for word in each(_words(target, name, text)):
            assert word in values, name


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"store-migrate", "submit", "verdict"}))
def test_a_target_without_variables_leaves_the_choice_to_trial(target: str) -> None:
    assert parse(called(target)) == {}


@pytest.mark.parametrize("given", [False, True], ids=["without variables", "with every variable"])
@pytest.mark.parametrize("target", DOCUMENTED)
def test_the_shell_can_parse_what_a_target_runs(target: str, given: bool) -> None:
    assert {"test", "run"} < set(DOCUMENTED)
    assert "COVERAGE" in OPTIONAL
    variables = [f"{name}=1" for name in OPTIONAL] if given else []
    script = commands(target, *variables)
    parsed = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert parsed.returncode == 0, parsed.stderr
