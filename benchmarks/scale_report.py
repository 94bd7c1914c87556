"""Tables and picture of the scale benchmark: seconds and memory by subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import markdown_table, quietness

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_TINY_STAGE = 1.0
"""Stages that never take so many seconds share one line of the plot."""


@dataclass(frozen=True)
class SizeRun:
    """The run of one size.

    Attributes:
        subjects: Subjects of the trial.
        data_bytes: Size of its datasets.
        generation_seconds: Wall time of making them.
        rows: Rows of all datasets that were read; 0 if unknown.
        seconds: Wall time of the whole process.
        cpu_seconds: Processor time of the whole process.
        peak_memory_mb: Peak resident memory of the process tree, in MiB.
        load_before: Load average of the machine before the start.
        stage_seconds: Wall time of each stage that finished.
        stage_memory_mb: Peak resident memory during each of these stages, in MiB.
        failure: Why it did not finish.
    """

    subjects: int
    data_bytes: int
    generation_seconds: float
    rows: int
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    load_before: float
    stage_seconds: dict[str, float]
    stage_memory_mb: dict[str, float]
    failure: str | None


def report(runs: Sequence[SizeRun], stages: Sequence[str]) -> str:
    """Formats the runs as Markdown: processes, then seconds and memory of the stages."""
    whole = markdown_table(
        (
            *("subjects", "rows", "data, MB", "wall, s", "processor, s", "peak memory, MiB"),
            *("subjects per s", "result"),
        ),
        (
            (
                f"{run.subjects:,}",
                f"{run.rows:,}" if run.rows else None,
                f"{run.data_bytes / 1e6:.0f}",
                f"{run.seconds:.0f}",
                f"{run.cpu_seconds:.0f}",
                f"{run.peak_memory_mb:.0f}",
                None if run.failure else f"{run.subjects / run.seconds:.0f}",
                run.failure or "done",
            )
            for run in runs
        ),
    )
    seconds = _stage_table(
        "stage, s", runs, stages, lambda run, stage: run.stage_seconds.get(stage), 1
    )
    memory = _stage_table(
        "stage, peak MiB", runs, stages, lambda run, stage: run.stage_memory_mb.get(stage), 0
    )
    return quietness(run.load_before for run in runs) + "\n".join((whole, seconds, memory))


def plot(runs: Sequence[SizeRun], stages: Sequence[str], path: Path) -> None:
    """Draws time and memory over the number of subjects, on logarithmic axes.

    Args:
        runs: The runs; the whole process of those that failed is excluded.
        stages: Stages to draw; the quick ones share one line.
        path: PNG file to write.

    Raises:
        OSError: The file can't be written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (time_axes, memory_axes) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    done = [run for run in runs if run.failure is None]
    _draw(time_axes, "whole process", done, [run.seconds for run in done], color="black")
    _draw(memory_axes, "whole process", done, [run.peak_memory_mb for run in done], color="black")
    slow = [
        stage
        for stage in stages
        if max((run.stage_seconds.get(stage, 0.0) for run in runs), default=0.0) > _TINY_STAGE
    ]
    for stage in slow:
        _draw(time_axes, stage, runs, [run.stage_seconds.get(stage) for run in runs])
        _draw(memory_axes, stage, runs, [run.stage_memory_mb.get(stage) for run in runs])
    _draw(time_axes, "other stages", runs, [_others(run, stages, slow) for run in runs])
    for axes, title in ((time_axes, "wall time, s"), (memory_axes, "peak memory, MiB")):
        axes.set(xlabel="subjects", ylabel=title)
        axes.grid(visible=True, which="both", alpha=0.3)
        # Without any size that ended there is nothing that a logarithm could be taken of.
        if axes.lines:
            axes.set(xscale="log", yscale="log")
            axes.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _stage_table(
    title: str,
    runs: Sequence[SizeRun],
    stages: Sequence[str],
    value: Callable[[SizeRun, str], float | None],
    digits: int,
) -> str:
    def cells() -> Iterator[tuple[str | None, ...]]:
        for stage in stages:
            found = [value(run, stage) for run in runs]
            if any(number is not None for number in found):
                yield stage, *(None if n is None else f"{n:,.{digits}f}" for n in found)

    return markdown_table((title, *(f"{run.subjects:,}" for run in runs)), cells())


def _draw(
    axes: Axes,
    label: str,
    runs: Sequence[SizeRun],
    values: Sequence[float | None],
    color: str | None = None,
) -> None:
    points = [(run.subjects, value) for run, value in zip(runs, values, strict=True) if value]
    if points:
        axes.plot(*zip(*points, strict=True), marker=".", label=label, color=color)


def _others(run: SizeRun, stages: Sequence[str], slow: Sequence[str]) -> float:
    return sum(run.stage_seconds.get(stage, 0.0) for stage in stages if stage not in slow)
