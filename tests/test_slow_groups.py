"""Slow tests are spread over two processes that are busy for about the same time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.each import each
from tests.shared_fixtures import sharing_of
from tests.slow_groups import GROUPS, groups_of

ROOT = Path(__file__).resolve().parents[1]
TESTS = "def test_a():\n    pass\n\ndef test_b():\n    pass\n"
INTERRUPTED = """
import pathlib, signal
import pytest


@pytest.fixture
def server():
    yield
    pathlib.Path("stopped").write_text(signal.getsignal(signal.SIGINT).name)


def test_with_server(server):
    raise KeyboardInterrupt
"""
SLOW = re.compile(r"pytest\.mark\.slow\b")

MAKE = (ROOT / "Makefile").read_text("utf-8")
DISTRIBUTION = re.findall(r"-m slow (-n 2 \S.*) -q tests\n", MAKE)[0].split()
"""Options of `make test-slow` that spread the tests."""
EVERYDAY = re.findall(r'-m "not slow" (-n 2 .*) -q \$', MAKE)[0].split()
"""Those of `make test`."""


def slow_files() -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if path != Path(__file__) and SLOW.search(path.read_text("utf-8"))
    ]


def test_every_file_with_slow_tests_is_in_one_group() -> None:
    found = {file: [group.name for group in groups_of(file)] for file in slow_files()}
    assert {file: names for file, names in each(found.items()) if len(names) != 1} == {}


def test_every_path_of_a_group_has_slow_tests() -> None:
    files = slow_files()
    for path in each([path for group in GROUPS for path in group.paths]):
        assert any(file == path or file.startswith(f"{path}/") for file in files), path


def test_the_longest_groups_come_first_and_none_outlasts_all_others() -> None:
    minutes = [group.minutes for group in GROUPS]
    assert all(longer >= shorter for longer, shorter in each(list(pairwise(minutes))))
    assert minutes[0] <= sum(minutes[1:])


def run_distributed(
    folder: Path, distribution: Sequence[str] = DISTRIBUTION
) -> subprocess.CompletedProcess[str]:
    """Runs the tests of a folder as `make test-slow` runs the project's."""
    options = ["-p", "xdist.plugin", "-p", "tests.conftest", "--rootdir", str(folder)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-v", *options, *distribution, "tests"],
        cwd=folder,
        # Other plugins would be loaded by each of the three processes.
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_group_stays_in_one_process(tmp_path: Path) -> None:
    last = next(group for group in reversed(GROUPS) if len(group.paths) > 1)
    first, of_last = GROUPS[0].paths[0], last.paths[:2]
    files = [*of_last, first]
    assert len(files) == 3
    for name in files:
        path = tmp_path / name
        path = path if path.suffix else path / "test_one.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"import pytest\n\npytestmark = pytest.mark.slow\n{TESTS}")

    found = run_distributed(tmp_path)

    ran = re.findall(r"^\[(gw\d)\].* PASSED (\S+)::", found.stdout, re.MULTILINE)
    assert len(ran) == 2 * len(files), found.stdout + found.stderr
    assert len({process for process, file in ran if file.startswith(of_last)}) == 1
    assert len({process for process, _ in ran}) == 2


def test_everyday_tests_that_share_fixtures_stay_in_one_process(tmp_path: Path) -> None:
    sharing = ["tests/shared/test_first.py", "tests/shared/inside/test_second.py"]
    alone = ["tests/other/test_third.py", "tests/other/test_fourth.py"]
    (tmp_path / "tests" / "shared" / "inside").mkdir(parents=True)
    (tmp_path / "tests" / "other").mkdir()
    for conftest in ("tests/conftest.py", "tests/shared/conftest.py"):
        (tmp_path / conftest).write_text("")
    for name in (*sharing, *alone):
        (tmp_path / name).write_text(TESTS)

    found = run_distributed(tmp_path, EVERYDAY)

    ran = re.findall(r"^\[(gw\d)\].* PASSED (\S+)::", found.stdout, re.MULTILINE)
    assert len(ran) == 2 * 4, found.stdout + found.stderr
    assert len({process for process, file in ran if file in sharing}) == 1
    assert len({process for process, _ in ran}) == 2


def test_what_has_no_fixtures_of_its_folder_shares_no_process() -> None:
    assert sharing_of("tests/test_tree.py", ROOT) == "tests/test_tree.py"
    assert sharing_of("tests/schema/test_studies.py", ROOT) == "tests/schema/test_studies.py"
    assert sharing_of("tests/trainer/uncertainty/test_task.py", ROOT) == "tests/trainer"


def test_an_interrupted_process_stops_its_servers_and_is_not_interrupted_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_interrupted.py").write_text(INTERRUPTED)

    found = run_distributed(tmp_path)

    assert found.returncode == pytest.ExitCode.INTERRUPTED, found.stdout + found.stderr
    assert (tmp_path / "stopped").read_text() == "SIG_IGN"


def test_the_table_of_minutes_is_that_of_the_groups() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = re.findall(r"^\| ([a-z0-9 ]+) \| (\d+) \| .* \|$", text, flags=re.MULTILINE)

    assert rows == [(group.name, f"{group.minutes:g}") for group in GROUPS]
