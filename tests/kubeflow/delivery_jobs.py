"""The jobs of GitLab's file, run as its runner does: command by command, each by a shell.

GitHub's file has the same commands (`tests/test_delivery.py`).
"""

from __future__ import annotations

import string
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubeflow.spec_walker import REPOSITORY
from tests.pipeline.cli.test_makefile import outside_of_make

IMAGES = "localhost:15017"
"""Where the tests' registry of images answers."""

OF_THE_RUNNER = {
    "IMAGE_NAME": f"{IMAGES}/trial-test",
    "CI_COMMIT_SHA": "current",
    "GITLAB_USER_LOGIN": "a.person",
    "IMAGE_PUSH": "buildah push --quiet --tls-verify=false --disable-compression",
}
"""Variables of every job."""


def commands_of(job: str) -> list[str]:
    """The commands of a job, in its order."""
    return [str(command) for command in _content()[job]["script"]]


def run_command(job: str, command: str, folder: Path, variables: Mapping[str, str]) -> str:
    """Runs a command of a job; the test fails where it fails.

    Args:
        job: The job.
        command: One of its commands.
        folder: The checkout that it runs in.
        variables: What the project's settings and the runner set, besides `OF_THE_RUNNER`.

    Returns:
        What it wrote.
    """
    given = {**OF_THE_RUNNER, **variables}
    of_the_job = {
        name: string.Template(value).substitute(given)
        for name, value in _content()[job].get("variables", {}).items()
    }
    environment = {name: text for name, text in outside_of_make().items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**environment, **given, **of_the_job},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        pytest.fail(f"{job}: {command}\n{ran.stdout[-2000:]}{ran.stderr[-4000:]}")
    return ran.stdout


def checkout(folder: Path) -> Path:
    """A checkout of its own, with this checkout's environment installed.

    Args:
        folder: Where to; it does not exist.
    """
    subprocess.run(
        ["git", "clone", "--quiet", "--no-hardlinks", REPOSITORY, folder],
        capture_output=True,
        check=True,
    )
    environment = folder / ".venv"
    environment.mkdir()
    for path in (REPOSITORY / ".venv").resolve().iterdir():
        if path.name.startswith(".ready-"):
            # Newer than all that make compares it with.
            (environment / path.name).touch()
        else:
            (environment / path.name).symlink_to(path)
    return folder


def _content() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((REPOSITORY / ".gitlab-ci.yml").read_text("utf-8"))
    return content
