"""The pipeline's first stages on one machine and on Flink, side by side.

Each size is a synthetic trial with about 20 event rows per subject, made before the clock starts.
Every runner reads it from a fresh root in a process of its own: in memory, with several processes,
on a local Flink. Of Flink, the peak memory of the job manager, of each task manager and of each
pool of workers is measured as well. The jobs reach Flink through the tests' stand-in for Beam's job
server (`tests/flink`), which needs Maven and a Java compiler.

Runs are added to those in the results' file, so a long series can be measured in parts; if it holds
Flink runs of two sizes, the cost of more workers is computed from them.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.flink_cost import FlinkRun, cost_table
from benchmarks.report import machine, machine_line, markdown_table, quietness, write_json
from benchmarks.trial_run import PROJECT, TrialRun, make_synthetic_trial, run_trial
from pipeline.beam.choices import Runner
from pipeline.beam.local_flink.cluster import LocalFlink, start
from pipeline.beam.local_flink.jars import TOOLS, fetch_flink
from pipeline.beam.local_flink.plan import ClusterPlan
from pipeline.runners.stages import STAGES

logger = logging.getLogger(__name__)

_SIZES = (10_000, 100_000)
_RUNNERS = (Runner.IN_MEMORY, Runner.MULTI_PROCESS, Runner.FLINK)
_LAST_STAGE = "Transform"
"""Last stage of the part in which Beam does nearly all of the work."""
_WHOLE = "whole"
_SAMPLE_SECONDS = 2.0
"""Adding up the pages of a cluster's processes takes a tenth of a second."""
_STAND_IN = PROJECT / "tests" / "flink" / "job_server.py"
_SUBMITTING = "submitting process"

_Key = tuple[str, int, str, int, bool]


@dataclass(frozen=True)
class Result:
    """One run.

    Attributes:
        subjects: Subjects of the trial.
        runner: The runner.
        workers: Number of parallel workers, if the runner has several.
        warm: Whether the cluster had done the same run before.
        until: Last stage, or `whole`.
        data_bytes: Size of the trial's datasets.
        seconds: Wall time of the whole process.
        load_before: Load average of the machine before the start.
        stage_seconds: Wall time of each stage.
        memory_mb: Peak memory of each process with its descendants, in MiB; of the submitting
            process and, on Flink, of the cluster's.
        jobs: Flink's jobs in the order of their start: seconds, tasks, bytes between tasks; the
            first one looks at the workers.
        failure: Reason of a failure.
    """

    subjects: int
    runner: str
    workers: int
    warm: bool
    until: str
    data_bytes: int
    seconds: float
    load_before: float
    stage_seconds: dict[str, float]
    memory_mb: dict[str, float]
    jobs: list[dict[str, float]]
    failure: str | None

    @property
    def key(self) -> _Key:
        """Key that identifies repeated measurements."""
        return self.until, self.subjects, self.runner, self.workers, self.warm

    @property
    def name(self) -> str:
        """Description of the run."""
        workers = "" if self.runner == Runner.IN_MEMORY else f", {self.workers} workers"
        warm = ", warm" if self.warm else ""
        until = "" if self.until == _LAST_STAGE else f", {self.until}"
        return f"{self.subjects:,} {self.runner}{workers}{warm}{until}"


@dataclass(frozen=True)
class RunningFlink:
    """A cluster, and the stand-in for Beam's job server."""

    cluster: LocalFlink
    job_endpoint: str
    job_server_pid: int

    @property
    def pids(self) -> dict[str, int]:
        """Its processes by name."""
        members = {member.name: member.pid for member in self.cluster.members}
        return {**members, "job server": self.job_server_pid}

    @property
    def options(self) -> list[str]:
        """Options of `trial` that choose it."""
        return [
            *("--runner=flink", f"--master={self.cluster.master}"),
            *(f"--worker-pool={self.cluster.worker_pool}",),
            f"--beam=--job_endpoint={self.job_endpoint}",
        ]


@contextmanager
def running_flink(workers: int, folder: Path) -> Iterator[RunningFlink]:
    """A cluster of its own, and the stand-in for Beam's job server.

    Args:
        workers: Its task managers.
        folder: Gets its logs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(_STAND_IN), "--port=0", f"--log={folder / 'jobs.log'}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            endpoint = server.stdout.readline().strip()
            # The stand-in has fetched them.
            jars = tuple(sorted((TOOLS / "beam").glob("*.jar")))
            plan = ClusterPlan(task_managers=workers, jars=jars)
            cluster = start(plan, folder / "cluster", fetch_flink())
            try:
                yield RunningFlink(cluster, endpoint, server.pid)
            finally:
                cluster.stop()
        finally:
            server.terminate()


def _run(subjects: int, runner: Runner, data: Path, folder: Path, chosen: Any) -> Result:
    flink = runner is Runner.FLINK
    with running_flink(chosen.workers, folder) if flink else nullcontext() as running:
        options = [f"--runner={runner}", f"--workers={chosen.workers}"]
        if running:
            options = running.options
        until = None if chosen.until == _WHOLE else chosen.until

        def run_once(name: str) -> TrialRun:
            return run_trial(
                study="synthetic",
                data=data,
                root=folder / name,
                log_path=folder / f"{name}.log",
                options=[*options, f"--steps={chosen.steps}"],
                last_stage=until,
            )

        if running and chosen.warm:
            run_once("warm-up")
        begun = time.time()
        with measure.sampled(running.pids if running else {}, _SAMPLE_SECONDS) as peaks:
            run = run_once("run")
            memory = peaks()
        jobs = _jobs(running.cluster.master, begun) if running else []
    measurement = run.measurement
    return Result(
        subjects=subjects,
        runner=runner,
        workers=1 if runner is Runner.IN_MEMORY else chosen.workers,
        warm=flink and chosen.warm,
        until=chosen.until,
        data_bytes=sum(path.stat().st_size for path in data.glob("*.xpt")),
        seconds=measurement.seconds,
        load_before=measurement.load_before,
        stage_seconds=run.stage_seconds,
        memory_mb={_SUBMITTING: measurement.peak_memory_mb, **memory},
        jobs=jobs,
        failure=run.failure(),
    )


def _jobs(master: str, begun: float) -> list[dict[str, float]]:
    """Jobs that were started since a time, in seconds since 1970."""

    def ask(question: str) -> Any:
        with urllib.request.urlopen(f"http://{master}/{question}") as answer:
            return json.load(answer)

    found = sorted(ask("jobs/overview")["jobs"], key=lambda job: job["start-time"])
    return [
        {
            "seconds": job["duration"] / 1000,
            "tasks": job["tasks"]["total"],
            "bytes": sum(
                vertex["metrics"]["write-bytes"] for vertex in ask(f"jobs/{job['jid']}")["vertices"]
            ),
        }
        for job in found
        if job["start-time"] >= begun * 1000
    ]


def report(results: Sequence[Result]) -> str:
    """Formats the runs as Markdown: time by stage, then memory by process."""
    stages = [
        stage
        for stage in STAGES
        if any(result.stage_seconds.get(stage, 0.0) >= 1.0 for result in results)
    ]
    names = list(dict.fromkeys(name for result in results for name in result.memory_mb))
    times = markdown_table(
        ("subjects, runner", "data, MB", "wall, s", *stages, "result"),
        (
            (
                result.name,
                f"{result.data_bytes / 1e6:.0f}",
                f"{result.seconds:.0f}",
                *(f"{result.stage_seconds.get(stage, 0.0):.1f}" for stage in stages),
                result.failure or "done",
            )
            for result in results
        ),
    )
    memory = markdown_table(
        ("peak memory, MiB", *names),
        (
            (
                result.name,
                *(f"{result.memory_mb[n]:.0f}" if n in result.memory_mb else None for n in names),
            )
            for result in results
        ),
    )
    jobs = markdown_table(
        ("Flink's jobs", "seconds", "tasks", "MB between tasks"),
        (
            (
                f"{result.name}: job {number}",
                f"{job['seconds']:.1f}",
                f"{job['tasks']:.0f}",
                f"{job['bytes'] / 1e6:.1f}",
            )
            for result in results
            for number, job in enumerate(result.jobs)
        ),
    )
    busy = quietness(result.load_before for result in results)
    return f"{busy}{times}\n{memory}\n{jobs}\n{_costs(results)}"


def _costs(results: Sequence[Result]) -> str:
    """Estimated cost of more workers, from the runs up to the last Beam stage."""
    return cost_table(
        [
            FlinkRun(
                subjects=result.subjects,
                workers=result.workers,
                seconds=result.seconds,
                job_seconds=sum(job["seconds"] for job in result.jobs),
                shuffled_bytes=sum(job["bytes"] for job in result.jobs),
            )
            for result in results
            if result.runner == Runner.FLINK
            and result.until == _LAST_STAGE
            and not (result.warm or result.failure)
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 if every run finished, otherwise 1.
    """
    chosen = _parser().parse_args(argv)
    about = machine_line()
    results = _known(chosen.out)
    with tempfile.TemporaryDirectory(prefix="flink-benchmark-") as scratch:
        root = (chosen.root or Path(scratch)).resolve()
        for subjects in chosen.sizes:
            data = root / f"data-{subjects}"
            _make_data(subjects, data, root)
            for runner in chosen.runners:
                folder = root / f"{subjects}-{runner}"
                shutil.rmtree(folder, ignore_errors=True)
                result = _run(subjects, runner, data, folder, chosen)
                logger.info("%s: %.0f s", result.name, result.seconds)
                results[result.key] = result
                content = {"benchmark": "flink", "machine": machine()}
                runs = [asdict(known) for known in results.values()]
                write_json(chosen.out, {**content, "runs": runs})
    sys.stdout.write(f"{about}\n\n{report(sorted(results.values(), key=lambda r: r.key))}")
    return int(any(result.failure for result in results.values()))


def _known(out: Path) -> dict[_Key, Result]:
    """Runs of earlier measurements."""
    if not out.exists():
        return {}
    runs = [Result(**run) for run in json.loads(out.read_text(encoding="utf-8"))["runs"]]
    return {run.key: run for run in runs}


def _make_data(subjects: int, data: Path, root: Path) -> None:
    made = make_synthetic_trial(subjects, data, log_path=root / f"data-{subjects}.log")
    if not made.succeeded:
        raise OSError(f"The trial of {subjects} subjects could not be made: {made.output_tail}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.flink",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=list(_SIZES), help="default %(default)s"
    )
    parser.add_argument(
        "--runners", type=Runner, nargs="+", default=list(_RUNNERS), choices=_RUNNERS
    )
    parser.add_argument("--workers", type=int, default=2, help="default %(default)s")
    parser.add_argument(
        "--warm", action="store_true", help="each Flink cluster has done the same run before"
    )
    parser.add_argument(
        "--until",
        default=_LAST_STAGE,
        choices=(*STAGES, _WHOLE),
        help="last stage; default %(default)s",
    )
    parser.add_argument("--steps", type=int, default=200, help="training steps, with --until=whole")
    parser.add_argument("--root", type=Path, help="folder for data, runs, logs; default temporary")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/flink.json"))
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
