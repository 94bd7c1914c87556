"""A pod that several tasks share: they run in order, and the one that fails has the last word."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kubeflow.spec_walker import REPOSITORY

# In place of executors: each says what it was handed; the second may fail.
PROGRAM = """\
import json, os, signal, sys
from pipeline.errors import UserError
from pipeline.runners.kubeflow import entrypoint, pod

def run_task(options):
    handed = json.loads(options.json_serialized_invocation_args)
    sys.stderr.write(f"{{options.stage}} runs\\n")
    if options.stage == "Second":
        {second}
    said = {{"metadata": {{"handed": handed["inputs"]}}}}
    made = {{
        name: {{"artifacts": [found["artifacts"][0] | said]}}
        for name, found in handed["outputs"]["artifacts"].items()
    }}
    with open(handed["outputs"]["outputFile"], "w") as file:
        json.dump({{"artifacts": made}}, file)

entrypoint.run_task = run_task
sys.exit(pod.main())
"""


def member(stage: str, **handed: tuple[str, str]) -> str:
    arguments = [f"--stage={stage}", "--json_serialized_invocation_args", "executor_input"]
    return json.dumps({"stage": stage, "arguments": arguments, "handed": handed})


TASKS = (
    member("First"),
    member("Second", examples=("First", "out"), rejects=("Before", "rejects")),
    member("Third", examples=("First", "out"), model=("Second", "out")),
)


def run_pod(folder: Path, second: str = "pass") -> subprocess.CompletedProcess[str]:
    executor_input = {
        "inputs": {
            "parameterValues": {"First__seed": 1, "Second__seed": 2},
            "artifacts": {"Before__rejects": {"artifacts": [{"uri": "minio://b/rejects"}]}},
        },
        "outputs": {
            "artifacts": {
                f"{stage}__out": {"artifacts": [{"name": "n", "uri": f"minio://b/{stage}"}]}
                for stage in ("First", "Second", "Third")
            },
            "outputFile": f"{folder}/output.json",
        },
    }
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(second=second), json.dumps(executor_input), *TASKS],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_task_is_handed_its_own_and_what_those_before_it_made(tmp_path: Path) -> None:
    ran = run_pod(tmp_path)

    assert ran.returncode == 0, ran.stderr
    made: dict[str, Any] = json.loads((tmp_path / "output.json").read_text())["artifacts"]
    handed = {name: found["artifacts"][0]["metadata"]["handed"] for name, found in made.items()}
    assert handed["First__out"] == {"parameterValues": {"seed": 1}, "artifacts": {}}
    second = handed["Second__out"]
    assert second["parameterValues"] == {"seed": 2}
    assert second["artifacts"]["rejects"]["artifacts"] == [{"uri": "minio://b/rejects"}]
    assert second["artifacts"]["examples"]["artifacts"] == [
        {"uri": "minio://b/First", "metadata": {"handed": handed["First__out"]}}
    ]
    uris = {
        name: found["artifacts"][0]["uri"]
        for name, found in handed["Third__out"]["artifacts"].items()
    }
    assert uris == {"examples": "minio://b/First", "model": "minio://b/Second"}


@pytest.mark.parametrize(
    ("second", "last"),
    [
        ("raise UserError('No arm is named Placebo.')", "Stage Second: No arm is named Placebo."),
        ("raise ValueError('broken')", "This was stage Second."),
        ("os._exit(3)", "Stage Second: its process ended with exit code 3"),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "Stage Second: its process was ended by SIGKILL: as a rule because",
        ),
    ],
)
def test_a_task_that_fails_has_the_last_word_and_ends_the_pod(
    second: str, last: str, tmp_path: Path
) -> None:
    ran = run_pod(tmp_path, second)

    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith(last), ran.stderr
    assert "First runs" in ran.stderr
    assert "Third runs" not in ran.stderr
    assert not (tmp_path / "output.json").exists()
