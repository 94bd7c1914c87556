"""Time and memory of the whole pipeline on synthetic trials of growing size.

Each size is a trial of its own with about 20 event rows per subject, made before the clock
starts, and a process of its own in a fresh root. Seconds and memory of the stages come from
the run's records, those of the whole process from outside. A size that fails is a row that
says why, and the next one goes on.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.report import machine, machine_line, write_json
from benchmarks.scale_report import SizeRun, plot, report
from benchmarks.trial_run import TrialRun, make_synthetic_trial, run_trial
from pipeline.errors import UserError
from pipeline.runners.stages import STAGES

logger = logging.getLogger(__name__)

_SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
_STUDY = "synthetic"


@dataclass(frozen=True)
class Plan:
    """What is the same for every size.

    Attributes:
        root: Folder for data, runs and logs.
        seed: Seed of the trials and of training.
        steps: Training steps; None trains until the eval split stops it.
        last_stage: Stage to end after; None runs the whole pipeline.
        time_limit: Longest time of a process, in seconds.
        memory_limit_mb: Most memory of a process tree, in MiB.
        keep: Whether data and artifacts stay.
    """

    root: Path
    seed: int
    steps: int | None
    last_stage: str | None
    time_limit: float | None
    memory_limit_mb: float | None
    keep: bool


def run_size(subjects: int, plan: Plan) -> SizeRun:
    """Makes a trial of a size and runs the pipeline on it.

    Args:
        subjects: Subjects of the trial.
        plan: What is the same for every size.

    Returns:
        What it cost, also where it failed.

    Raises:
        OSError: A process can't be started or a file not be written.
    """
    folder = plan.root / f"subjects-{subjects}"
    shutil.rmtree(folder, ignore_errors=True)
    data = folder / "data"
    try:
        made = _generate(subjects, data, plan)
        if not made.succeeded:
            return _not_generated(subjects, made)
        run = _run(subjects, data, folder / "run", plan)
        return _finished(subjects, data, made.seconds, run)
    finally:
        if not plan.keep:
            shutil.rmtree(folder, ignore_errors=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 if every size finished, 1 if one failed, 2 for a mistake in the arguments.
    """
    arguments = _parser().parse_args(argv)
    try:
        stages = _chosen_stages(arguments.stages)
    except UserError as error:
        logger.error("%s", error)
        return 2
    runs: list[SizeRun] = []
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch:
        plan = Plan(
            root=(arguments.root or Path(scratch)).resolve(),
            seed=arguments.seed,
            steps=arguments.steps,
            last_stage=stages[-1] if arguments.stages else None,
            time_limit=arguments.time_limit,
            memory_limit_mb=arguments.memory_limit,
            keep=arguments.keep,
        )
        about = machine_line()
        for subjects in arguments.sizes:
            run = run_size(subjects, plan)
            logger.info("%d subjects: %s", subjects, run.failure or f"{run.seconds:.0f} s")
            runs.append(run)
            # After every size, so that a later failure loses no result.
            _write(arguments.out, runs, stages, arguments.plots, about)
    sys.stdout.write(f"{about}\n\n{report(runs, stages)}")
    return int(any(run.failure for run in runs))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=list(_SIZES),
        help=f"numbers of subjects; default {' '.join(map(str, _SIZES))}",
    )
    parser.add_argument("--root", type=Path, help="folder for data, runs, logs; default temporary")
    parser.add_argument("--keep", action="store_true", help="keep data and artifacts in --root")
    parser.add_argument(
        "--stages",
        nargs="+",
        metavar="STAGE",
        help="stages to show; the run ends after the last of them. One of: " + ", ".join(STAGES),
    )
    parser.add_argument("--seed", type=int, default=20261, help="seed of trial and training")
    parser.add_argument("--steps", type=int, help="training steps; default until eval stops it")
    parser.add_argument("--time-limit", type=float, metavar="S", help="end a run after S seconds")
    parser.add_argument(
        "--memory-limit",
        type=float,
        metavar="MIB",
        help="end a run whose processes use more memory; set it below the machine's, so that a "
        "run fails before the machine swaps",
    )
    folder = Path("runs/benchmarks")
    parser.add_argument(
        "--plots", type=Path, default=folder, metavar="FOLDER", help="for scale.md and scale.png"
    )
    parser.add_argument("--out", type=Path, default=folder / "scale.json", help="results as JSON")
    return parser


def _chosen_stages(names: Sequence[str] | None) -> list[str]:
    unknown = sorted(set(names or ()) - set(STAGES))
    if unknown:
        raise UserError(f"--stages: no stage {', '.join(unknown)}; there are: {', '.join(STAGES)}.")
    return [stage for stage in STAGES if not names or stage in names]


def _generate(subjects: int, data: Path, plan: Plan) -> measure.Measurement:
    return make_synthetic_trial(
        subjects,
        data,
        log_path=plan.root / "logs" / f"data-{subjects}.log",
        options=("--seed", str(plan.seed)),
        timeout_seconds=plan.time_limit,
        memory_limit_mb=plan.memory_limit_mb,
    )


def _run(subjects: int, data: Path, root: Path, plan: Plan) -> TrialRun:
    steps = [] if plan.steps is None else ["--steps", str(plan.steps)]
    return run_trial(
        study=_STUDY,
        data=data,
        root=root,
        log_path=plan.root / "logs" / f"run-{subjects}.log",
        options=["--seed", str(plan.seed), *steps],
        last_stage=plan.last_stage,
        timeout_seconds=plan.time_limit,
        memory_limit_mb=plan.memory_limit_mb,
    )


def _not_generated(subjects: int, made: measure.Measurement) -> SizeRun:
    why = f"limit of {made.stopped}" if made.stopped else f"status {made.returncode}"
    return SizeRun(
        subjects=subjects,
        data_bytes=0,
        generation_seconds=made.seconds,
        rows=0,
        seconds=0.0,
        cpu_seconds=0.0,
        peak_memory_mb=0.0,
        load_before=made.load_before,
        stage_seconds={},
        stage_memory_mb={},
        failure=f"the data could not be made ({why})",
    )


def _finished(subjects: int, data: Path, generation_seconds: float, run: TrialRun) -> SizeRun:
    ended = {name: record for name, record in run.stages.items() if record["status"] == "done"}
    return SizeRun(
        subjects=subjects,
        data_bytes=sum(path.stat().st_size for path in data.glob("*.xpt")),
        generation_seconds=generation_seconds,
        rows=_rows_read(run.stages.get("TrialExampleGen", {})),
        seconds=run.measurement.seconds,
        cpu_seconds=run.measurement.cpu_seconds,
        peak_memory_mb=run.measurement.peak_resident_mb,
        load_before=run.measurement.load_before,
        stage_seconds={name: record["seconds"] for name, record in ended.items()},
        stage_memory_mb={name: record["peak_memory_mb"] for name, record in ended.items()},
        failure=run.failure(),
    )


def _rows_read(record: dict[str, Any]) -> int:
    return sum(rows.get("rows_in", 0) for rows in record.get("rows", []))


def _write(
    out: Path, runs: Sequence[SizeRun], stages: Sequence[str], plots: Path, about: str
) -> None:
    content = {
        "benchmark": "scale",
        "machine": machine(),
        "runs": [asdict(run) for run in runs],
    }
    write_json(out, content)
    plots.mkdir(parents=True, exist_ok=True)
    text = f"{about}\n\n{report(runs, stages)}"
    (plots / "scale.md").write_text(text, encoding="utf-8")
    plot(runs, stages, plots / "scale.png")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
