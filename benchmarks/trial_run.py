"""One run of this project's pipeline as a measured child process, and its run records."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.partial_run import LAST_STAGE_VARIABLE
from pipeline.runners.stages import STAGES

PROJECT = Path(__file__).resolve().parents[1]
WHOLE = "pipeline.local_runner"
"""Program of a whole run."""
_PART = "benchmarks.partial_run"
_LONGEST_REASON = 200


@dataclass(frozen=True)
class TrialRun:
    """What a run cost.

    Attributes:
        measurement: Of the whole process, imports included.
        stages: Run record of each stage that ended, in the order of the graph.
        verdict_folder: Folder of `metrics.json`; None if the run did not finish.
    """

    measurement: measure.Measurement
    stages: dict[str, dict[str, Any]]
    verdict_folder: Path | None

    @property
    def stage_seconds(self) -> dict[str, float]:
        """Wall seconds of each stage."""
        return {name: record["seconds"] for name, record in self.stages.items()}

    def failure(self) -> str | None:
        """Why the run did not finish, for people; None if it did."""
        if self.measurement.succeeded:
            return None
        for name, record in self.stages.items():
            if record["status"] == "failed":
                return f"{name} failed: {_one_line(record['error'])}"
        last = max(self.stages, key=lambda name: self.stages[name]["started"], default=None)
        where = f"after {last}" if last else "before the first stage"
        if self.measurement.stopped:
            return f"ended by the limit of {self.measurement.stopped} {where}"
        return f"ended with status {self.measurement.returncode} {where}"


def run_trial(
    *,
    study: str,
    data: Path,
    root: Path,
    log_path: Path,
    options: Sequence[str] = (),
    last_stage: str | None = None,
    module: str = WHOLE,
    timeout_seconds: float | None = None,
    memory_limit_mb: float | None = None,
) -> TrialRun:
    """Runs the pipeline once in a fresh root.

    Args:
        study: Shipped study, or path of a study file.
        data: Folder of the data.
        root: Folder of everything that the run writes; it must not hold another run.
        log_path: File for the output of the process.
        options: Further options of the command.
        last_stage: Stage to end after; None runs the whole pipeline.
        module: Program that runs a whole pipeline, with the local runner's options.
        timeout_seconds: Longest time.
        memory_limit_mb: Most memory of the process tree, in MiB.

    Returns:
        The measurement and the run's records.

    Raises:
        OSError: The command can't be started.
    """
    program = _PART if last_stage else module
    command = [sys.executable, "-m", program, "--study", study, "--data", str(data.resolve())]
    measurement = measure.run(
        [*command, "--root", str(root.resolve()), *options],
        log_path=log_path,
        cwd=PROJECT,
        env={
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "CUDA_VISIBLE_DEVICES": "-1",
            **({LAST_STAGE_VARIABLE: last_stage} if last_stage else {}),
        },
        timeout_seconds=timeout_seconds,
        memory_limit_mb=memory_limit_mb,
    )
    return TrialRun(measurement, _stages(root), _verdict_folder(root))


def make_synthetic_trial(
    subjects: int,
    data: Path,
    *,
    log_path: Path,
    options: Sequence[str] = (),
    timeout_seconds: float | None = None,
    memory_limit_mb: float | None = None,
) -> measure.Measurement:
    """Makes a synthetic trial.

    Args:
        subjects: How many.
        data: Folder for its files.
        log_path: File for the output of the process.
        options: Further options of the command.
        timeout_seconds: Longest time.
        memory_limit_mb: Most memory of the process tree, in MiB.

    Returns:
        What it took; whether there is a trial, too.

    Raises:
        OSError: The command can't be started.
    """
    command = [sys.executable, "-m", "pipeline.synthetic", "--subjects", str(subjects)]
    return measure.run(
        [*command, "--out", str(data.resolve()), *options],
        log_path=log_path,
        cwd=PROJECT,
        timeout_seconds=timeout_seconds,
        memory_limit_mb=memory_limit_mb,
    )


def _one_line(text: str) -> str:
    """A reason that fits into a table; the log has all of it."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."


def _stages(root: Path) -> dict[str, dict[str, Any]]:
    found = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in root.glob("*/records/*/*.json")
        if path.name != "run.json"
    }
    order = [*STAGES, *sorted(set(found) - set(STAGES))]
    return {stage: found[stage] for stage in order if stage in found}


def _verdict_folder(root: Path) -> Path | None:
    for path in root.glob("*/records/*/run.json"):
        outputs = json.loads(path.read_text(encoding="utf-8"))["outputs"]
        return Path(outputs["TrialEvaluator"]["verdict"])
    return None
