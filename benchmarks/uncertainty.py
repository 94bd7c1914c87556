"""What censoring weights, intervals, prediction sets and contributions add to a run.

IST and ACTG175 are run with all that the shipped study file asks for and without it: no `follow_up`
of the tasks, so that no label is weighted, `training.contributions: false`, and no fit of intervals
and sets (`benchmarks.run_without_uncertainty`). Neither run fits reference models. The runs take
turns, each in a fresh root and in a process of its own, so that imports and start-up count, and
each runs one stage at a time. What is compared is processor time: on a shared machine wall time
says what else was running. IST's tasks have no `follow_up`: there the weights are 1 either way.

    python -m benchmarks.uncertainty
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import machine_line, markdown_table, spread
from benchmarks.shipped_study import (
    Content,
    add_data_option,
    without_references,
    write_changed_study,
)
from benchmarks.trial_run import WHOLE, run_trial
from pipeline.errors import UserError

STUDIES = ("ist", "actg175")
KINDS = ("with", "without")
_HIGHEST_RATIO = 1.15
_WITHOUT = "benchmarks.run_without_uncertainty"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0; 1 if a ratio is above 1.15.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.uncertainty",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_option(parser, "folder with the folders ist and actg175")
    parser.add_argument(
        "--studies", nargs="+", choices=STUDIES, default=STUDIES, help="which (default both)"
    )
    parser.add_argument("--pairs", type=int, default=3, help="runs of each kind (default 3)")
    parser.add_argument("--steps", type=int, default=0, help="training steps (default: until best)")
    arguments = parser.parse_args(argv)
    rows, highest = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for study in arguments.studies:
            data = arguments.data / study
            seconds = _measure(study, data, Path(folder), arguments.pairs, arguments.steps)
            pairs = zip(seconds["with"], seconds["without"], strict=True)
            ratios = [of_with / of_without for of_with, of_without in pairs]
            highest = max(highest, median(ratios))
            kinds = [spread(seconds[kind], 1) for kind in KINDS]
            rows.append((study, *kinds, spread(ratios, 2)))
    header = ("study", "with, processor s", "without, processor s", "ratio of a pair")
    sys.stdout.write(f"{machine_line()}\n\n{markdown_table(header, rows)}\n")
    return int(highest > _HIGHEST_RATIO)


def _measure(
    study: str, data: Path, folder: Path, pairs: int, steps: int
) -> dict[str, list[float]]:
    """Processor seconds of each run, by kind."""
    files = {kind: _study_file(study, kind, folder / kind / study) for kind in KINDS}
    seconds: dict[str, list[float]] = {kind: [] for kind in files}
    for number, kind in _turns(pairs):
        root = folder / kind / study / f"run{number}"
        run = run_trial(
            study=str(files[kind]),
            data=data,
            root=root,
            log_path=folder / kind / study / f"run{number}.log",
            options=["--steps", str(steps), "--stages-at-once", "1"],
            module=_WITHOUT if kind == "without" else WHOLE,
        )
        failure = run.failure()
        if failure:
            raise UserError(f"{study} {kind}: {failure}")
        seconds[kind].append(run.measurement.cpu_seconds)
    return seconds


def _turns(pairs: int) -> Iterator[tuple[int, str]]:
    """Number and kind of each run; each pair begins with the other kind."""
    for number in range(pairs):
        kinds = KINDS if number % 2 else KINDS[::-1]
        yield from ((number, kind) for kind in kinds)


def _study_file(study: str, kind: str, folder: Path) -> Path:
    """The shipped study file, or the one without; its curated schema stands beside it."""

    def change(content: Content) -> Content:
        return without_references(without(content) if kind == "without" else content)

    return write_changed_study(study, folder, change)


def without(content: dict[str, Any]) -> dict[str, Any]:
    """A study file's content without weights for censoring and without contributions.

    Args:
        content: The study file's content; it stays as it is.
    """
    tasks = {}
    for name, task in content["tasks"].items():
        event = {key: value for key, value in task.get("event", {}).items() if key != "follow_up"}
        kept = {key: value for key, value in task.items() if key != "censoring"}
        tasks[name] = kept | ({"event": event} if event else {})
    training = {**content.get("training", {}), "contributions": False}
    return {**content, "tasks": tasks, "training": training}


if __name__ == "__main__":
    sys.exit(main())
