"""What fails on the cluster while 300 subjects become examples, and what a rerun makes of it."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.beam.check import flink_slots
from pipeline.beam.failure import meaning
from pipeline.beam.local_flink.cluster import slots_of
from pipeline.beam.options import parse_beam_options
from pipeline.errors import UserError
from tests.flink.conftest import Flink
from tests.flink.example_gen import IN_MEMORY, ExampleGen, Written, options

pytestmark = pytest.mark.slow

SUBJECTS = 300
SEED = 20261
NO_SERVER = "127.0.0.1:1"
"""Address where nothing listens."""
_SECONDS = 240.0


@pytest.fixture(scope="module")
def example_gen(tmp_path_factory: pytest.TempPathFactory, subject_key: str) -> ExampleGen:
    """TrialExampleGen on a synthetic trial."""
    from pipeline.synthetic.trial import SyntheticTrial
    from pipeline.synthetic.write import write

    data = tmp_path_factory.mktemp("trial")
    write(SyntheticTrial(SUBJECTS, SEED), str(data))
    return ExampleGen(data, subject_key)


@pytest.fixture(scope="module")
def right(example_gen: ExampleGen, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """What it writes in memory."""
    return example_gen.run(tmp_path_factory.mktemp("memory"), IN_MEMORY)


@contextmanager
def _submitted(run: Callable[[], Written]) -> Iterator[Future[Written]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run)


@contextmanager
def _held(flink: Flink, pool: str) -> Iterator[None]:
    """A worker pool starts no workers meanwhile: no job finishes."""
    process = flink.cluster.member(pool).process
    assert process is not None
    process.suspend()
    try:
        yield
    finally:
        if flink.cluster.member(pool).process:
            process.resume()


def _wait(is_true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not is_true():
        assert time.monotonic() < deadline, f"{what}: not within {_SECONDS:.0f} seconds"
        time.sleep(0.1)


def _ask(flink: Flink, question: str) -> Any:
    with urllib.request.urlopen(f"http://{flink.cluster.master}/{question}") as answer:
        return json.load(answer)


def _is_at_work(flink: Flink) -> bool:
    """Whether tasks of a job run."""
    jobs = _ask(flink, "jobs/overview")["jobs"]
    return any(job["state"] == "RUNNING" and job["tasks"]["running"] for job in jobs)


def _lose_task_manager(flink: Flink, number: int) -> None:
    """Kills a task manager in the middle of a job, and starts it again."""
    name = f"taskmanager-{number}"
    with _held(flink, f"pool-{number}"):
        _wait(lambda: _is_at_work(flink), "a job that is at work")
        flink.cluster.kill(name)
    flink.cluster.start_task_manager(number)


def _whole_again(flink: Flink) -> None:
    _wait(
        lambda: slots_of(flink.cluster.master) == flink.cluster.plan.task_managers,
        "a cluster with all its slots",
    )


def test_a_lost_task_manager_is_made_up_for_where_jobs_start_again(
    flink: Flink, example_gen: ExampleGen, right: Written, tmp_path: Path
) -> None:
    with _submitted(lambda: example_gen.run(tmp_path, options(flink))) as running:
        _lose_task_manager(flink, 0)

        assert running.result(_SECONDS) == right

    _whole_again(flink)


def test_a_lost_task_manager_ends_the_job_where_jobs_do_not_start_again(
    fragile_flink: Flink, example_gen: ExampleGen, right: Written, tmp_path: Path
) -> None:
    with _submitted(lambda: example_gen.run(tmp_path, options(fragile_flink))) as running:
        _lose_task_manager(fragile_flink, 1)
        with pytest.raises(RuntimeError) as failure:
            running.result(_SECONDS)
    _whole_again(fragile_flink)
    assert meaning(failure.value, options(fragile_flink)).startswith("A task manager")

    assert example_gen.run(tmp_path, options(fragile_flink)) == right


def test_a_lost_worker_pool_ends_the_job(
    fragile_flink: Flink, example_gen: ExampleGen, right: Written, tmp_path: Path
) -> None:
    with _submitted(lambda: example_gen.run(tmp_path, options(fragile_flink))) as running:
        with _held(fragile_flink, "pool-0"):
            _wait(lambda: _is_at_work(fragile_flink), "a job that is at work")
            fragile_flink.cluster.kill("pool-0")
        with pytest.raises(RuntimeError) as failure:
            running.result(_SECONDS)
    assert "or the worker pool beside it" in meaning(failure.value, options(fragile_flink))

    fragile_flink.cluster.start_pool(0)
    fragile_flink.cluster.wait_for_pools()
    assert example_gen.run(tmp_path, options(fragile_flink)) == right


def test_a_cluster_that_is_not_there_is_reported_before_a_run_starts(
    flink: Flink, example_gen: ExampleGen, right: Written, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=f"No Flink answers at http://{NO_SERVER} "):
        flink_slots(parse_beam_options([*flink.options(), f"--master={NO_SERVER}"]))

    assert example_gen.run(tmp_path, options(flink)) == right


def test_a_disk_that_is_full_on_a_worker_ends_the_job(
    fragile_flink: Flink, example_gen: ExampleGen, right: Written
) -> None:
    if fragile_flink.small_disk is None:
        pytest.fail("a small disk can be mounted by root alone")
    filler = fragile_flink.small_disk / "filler"
    free = os.statvfs(fragile_flink.small_disk)
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize - 40_000))
    folder = fragile_flink.small_disk / "run"

    with pytest.raises(RuntimeError, match="No space left on device"):
        example_gen.run(folder, options(fragile_flink))
    filler.unlink()
    assert example_gen.run(folder, options(fragile_flink)) == right
