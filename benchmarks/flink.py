"""The pipeline's first stages on one machine and on Flink, side by side.

Each size is a synthetic trial with about 20 event rows per subject, made before the clock starts.
Every runner reads it from a fresh root in a process of its own: in memory, with several processes,
on a local Flink. Of Flink, the peak memory of the job manager, of each task manager and of each
pool of workers is measured as well. The jobs reach Flink through the tests' stand-in for Beam's job
server (`tests/flink`), which needs Maven and a Java compiler.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.report import machine, machine_line, markdown_table, quietness, write_json
from benchmarks.trial_run import PROJECT, run_trial
from pipeline.beam_runners import Runner
from pipeline.display import STAGES
from pipeline.local_flink import TOOLS, ClusterPlan, LocalFlink, fetch_flink, start

_LOGGER = logging.getLogger(__name__)

_SIZES = (10_000, 100_000)
_RUNNERS = (Runner.IN_MEMORY, Runner.MULTI_PROCESS, Runner.FLINK)
_LAST_STAGE = "Transform"
"""Until there Beam does nearly all of the work."""
_WHOLE = "whole"
_STAND_IN = PROJECT / "tests" / "flink" / "job_server.py"
_SUBMITTING = "submitting process"


@dataclass(frozen=True)
class Result:
    """One run.

    Attributes:
        subjects: Subjects of the trial.
        runner: Where it ran.
        data_bytes: Size of the trial's datasets.
        seconds: Wall time of the whole process.
        load_before: Load average of the machine before the start.
        stage_seconds: Wall time of each stage.
        memory_mb: Peak memory of each process with its descendants, in MiB; of the submitting
            process and, on Flink, of the cluster's.
        jobs: Flink's jobs in the order of their start: seconds, tasks, bytes between tasks; the
            first one looks at the workers.
        failure: Why it did not come to its end.
    """

    subjects: int
    runner: str
    data_bytes: int
    seconds: float
    load_before: float
    stage_seconds: dict[str, float]
    memory_mb: dict[str, float]
    jobs: list[dict[str, float]]
    failure: str | None


@dataclass(frozen=True)
class _Flink:
    cluster: LocalFlink
    job_endpoint: str

    @property
    def options(self) -> list[str]:
        return [
            *("--runner=flink", f"--master={self.cluster.master}"),
            *(f"--worker-pool={self.cluster.worker_pool}",),
            f"--beam=--job_endpoint={self.job_endpoint}",
        ]


@contextmanager
def _running_flink(workers: int, folder: Path) -> Iterator[_Flink]:
    """A cluster of its own for one run, and the stand-in for Beam's job server."""
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
                yield _Flink(cluster, endpoint)
            finally:
                cluster.stop()
        finally:
            server.terminate()


def _run(subjects: int, runner: Runner, data: Path, folder: Path, chosen: Any) -> Result:
    flink = runner is Runner.FLINK
    with _running_flink(chosen.workers, folder) if flink else nullcontext() as running:
        options = [f"--runner={runner}", f"--workers={chosen.workers}"]
        pids: dict[str, int] = {}
        if running:
            options = running.options
            pids = {member.name: member.pid for member in running.cluster.members}
        with measure.sampled(pids) as peaks:
            run = run_trial(
                study="synthetic",
                data=data,
                root=folder / "run",
                log_path=folder / "run.log",
                options=[*options, f"--steps={chosen.steps}"],
                last_stage=None if chosen.until == _WHOLE else chosen.until,
            )
            memory = peaks()
        jobs = _jobs(running.cluster.master) if running else []
    measurement = run.measurement
    return Result(
        subjects=subjects,
        runner=runner,
        data_bytes=sum(path.stat().st_size for path in data.glob("*.xpt")),
        seconds=measurement.seconds,
        load_before=measurement.load_before,
        stage_seconds=run.stage_seconds,
        memory_mb={_SUBMITTING: measurement.peak_memory_mb, **memory},
        jobs=jobs,
        failure=run.failure(),
    )


def _jobs(master: str) -> list[dict[str, float]]:
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
    ]


def report(results: Sequence[Result]) -> str:
    """Lays the runs out as Markdown: time by stage, then memory by process."""
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
                f"{result.subjects:,} {result.runner}",
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
                f"{result.subjects:,} {result.runner}",
                *(f"{result.memory_mb[n]:.0f}" if n in result.memory_mb else None for n in names),
            )
            for result in results
        ),
    )
    jobs = markdown_table(
        ("Flink's jobs", "seconds", "tasks", "MB between tasks"),
        (
            (
                f"{result.subjects:,} job {number}",
                f"{job['seconds']:.1f}",
                f"{job['tasks']:.0f}",
                f"{job['bytes'] / 1e6:.1f}",
            )
            for result in results
            for number, job in enumerate(result.jobs)
        ),
    )
    busy = quietness(result.load_before for result in results)
    return f"{busy}{times}\n{memory}\n{jobs}"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 if every run came to its end, otherwise 1.
    """
    chosen = _parser().parse_args(argv)
    about = machine_line()
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="flink-benchmark-") as scratch:
        root = (chosen.root or Path(scratch)).resolve()
        for subjects in chosen.sizes:
            data = root / f"data-{subjects}"
            _make_data(subjects, data, root)
            for runner in chosen.runners:
                folder = root / f"{subjects}-{runner}"
                shutil.rmtree(folder, ignore_errors=True)
                results.append(_run(subjects, runner, data, folder, chosen))
                _LOGGER.info("%d %s: %.0f s", subjects, runner, results[-1].seconds)
                content = {"benchmark": "flink", "machine": machine()}
                write_json(chosen.out, {**content, "runs": [asdict(r) for r in results]})
    sys.stdout.write(f"{about}\n\n{report(results)}")
    return int(any(result.failure for result in results))


def _make_data(subjects: int, data: Path, root: Path) -> None:
    made = measure.run(
        [
            *(sys.executable, "-m", "pipeline.synthetic"),
            *("--subjects", str(subjects), "--out", str(data)),
        ],
        log_path=root / f"data-{subjects}.log",
        cwd=PROJECT,
    )
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
