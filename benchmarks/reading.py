"""Seconds of the three times that a run reads its data: fingerprint, examples, summary.

Also what one pass for examples and summary could save at most: the reading and typing of the rows
that the summary is made from, without what the summary makes of them. All passes run in this
process, one after the other, in an order that turns with each repetition, with Beam's in-memory
runner; imports and the first reading from disk don't count.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import machine, machine_line, markdown_table, quietness, spread, write_json
from benchmarks.trial_run import make_synthetic_trial
from pipeline.errors import UserError
from pipeline.study.load import load_study
from pipeline.study.shipped import SCHEMAS
from pipeline.study.study import Study

logger = logging.getLogger(__name__)

FINGERPRINT, EXAMPLES, SUMMARY = "fingerprint", "examples", "summary"
READING = "of the summary: reading and typing rows"

Times = dict[str, list[tuple[float, float]]]
"""Wall time and processor time of each run of a pass, in seconds."""


def measure_passes(study: Study, data: str, folder: Path, repetitions: int) -> Times:
    """Measures each pass.

    Args:
        study: The study.
        data: Folder of its data.
        folder: Folder for what the passes write.
        repetitions: Runs of each.

    Returns:
        Times of each run by pass.

    Raises:
        UserError: The data can't be used.
    """
    from pipeline.reading.fingerprint import content_fingerprint

    passes: list[tuple[str, Callable[[Path], Any]]] = [
        (FINGERPRINT, lambda _: content_fingerprint(study, data)),
        (EXAMPLES, lambda out: _make_examples(study, data, out)),
        (SUMMARY, lambda out: _sum_up(study, data, out)),
        (READING, lambda _: _read_for_summary(study, data)),
    ]
    # Files come into memory, code is compiled.
    for name, run in passes:
        run(folder / f"warm-{len(name)}")
    times: Times = {name: [] for name, _ in passes}
    for repetition in range(repetitions):
        for name, run in passes[repetition % 4 :] + passes[: repetition % 4]:
            out = folder / f"{len(name)}-{repetition}"
            start, start_cpu = time.perf_counter(), time.process_time()
            run(out)
            elapsed = time.perf_counter() - start, time.process_time() - start_cpu
            times[name].append(elapsed)
    return times


def report(title: str, times: Times) -> str:
    """Lays the passes of one trial out as Markdown."""
    rows = [
        (name, *(spread(values, 1) for values in zip(*found, strict=True)))
        for name, found in times.items()
    ]
    header = ("pass", "wall time, s", "processor time, s")
    return f"\n### {title}\n\n" + markdown_table(header, rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0, or 2 for what the user has to change.
    """
    arguments = _parser().parse_args(argv)
    sys.stdout.write(f"{machine_line()}\n{quietness([machine()['load_average'][0]])}")
    try:
        with tempfile.TemporaryDirectory(prefix="reading-") as scratch:
            data = arguments.data or _synthetic(arguments.subjects, Path(scratch))
            study = load_study(arguments.study)
            times = measure_passes(study, str(data), Path(scratch), arguments.repetitions)
    except UserError as error:
        logger.error("%s", error)
        return 2
    sys.stdout.write(report(study.title, times))
    content = {"benchmark": "reading", "machine": machine(), "study": study.study}
    write_json(arguments.out, content | {"times": times})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reading",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    synthetic = SCHEMAS / "synthetic" / "study.yaml"
    parser.add_argument("--study", type=Path, default=synthetic, help="default: the synthetic one")
    parser.add_argument("--data", type=Path, help="folder of its data; default: made")
    parser.add_argument("--subjects", type=int, default=100_000, help="of the trial that is made")
    parser.add_argument("--repetitions", type=int, default=3, help="runs of each pass")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/benchmarks/reading.json"), help="results as JSON"
    )
    return parser


def _synthetic(subjects: int, folder: Path) -> Path:
    made = make_synthetic_trial(subjects, folder / "data", log_path=folder / "data.log")
    if not made.succeeded:
        raise UserError(f"The synthetic trial could not be made: {made.output_tail}")
    return folder / "data"


def _make_examples(study: Study, data: str, out: Path) -> None:
    from components.trial_example_gen.graph import ExampleJob, write_examples
    from pipeline.names import SPLITS
    from pipeline.reading.plan import plan_examples
    from pipeline.reading.repeated_keys import check_rows_are_subjects
    from pipeline.subject_key import ensure_local_key

    folders = {split: out / f"Split-{split}" for split in SPLITS}
    unfinished, rejects = out / "unfinished", out / "rejects"
    for folder in (*folders.values(), unfinished, rejects):
        folder.mkdir(parents=True)
    plan = plan_examples(study, data)
    check_rows_are_subjects(plan)
    job = ExampleJob(plan, ensure_local_key(out / "subject_key"))
    with _beam_pipeline() as root:
        splits = {split: str(folder) for split, folder in folders.items()}
        write_examples(root, job, splits, str(unfinished), str(rejects))


def _sum_up(study: Study, data: str, out: Path) -> None:
    from components.trial_summary.graph import write_summary
    from pipeline.reading.plan import plan_summary

    out.mkdir(parents=True)
    with _beam_pipeline() as root:
        write_summary(root, plan_summary(study, data), str(out))


def _read_for_summary(study: Study, data: str) -> None:
    from pipeline.reading.formats import read
    from pipeline.reading.plan import plan_summary
    from pipeline.reading.rows import RowPreparer

    for plan in plan_summary(study, data).datasets.values():
        preparer = RowPreparer(study, plan)
        for extent in plan.extents():
            for first_row, batch in read(extent, plan.format, plan.names):
                preparer.prepare(extent.path, first_row, batch)


def _beam_pipeline() -> Any:
    import apache_beam as beam
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    return beam.Pipeline(runner=FnApiRunner())


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
