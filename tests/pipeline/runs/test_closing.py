"""A run whose process has died is closed by who finds it; one that is alive is left alone."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.runs.alive import RUN_LOCK, FolderInUseError, LivingRun, living_run
from pipeline.runs.closing import close_if_dead, close_run
from pipeline.runs.run_file import RECORDS, RUN_FILE, RunFile, read_run_file
from pipeline.runs.stage_record import StageRecord, read_records
from tests.whole_runs import environment

STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def started(own: Path, run: str = "r1", stage: str = "Trainer", **changes: object) -> Path:
    """Records of a run that is in a stage, behind one that is done."""
    records = own / RECORDS / run
    file = RunFile.model_validate(
        {
            "run": run,
            "study": "hand",
            "study_file": {},
            "study_digest": "",
            "fingerprint": "",
            "data_root": "data",
            "data_modified": None,
            "seed": 7,
            "steps": 50,
            "code_version": "0.2.0",
            "started_by": "a_user",
            "started": STARTED,
            "ended": None,
            "status": "running",
            "failed_stage": stage,
            "reason": None,
            "store": "",
            "outputs": {},
        }
        | changes
    )
    file.write(records)
    StageRecord(run=run, stage="Transform", status="done", started=STARTED).write(records)
    if stage:
        StageRecord(run=run, stage=stage, started=STARTED).write(records)
    return records


@contextmanager
def alive(own: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is the run `r1` of a folder."""
    program = (
        "import sys, time; from pathlib import Path; from pipeline.runs.alive import living_run\n"
        "with living_run(Path(sys.argv[1])) as living:\n"
        "    living.name('r1'); print('alive', flush=True); time.sleep(120)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(own)],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "alive\n"
        yield child
    finally:
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()


def statuses(records: Path) -> dict[str, str]:
    return {record.stage: record.status for record in read_records(records)}


def test_a_run_is_closed_when_its_process_has_been_killed_and_not_before(tmp_path: Path) -> None:
    records = started(tmp_path)
    with alive(tmp_path) as child:
        assert close_if_dead(records) is None
        assert read_run_file(records).status == "running"

        os.kill(child.pid, signal.SIGKILL)
        child.wait()

    closed = close_if_dead(records)

    assert closed == read_run_file(records)
    assert (closed.status, closed.failed_stage) == ("killed", "Trainer")
    assert closed.reason is not None
    assert closed.reason.startswith("Stage Trainer: its process ended without a record of it")
    assert statuses(records) == {"Transform": "done", "Trainer": "killed"}
    assert close_if_dead(records) is None


def test_the_end_of_a_dead_run_is_when_it_last_wrote(tmp_path: Path) -> None:
    records = started(tmp_path)
    last = STARTED + timedelta(minutes=3)
    for path in records.glob("*.json"):
        os.utime(path, (0, last.timestamp()))

    closed = close_if_dead(records)

    assert closed is not None
    assert closed.ended == last
    assert {record.stage: record.seconds for record in read_records(records)}["Trainer"] == 180


def test_a_run_that_died_before_its_first_stage_names_none(tmp_path: Path) -> None:
    closed = close_if_dead(started(tmp_path, stage=""))

    assert closed is not None
    assert (closed.status, closed.failed_stage) == ("killed", "")


def test_a_run_that_could_not_record_its_end_ended_as_its_stage_did(tmp_path: Path) -> None:
    """On a disk that fills up, the stage's record may be the last that has a place."""
    records = started(tmp_path)
    error = {"exception": "OSError", "error": "OSError: the value of a subject"}
    record = StageRecord(run="r1", stage="Trainer", status="failed", started=STARTED)
    record.model_copy(update=error).write(records)

    closed = close_if_dead(records)

    assert closed is not None
    assert (closed.status, closed.failed_stage) == ("failed", "Trainer")
    assert closed.reason == "Stage Trainer: Unexpected OSError; see the run's log."
    assert statuses(records) == {"Transform": "done", "Trainer": "failed"}


@pytest.mark.parametrize("status", ["done", "failed", "interrupted", "killed"])
def test_a_run_that_has_ended_stays_as_it_is(tmp_path: Path, status: str) -> None:
    records = started(tmp_path, status=status, ended=STARTED)
    before = (records / RUN_FILE).read_bytes()

    assert close_run(records, "failed", "aborted") is None
    assert (records / RUN_FILE).read_bytes() == before


def test_a_second_run_in_a_folder_is_refused_in_one_line_that_names_the_first(
    tmp_path: Path,
) -> None:
    with alive(tmp_path):
        with pytest.raises(FolderInUseError) as refused, living_run(tmp_path, patience=0.0):
            pass
        # One of another study is not.
        with living_run(tmp_path / "other", patience=0.0) as other:
            assert other.unclosed == ()

    assert "another run (r1) of this study is under way" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_next_run_knows_who_died_and_nothing_of_one_that_ended(tmp_path: Path) -> None:
    with alive(tmp_path):
        pass
    with living_run(tmp_path) as living:
        assert living.unclosed == ("r1",)
        living.name("r2", "r1")
        with pytest.raises(FolderInUseError, match=r"another run \(r2\)"):
            living_run(tmp_path, patience=0.0).__enter__()
    with living_run(tmp_path) as living:
        assert living.unclosed == ("r2", "r1")
        living.name()
    with living_run(tmp_path) as living:
        assert living.unclosed == ()


def test_a_record_that_can_not_be_written_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk left a `run.json` of 0 bytes, which no command could read."""
    records = started(tmp_path)
    before = (records / RUN_FILE).read_bytes()

    def full(path: Path, content: str, **_: object) -> int:
        path.touch()
        raise OSError(28, f"No space left on device for {len(content)} letters")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        read_run_file(records).write(records)

    assert (records / RUN_FILE).read_bytes() == before
    assert sorted(path.name for path in records.iterdir()) == [
        "Trainer.json",
        "Transform.json",
        RUN_FILE,
    ]


def test_a_name_is_written_over_the_earlier_one_so_that_a_full_disk_has_a_place(
    tmp_path: Path,
) -> None:
    """A file that is emptied first would lose the earlier name where it then can't be written."""
    with living_run(tmp_path) as living:
        living.name("r2", "r1")
    full = Full((tmp_path / RUN_LOCK).read_bytes())

    with pytest.raises(OSError, match="No space"):
        LivingRun(full).name("r4", "r3", "r2", "r1")

    full.seek(0)
    assert full.read() == b"r2\nr1"
    LivingRun(full).name("r3", "r2")
    assert full.getvalue() == b"r3\nr2"


class Full(io.BytesIO):
    """A file on a full disk: what it has can be overwritten, and it can't grow."""

    def write(self, content: Any, /) -> int:
        if self.tell() + len(content) > len(self.getvalue()):
            raise OSError(28, "No space left on device")
        return super().write(content)
