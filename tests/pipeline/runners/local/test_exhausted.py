"""Where the machine gives a run no more memory, files or space, one line says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.runners.local import run as local
from pipeline.runners.local.exhausted import what_was_lacking
from pipeline.version import PROJECT
from tests.each import each

CHILD = """
import resource, sys
from pipeline.runners.local.exhausted import what_was_lacking
name, limit, code = sys.argv[1:]
resource.setrlimit(getattr(resource, name), (int(limit), int(limit)))
try:
    exec(code)
except Exception as error:
    print(what_was_lacking(error))
"""


def told(limit: str, most: int, code: str) -> str:
    """What is said of the error that some code gets under a real limit."""
    command = [sys.executable, "-c", CHILD, limit, str(most), code]
    return subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_too_many_open_files_name_their_limit() -> None:
    said = told("RLIMIT_NOFILE", 12, "kept = [open('/dev/null') for _ in range(50)]")

    assert said == "Too many files are open: raise their limit (`ulimit -n 4096`)."


def test_too_little_memory_names_what_takes_less() -> None:
    said = told("RLIMIT_AS", 1 << 29, "bytearray(1 << 32)")

    assert said.startswith("The memory that the run may take is used up:")
    assert "`--stages-at-once 1 --workers 1`" in said


def test_what_keeps_the_text_of_an_error_alone_is_understood() -> None:
    texts = {
        "OSError: [Errno 28] No space left on device [while running 'Write']": "disk is full",
        "MemoryError [while running 'Read']": "memory",
        "ArrowMemoryError: malloc of size 64 failed": "memory",
        "ResourceExhaustedError: OOM when allocating tensor": "memory",
        "ResourceExhaustedError: /runs/model; No space left on device": "disk is full",
        "ResourceExhaustedError: /runs/model; Too many open files": "Too many files",
    }
    for text, lacking in each(texts.items()):
        assert lacking in what_was_lacking(RuntimeError(text))


def test_the_cause_of_an_error_is_looked_at() -> None:
    error = RuntimeError("a stage failed")
    error.__cause__ = MemoryError()

    assert "memory" in what_was_lacking(error)


def test_an_error_of_another_kind_lacks_nothing() -> None:
    for error in each([ValueError("[Errno 2]"), OSError(2, "No such file"), KeyError("memory")]):
        assert what_was_lacking(error) == ""


def test_the_run_says_it_behind_the_error_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(local, "resolve", fail)

    assert main(["run", "--root", str(tmp_path), "--json"]) == 1
    said = capfd.readouterr()
    lacking = what_was_lacking(MemoryError())
    assert lacking.partition(":")[0] in " ".join(said.err.split())
    assert f"Unexpected MemoryError; see the run's log. {lacking}" in said.out
