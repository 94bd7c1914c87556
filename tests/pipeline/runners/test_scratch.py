"""Temporary files of a run that was killed are found by the next run of the same root alone."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline.runners.scratch import abandoned, scratch
from tests.whole_runs import environment

_DYING = """
import os, signal, sys, tempfile
from pathlib import Path
from pipeline.runners.scratch import scratch

with scratch(Path(sys.argv[1])) as folder:
    Path(tempfile.mkdtemp(), "shard").write_text("rows of subjects")
    if os.fork() == 0:
        # A child that outlives its parent still works there.
        sys.stdin.read()
        os._exit(0)
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder of temporary files."""
    folder = tmp_path / "system"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def test_all_temporary_files_lie_in_a_folder_of_the_owner_which_is_removed(
    tmp_path: Path, system: Path
) -> None:
    with scratch(tmp_path / "runs") as folder:
        assert folder.parent == system
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with tempfile.NamedTemporaryFile() as here:
            assert Path(here.name).is_relative_to(folder)
        child = "import tempfile; print(tempfile.gettempdir())"
        ran = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True)
        assert Path(ran.stdout.strip()).is_relative_to(folder)

    assert list(system.iterdir()) == []
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(system)


def test_what_a_killed_run_left_is_found_by_its_root_once_no_process_works_there(
    tmp_path: Path, system: Path
) -> None:
    root, other = tmp_path / "runs", tmp_path / "others"
    died = subprocess.Popen(
        [sys.executable, "-c", _DYING, str(root)],
        env=environment(TMPDIR=str(system)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert died.stdin
    assert died.stdout
    left = Path(died.stdout.readline().strip())
    assert died.wait() == -signal.SIGKILL
    assert [path.read_text() for path in left.rglob("shard")] == ["rows of subjects"]

    with scratch(root) as mine:
        assert abandoned(root, mine) == []
        died.stdin.close()
        assert died.stdout.read() == ""
        assert abandoned(root, mine) == [left]
        assert abandoned(other, mine) == []


def test_a_link_in_the_systems_folder_is_not_followed(tmp_path: Path, system: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    with scratch(tmp_path / "runs") as mine:
        (system / f"{mine.name[:-12]}{'0' * 12}").symlink_to(precious)
        assert abandoned(tmp_path / "runs", mine) == []


def test_a_run_that_ends_holds_its_folder_until_it_is_removed(
    tmp_path: Path, system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that starts would remove it at the same time."""
    root = tmp_path / "runs"
    found = []
    plain = shutil.rmtree

    def rmtree(path: Path, ignore_errors: bool = False) -> None:
        found.append(abandoned(root, system / "mine"))
        plain(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    with scratch(root) as mine:
        pass
    assert not mine.exists()
    assert found
    assert not any(found)
