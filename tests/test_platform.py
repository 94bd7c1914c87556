"""Lock and interpreter of a machine, by `requirements/platform.sh`."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.tfx_release import installed_lock
from pipeline.version import PROJECT
from tests.pipeline.cli.test_makefile import recorded

SCRIPT = PROJECT / "requirements" / "platform.sh"

Choose = Callable[..., subprocess.CompletedProcess[str]]


def program(folder: Path, name: str, answer: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{answer}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def choose(tmp_path: Path) -> Choose:
    """Runs the script where nothing is on the path but what a test puts there."""
    for tool in ("sed", "sh"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")

    def run(
        *arguments: str,
        system: str = "Linux",
        machine: str = "x86_64",
        libc: str,
        pythons: tuple[str, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        program(tmp_path, "uname", f'[ "$1" = -s ] && echo {system} || echo {machine}')
        program(tmp_path, "getconf", f"echo {libc}" if libc else "exit 1")
        for version in pythons:
            program(tmp_path, f"python{version}", f"echo {version}")
        return subprocess.run(
            ["/bin/sh", str(SCRIPT), *arguments],
            env={**os.environ, "PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("system", "machine", "libc", "lock"),
    [
        ("Linux", "x86_64", "glibc 2.35", "tfx116"),
        ("Linux", "x86_64", "glibc 2.36", "tfx116"),
        ("Linux", "x86_64", "glibc 2.38", "tfx116"),
        ("Linux", "x86_64", "glibc 2.39", "tfx121"),
        ("Linux", "x86_64", "glibc 2.41", "tfx121"),
        ("Darwin", "arm64", "", "tfx121"),
    ],
)
def test_the_lock_follows_the_platform(
    choose: Choose, system: str, machine: str, libc: str, lock: str
) -> None:
    answer = choose("lock", system=system, machine=machine, libc=libc)
    assert (answer.stdout.strip(), answer.returncode) == (lock, 0)


@pytest.mark.parametrize(
    ("system", "machine", "libc", "told"),
    [
        ("Linux", "aarch64", "glibc 2.41", "no release for Linux on aarch64"),
        ("Darwin", "x86_64", "", "no release for Darwin on x86_64"),
        ("Linux", "x86_64", "", "needs glibc"),
    ],
)
def test_a_platform_without_a_release_of_tfx_is_refused(
    choose: Choose, system: str, machine: str, libc: str, told: str
) -> None:
    answer = choose("lock", system=system, machine=machine, libc=libc)
    assert answer.returncode == 1
    assert told in answer.stderr


def test_the_newest_interpreter_that_the_lock_knows_is_taken(choose: Choose) -> None:
    here = ("3.10", "3.11", "3.12", "3.14")
    assert choose("python", libc="glibc 2.41", pythons=here).stdout.strip() == "python3.12"
    assert choose("python", libc="glibc 2.36", pythons=here).stdout.strip() == "python3.11"


def test_the_reason_names_lock_interpreter_and_platform(choose: Choose) -> None:
    answer = choose("reason", libc="glibc 2.41", pythons=("3.13",))
    assert "requirements/tfx121 with Python 3.13" in answer.stdout
    assert "glibc 2.41" in answer.stdout


def test_without_an_interpreter_the_package_to_install_is_named(choose: Choose) -> None:
    answer = choose("python", libc="glibc 2.36", pythons=("3.13",))
    assert answer.returncode == 1
    assert "Python 3.11 is needed" in answer.stderr
    assert "python3.11-venv" in answer.stderr


def test_a_named_interpreter_that_the_lock_does_not_know_is_refused(
    choose: Choose, tmp_path: Path
) -> None:
    answer = choose("python", str(program(tmp_path, "other", "echo 3.13")), libc="glibc 2.36")
    assert answer.returncode == 1
    assert "is not Python 3.11" in answer.stderr


def test_a_named_interpreter_is_taken_before_those_on_the_path(
    choose: Choose, tmp_path: Path
) -> None:
    named = str(program(tmp_path, "other", "echo 3.11"))
    answer = choose("python", named, libc="glibc 2.41", pythons=("3.13",))
    assert answer.stdout.strip() == named


def test_the_lock_that_is_installed_is_that_of_this_platform() -> None:
    answer = subprocess.run(
        ["/bin/sh", str(SCRIPT), "lock"], capture_output=True, text=True, check=True
    )
    assert installed_lock() == answer.stdout.strip()


def test_an_audit_reads_the_locks_of_pipeline_and_service(tmp_path: Path) -> None:
    lines = recorded(tmp_path, "audit")

    assert [re.sub(r"tfx\d+", "tfx", line[-1]) for line in lines] == [
        "requirements/tfx/runtime.txt",
        "requirements/serve.txt",
    ]
