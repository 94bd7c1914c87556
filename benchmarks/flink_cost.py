"""Estimated cost of a run on Flink with more workers, from measured runs.

Wall time outside of Flink's jobs is that of the submitting process: it is serial, and grows with
the subjects only by the planning, which reads every byte once. Time inside the jobs consists of a
constant start and of work that is divided among the workers. Two sizes identify the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report import markdown_table

_WORKERS = (1, 2, 10, 100)
_SUBJECTS = (1_000_000, 10_000_000)
_MILLION = 1_000_000


@dataclass(frozen=True)
class FlinkRun:
    """A measured run.

    Attributes:
        subjects: Subjects of the trial.
        workers: Number of slots.
        seconds: Wall time.
        job_seconds: Wall time of Flink's jobs.
        shuffled_bytes: Bytes that went from task to task.
    """

    subjects: int
    workers: int
    seconds: float
    job_seconds: float
    shuffled_bytes: float


@dataclass(frozen=True)
class CostModel:
    """Seconds and bytes of a run.

    Attributes:
        start: Constant seconds of a run of any size.
        serial: Seconds per subject that are not parallel.
        divisible: Seconds per subject on one worker that are parallel.
        shuffled: Bytes per subject from task to task.
    """

    start: float
    serial: float
    divisible: float
    shuffled: float

    def seconds(self, subjects: int, workers: int) -> float:
        """Wall time of a run."""
        return self.start + subjects * (self.serial + self.divisible / workers)


def fit(small: FlinkRun, large: FlinkRun) -> CostModel:
    """Separates the parts of the cost.

    Args:
        small: A run.
        large: The same with more subjects.

    Returns:
        Straight lines through both.
    """

    def slope(of_small: float, of_large: float) -> float:
        return (of_large - of_small) / (large.subjects - small.subjects)

    serial = slope(small.seconds - small.job_seconds, large.seconds - large.job_seconds)
    in_jobs = slope(small.job_seconds, large.job_seconds)
    return CostModel(
        start=small.seconds - small.subjects * (serial + in_jobs),
        serial=serial,
        divisible=in_jobs * small.workers,
        shuffled=slope(small.shuffled_bytes, large.shuffled_bytes),
    )


def cost_table(runs: Sequence[FlinkRun]) -> str:
    """Formats the cost of more workers as Markdown.

    Args:
        runs: Measured runs.

    Returns:
        The model of the smallest and the largest one with as many workers as the largest; nothing
        where there are no two.
    """
    if not runs:
        return ""
    large = max(runs, key=lambda run: run.subjects)
    small = min((run for run in runs if run.workers == large.workers), key=lambda run: run.subjects)
    if small.subjects == large.subjects:
        return ""
    model = fit(small, large)
    table = markdown_table(
        ("computed: subjects", *(f"{workers} workers, s" for workers in _WORKERS)),
        (
            (
                f"{subjects:,}",
                *(f"{model.seconds(subjects, workers):.0f}" for workers in _WORKERS),
            )
            for subjects in _SUBJECTS
        ),
    )
    return (
        f"{table}\nAny size: {model.start:.0f} s. A million subjects: "
        f"{model.serial * _MILLION:.0f} s serial, {model.divisible * _MILLION:.0f} s divisible. "
        f"From task to task: {model.shuffled:.0f} bytes a subject.\n"
    )
