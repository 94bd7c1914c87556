"""The tree of source files: none grows beyond what a person reads in one go."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.each import each

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES = 500
SOURCE = ("*.py", "*.sh", "Makefile", "*.sql", "*.j2", "*.css", "*.js")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_source_file_has_more_than_500_lines() -> None:
    found = tracked(*SOURCE)
    lines = {path: path.read_text("utf-8").count("\n") for path in found}

    assert len(found) > 300
    assert {str(path): number for path, number in each(lines.items()) if number > MOST_LINES} == {}
