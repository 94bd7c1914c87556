"""A cluster's failure in a person's words."""

from __future__ import annotations

import pytest

from pipeline.beam.failure import meaning

FLINK = ("--runner=FlinkRunner",)
LOST = RuntimeError(
    "Pipeline job-1 failed in state FAILED: java.net.ConnectException: Connection refused"
)


def test_a_lost_connection_points_to_what_ended():
    assert meaning(LOST, FLINK).startswith("A task manager of the cluster, or the worker pool")


@pytest.mark.parametrize("runner", ["--runner=FnApiRunner", "--runner=DataflowRunner"])
def test_without_task_managers_none_was_lost(runner: str):
    assert meaning(LOST, (runner,)) == ""


def test_a_cause_that_speaks_for_itself_is_left_as_it_is():
    assert meaning(OSError("No space left on device"), FLINK) == ""
