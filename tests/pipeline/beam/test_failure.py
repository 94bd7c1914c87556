"""A cluster's failure in a person's words."""

from __future__ import annotations

import pytest

from pipeline.beam.failure import find_user_error, meaning
from pipeline.errors import UserError

FLINK = ("--runner=FlinkRunner",)
LOST = RuntimeError(
    "Pipeline job-1 failed in state FAILED: java.net.ConnectException: Connection refused"
)


def test_a_lost_connection_points_to_what_ended() -> None:
    assert meaning(LOST, FLINK).startswith("A task manager of the cluster, or the worker pool")


@pytest.mark.parametrize("runner", ["--runner=FnApiRunner", "--runner=DataflowRunner"])
def test_without_task_managers_none_was_lost(runner: str) -> None:
    assert meaning(LOST, (runner,)) == ""


def test_a_cause_that_is_clear_is_left_as_it_is() -> None:
    assert meaning(OSError("No space left on device"), FLINK) == ""


MISTAKE = "ae.csv, row 4: column AESTDY: expected a number.\nCorrect it in the file."


def _fail(_: int) -> None:
    raise UserError(MISTAKE)


def _raised(*options: str) -> BaseException:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    pipeline = beam.Pipeline(options=PipelineOptions(list(options)))
    _ = pipeline | beam.Create([1]) | "Reads" >> beam.Map(_fail)
    with pytest.raises(Exception, match="row 4") as raised:
        pipeline.run().wait_until_finish()
    return raised.value


def test_a_mistake_found_by_a_worker_is_reported_as_it_was_written() -> None:
    found = find_user_error(_raised("--runner=FnApiRunner"))
    assert str(found) == MISTAKE


@pytest.mark.slow
def test_a_mistake_found_in_another_process_is_reported_as_it_was_written() -> None:
    error = _raised("--runner=FnApiRunner", "--direct_running_mode=multi_processing")
    assert not isinstance(error, UserError)
    assert str(find_user_error(error)) == MISTAKE


@pytest.mark.parametrize(
    "text",
    [
        f"Traceback (most recent call last):\n  File x\npipeline.errors.UserError: {MISTAKE} "
        "[while running 'Reads']\n",
        f"Traceback (most recent call last):\n  File x\npipeline.errors.UserError: {MISTAKE}",
        f"Job failed: Traceback\npipeline.errors.UserError: {MISTAKE} [while running 'Reads']\n\n"
        "During handling of the above exception, another exception occurred:\n",
        f"pipeline.errors.UserError: {MISTAKE}\n\nDuring handling of the above exception, another "
        f"exception occurred:\n\npipeline.errors.UserError: {MISTAKE} [while running 'Reads']",
    ],
)
def test_of_a_traceback_only_the_mistake_is_reported(text: str) -> None:
    assert str(find_user_error(RuntimeError(text))) == MISTAKE


@pytest.mark.parametrize("error", [ValueError("row 4"), RuntimeError("UserError"), LOST])
def test_another_failure_is_no_mistake_of_the_user(error: Exception) -> None:
    assert find_user_error(error) is None
