"""A prediction log of Parquet files, here and in an object store."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.outputs.output import Audience, Disclosure, Within
from pipeline.outputs.register import outputs_of
from pipeline.predictions.open_log import open_log
from pipeline.predictions.parquet_log import ParquetLog
from pipeline.storage import files_below
from tests.each import each
from tests.pipeline.predictions.hand_made import DAY, STUDY, add, subjects_of


def test_to_open_a_log_writes_nothing(folder: str) -> None:
    open_log(folder)
    assert files_below(folder) == []
    assert not Path(folder).exists()


def test_a_batch_is_one_file_that_replaces_itself(folder: str) -> None:
    log = ParquetLog(folder)
    add(log, "a", "b")
    add(log, "a", "b")

    assert files_below(folder) == ["stroke/2026-11-30/score-run-1.parquet"]


def test_a_file_in_which_all_are_forgotten_is_removed_as_one_that_has_expired(folder: str) -> None:
    log = ParquetLog(folder)
    add(log, "a", "b")
    add(log, "a", run="run-2")
    add(log, "b", run="run-3", day=DAY - timedelta(1))

    log.forget(STUDY, ["a"])
    log.expire(DAY)
    assert files_below(folder) == ["stroke/2026-11-30/score-run-1.parquet"]


def test_its_files_are_in_the_register_of_outputs(folder: str) -> None:
    add(ParquetLog(folder), "a")
    (output,) = outputs_of(Within.PREDICTION_LOG, *files_below(folder))
    assert (output.audience, output.disclosure) == (Audience.OWNER, Disclosure.PATIENT)


def test_only_the_owner_reads_it_or_lists_it(tmp_path: Path) -> None:
    add(ParquetLog(str(tmp_path / "made" / "predictions")), "a")
    for path in each((tmp_path / "made").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.predictions.parquet_log import ParquetLog
from tests.pipeline.predictions.hand_made import add

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

Path.replace = killed
add(ParquetLog(sys.argv[1]), "a")
"""


def test_a_writer_that_is_killed_leaves_nothing_half_and_its_draft_is_removed_later(
    tmp_path: Path,
) -> None:
    """Killed when all is written, and before the file has its name."""
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    log = ParquetLog(str(tmp_path))
    (draft,) = files_below(str(tmp_path))
    assert subjects_of(log.read(STUDY)) == []

    log.forget(STUDY, ["a"])
    assert files_below(str(tmp_path)) == [draft], "it may be one that is being written"
    os.utime(tmp_path / draft, (0, 0))
    log.forget(STUDY, ["a"])
    assert files_below(str(tmp_path)) == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    log = ParquetLog(str(tmp_path))
    add(log, "a")
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"score-run-1\.parquet: the file of the prediction log"):
        list(log.read(STUDY))


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(UserError, match="Expected a local folder, s3://"):
        open_log("gs://bucket/predictions")
