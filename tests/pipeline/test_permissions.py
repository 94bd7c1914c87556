"""Who may read what a command writes below a root."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.lazy import Command
from pipeline.cli.options import root_option


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


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_owner_alone_reads_what_is_written(tmp_path: Path) -> None:
    root = tmp_path / "runs"

    CliRunner().invoke(write, ["--root", str(root)], catch_exceptions=False)

    assert [mode(path) for path in (root, root / "folder")] == [0o700, 0o700]
    assert mode(root / "folder" / "file") == 0o600


@pytest.mark.parametrize(("of_data", "of_file"), [(0o750, 0o640), (0o755, 0o644), (0o700, 0o600)])
def test_readers_of_the_data_read_what_is_written(
    tmp_path: Path, of_data: int, of_file: int
) -> None:
    data, root = tmp_path / "data", tmp_path / "runs"
    data.mkdir()
    data.chmod(of_data)
    arguments = ["--root", str(root), "--data", str(data), "--readers", "data"]

    CliRunner().invoke(write, arguments, catch_exceptions=False)

    assert mode(root / "folder") == of_data
    assert mode(root / "folder" / "file") == of_file


def test_a_command_without_data_goes_by_the_root_that_a_run_has_made(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    root.mkdir()
    root.chmod(0o750)

    environment = {"TRIAL_READERS": "data"}
    CliRunner(env=environment).invoke(write, ["--root", str(root)], catch_exceptions=False)

    assert mode(root / "folder" / "file") == 0o640


def test_without_data_and_root_the_owner_alone_reads(tmp_path: Path) -> None:
    root = tmp_path / "runs"

    CliRunner().invoke(write, ["--root", str(root), "--readers", "data"], catch_exceptions=False)

    assert mode(root / "folder" / "file") == 0o600


def test_the_mask_of_the_process_is_that_of_before(tmp_path: Path) -> None:
    CliRunner().invoke(write, ["--root", str(tmp_path / "runs")], catch_exceptions=False)

    assert os.umask(0o022) == 0o022
