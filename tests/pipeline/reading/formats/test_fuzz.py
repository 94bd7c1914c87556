"""Fifteen seconds of damaged files for every format: each is read, or refused in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.reading.formats.fuzzing import TARGETS
from tests.pipeline.reading.formats.written_files import needs_data
from tests.whole_runs import REPOSITORY

pytestmark = pytest.mark.slow

SEED = 1_000_000
SECONDS = 15
"""For each reader, shared by the ways in which its files are written here."""


def reader_of(name: str) -> str:
    """The reader of a way to write files."""
    word = re.split("[ ,]", name)[0]
    return "json" if word in ("ndjson", "dsjc") else word


@pytest.mark.parametrize(
    "fmt",
    [pytest.param(name, marks=needs_data if name == "sas7bdat" else ()) for name in TARGETS],
)
def test_a_damaged_file_is_read_or_refused_in_one_line(fmt: str, tmp_path: Path) -> None:
    """The input that was neither stays in the folder of the test; it belongs to `damaged/`."""
    seconds = SECONDS / sum(reader_of(other) == reader_of(fmt) for other in TARGETS)
    module = "tests.pipeline.reading.formats.fuzzing"
    ended = subprocess.run(
        [sys.executable, "-m", module, fmt, str(SEED), str(tmp_path), str(seconds)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    left = sorted(path.name for path in tmp_path.iterdir())
    assert ended.returncode == 0, f"{left}: {ended.stderr[-2_000:]}"
    assert "Exception ignored" not in ended.stderr
    assert int(ended.stdout.splitlines()[-1]) > 100
