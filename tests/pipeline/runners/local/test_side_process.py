"""What arrives of a stage that runs in the process beside this one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.runners.local.side_process import SideProcess, SideProcessDied
from pipeline.runs.run_record import recorded
from pipeline.runs.stage_record import StageRecord

pytestmark = pytest.mark.slow


@pytest.fixture
def side() -> Iterator[SideProcess]:
    process = SideProcess()
    yield process
    process.close()


def run(side: SideProcess, does: str, folder: Path) -> None:
    """Runs `side_stages.Executor`, which does something in a folder."""
    # TFX takes seconds to import.
    from tfx.orchestration.portable.data_types import ExecutionInfo
    from tfx.proto.orchestration.executable_spec_pb2 import PythonClassExecutableSpec

    spec = PythonClassExecutableSpec(class_path="tests.pipeline.runners.local.side_stages.Executor")
    execution = ExecutionInfo(
        execution_id=1,
        exec_properties={"does": does, "folder": str(folder)},
        execution_output_uri=str(folder / "output"),
        stateful_working_dir=str(folder),
        tmp_dir=str(folder),
    )
    side.run_executor("ReferenceModels", spec, execution)


def writer(folder: Path) -> int:
    """Number of the process in which the executor wrote."""
    return int((folder / "process").read_text())


def test_a_stage_writes_its_output_from_a_process_of_its_own(
    side: SideProcess, tmp_path: Path
) -> None:
    run(side, "write", tmp_path)
    assert writer(tmp_path) == side.process_id


def test_one_process_runs_stage_after_stage(side: SideProcess, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        run(side, "write", folder)
    assert writer(first) == writer(second)


def test_rows_that_a_stage_logs_are_of_its_record_alone(
    side: SideProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    here = StageRecord(run="r1", stage="Trainer")
    there = StageRecord(run="r1", stage="ReferenceModels")
    with (
        recorded(here, tmp_path, side.process_id),
        recorded(there, tmp_path, side.process_id, is_beside=True),
    ):
        logging.getLogger("trainer").info("rows", extra={"rows": {"subjects": 3}})
        run(side, "log 7 rows", tmp_path)
    assert [rows.subjects for rows in here.rows] == [3]
    assert [rows.subjects for rows in there.rows] == [7]


def test_a_user_s_mistake_arrives_as_one_with_the_traceback_for_the_log(
    side: SideProcess, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as raised:
        run(side, "fail with a user's mistake", tmp_path)
    assert str(raised.value) == "no column AGE"
    assert "side_stages.py" in "".join(raised.value.__notes__)


def test_an_exception_that_can_t_be_pickled_arrives_by_name(
    side: SideProcess, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="_LockedError: a bug"):
        run(side, "fail with a bug", tmp_path)


def test_a_process_that_dies_is_named_with_its_signal(side: SideProcess, tmp_path: Path) -> None:
    with pytest.raises(
        SideProcessDied, match=r"Stage ReferenceModels: its process was ended by SIGABRT"
    ):
        run(side, "abort", tmp_path)


def test_an_interrupt_ends_a_stage_that_would_go_on(side: SideProcess, tmp_path: Path) -> None:
    ended: list[BaseException] = []

    def wait_for_ever() -> None:
        try:
            run(side, "wait", tmp_path)
        except BaseException as error:
            ended.append(error)

    stage = threading.Thread(target=wait_for_ever)
    stage.start()
    while not (tmp_path / "waits").exists():
        assert stage.is_alive()
        stage.join(0.05)
    side.interrupt()
    stage.join(60)
    assert [type(error) for error in ended] == [KeyboardInterrupt]
