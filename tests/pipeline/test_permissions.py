"""Who may read what a command writes below a root."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.lazy import Command
from pipeline.cli.options import root_option
from pipeline.errors import UserError


@click.command(cls=Command)
@click.option("--data")
@root_option
def write(data: str | None, root: Path) -> None:
    """Writes a folder and a file."""
    del data
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "file").write_text("")


@pytest.fixture(autouse=True)
def usual_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everyone can come to, as pytest's own are not."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_owner_alone_reads_what_is_written(tmp_path: Path) -> None:
    root = tmp_path / "runs"

    CliRunner().invoke(write, ["--root", str(root)], catch_exceptions=False)

    assert [mode(path) for path in (root, root / "folder")] == [0o700, 0o700]
    assert mode(root / "folder" / "file") == 0o600


@pytest.mark.parametrize(
    ("of_data", "of_file"), [(0o750, 0o640), (0o755, 0o644), (0o700, 0o600), (0o550, 0o640)]
)
def test_readers_of_the_data_read_what_is_written(
    open_folder: Path, of_data: int, of_file: int
) -> None:
    data, root = open_folder / "data", open_folder / "runs"
    data.mkdir()
    data.chmod(of_data)
    arguments = ["--root", str(root), "--data", str(data), "--readers", "data"]

    CliRunner().invoke(write, arguments, catch_exceptions=False)

    # Of the owner nothing is taken: data that are only read are no folder that can't be written.
    assert mode(root / "folder") == of_data | 0o700
    assert mode(root / "folder" / "file") == of_file


def test_a_folder_above_the_data_that_is_closed_closes_what_is_written(open_folder: Path) -> None:
    data, root = open_folder / "closed" / "data", open_folder / "runs"
    data.mkdir(parents=True)
    data.chmod(0o755)
    data.parent.chmod(0o700)
    arguments = ["--root", str(root), "--data", str(data), "--readers", "data"]

    CliRunner().invoke(write, arguments, catch_exceptions=False)

    assert mode(root / "folder" / "file") == 0o600


def test_a_group_that_new_files_would_not_have_is_refused(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, root = open_folder / "data", open_folder / "runs"
    data.mkdir()
    data.chmod(0o750)
    monkeypatch.setattr(os, "getegid", lambda: data.stat().st_gid + 1)
    arguments = ["--root", str(root), "--data", str(data), "--readers", "data"]

    with pytest.raises(UserError, match="is readable by the group"):
        CliRunner().invoke(write, arguments, catch_exceptions=False)

    assert not root.exists()


def test_without_a_data_folder_the_root_says_who_reads(open_folder: Path) -> None:
    root = open_folder / "runs"
    root.mkdir()
    root.chmod(0o750)

    environment = {"TRIAL_READERS": "data"}
    CliRunner(env=environment).invoke(write, ["--root", str(root)], catch_exceptions=False)

    assert mode(root / "folder" / "file") == 0o640


def test_a_run_without_data_folder_and_root_is_refused(tmp_path: Path) -> None:
    arguments = ["--root", str(tmp_path / "runs"), "--readers", "data"]

    with pytest.raises(UserError, match="mkdir -m 750"):
        CliRunner().invoke(write, arguments, catch_exceptions=False)


def test_the_mask_of_the_process_is_that_of_before(tmp_path: Path) -> None:
    CliRunner().invoke(write, ["--root", str(tmp_path / "runs")], catch_exceptions=False)

    assert os.umask(0o022) == 0o022
