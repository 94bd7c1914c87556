"""Puts each fault back in a copy of the project and runs the tests that must fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console

from tests.mutations.faults import Fault, load_faults
from tests.whole_runs import REPOSITORY

_TESTS_FAILED = 1
"""Exit code of pytest where tests were run and some failed."""

_HELD = "held"


def main(names: Sequence[str]) -> int:
    """Puts faults back.

    Args:
        names: Parts of the names of the faults; all, where empty.

    Returns:
        0 if tests fail for each fault, otherwise 1.
    """
    console = Console()
    chosen = [
        fault for fault in load_faults() if not names or any(name in fault.name for name in names)
    ]
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        _copy_project(copy)
        for fault in chosen:
            outcome = _outcome(*_run_tests(copy, fault))
            survived += outcome != _HELD
            console.print(f"{outcome}  {fault.name}", markup=False)
    console.print(f"{len(chosen) - survived} of {len(chosen)} faults are held by a test")
    return int(survived > 0 or not chosen)


def _copy_project(copy: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if not (REPOSITORY / name).exists():
            continue
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, target)


def _outcome(code: int, report: Path) -> str:
    """What pytest says of a fault.

    Args:
        code: Its exit code. TensorFlow may crash when the process ends, after all tests.
        report: Its report, which it has written by then; a crash within a test leaves none.
    """
    if code < 0:
        if not report.exists():
            return "TESTS NOT RUN"
        (suite,) = ElementTree.parse(report).iter("testsuite")
        code = int(any(int(suite.attrib[kind]) for kind in ("failures", "errors")))
    if code == _TESTS_FAILED:
        return _HELD
    return "NOT HELD" if code == 0 else "TESTS NOT RUN"


def _run_tests(copy: Path, fault: Fault) -> tuple[int, Path]:
    """Exit code and report of pytest on the fault's tests, with the fault put back."""
    report = copy.parent / "report.xml"
    report.unlink(missing_ok=True)
    file = copy / fault.file
    mended = file.read_text(encoding="utf-8")
    file.write_text(mended.replace(fault.mended, fault.fault), encoding="utf-8")
    try:
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                "-m",
                "not slow",
                "-p",
                "no:cacheprovider",
                f"--junitxml={report}",
                *fault.tests,
            ],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        file.write_text(mended, encoding="utf-8")
    return ended.returncode, report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
