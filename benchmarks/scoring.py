"""`trial score` on a flat file, and its predicting stage beside TFX's BulkInferrer and on Flink.

A champion is trained on a flat CSV file of its own; then `trial score` predicts ROWS subjects of
one row each as a measured process, imports included. The examples of that scoring are predicted
again by the Beam graph of BatchScoring and by BulkInferrer, in turns, each in a process of its own,
on the in-memory runner of Beam with the same SavedModel; there imports do not count. The same graph
takes its turns on a Flink of two workers on this machine, which runs from before the first turn to
the end. Predictions and flags of both runners are compared: a difference of more than 1e-6 fails.

    python -m benchmarks.scoring --rows 980000

Flink needs Java 17, its compiler and Maven; `--without-flink` leaves it out.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from benchmarks import flat_trial, measure
from benchmarks.flink import RunningFlink, running_flink
from benchmarks.report import machine, machine_line, markdown_table, quietness, spread, write_json
from benchmarks.scoring_side import SIDES
from benchmarks.trial_run import PROJECT, run_trial
from pipeline.errors import UserError
from pipeline.names import SUBJECT_HASH
from pipeline.results.scored_file import read_parts

logger = logging.getLogger(__name__)

_TRAINING_ROWS = 5_000
_MOST_ROWS = 980_000
"""As many as the synthetic trial yields."""
_SEED = 20261
_FLINK = "flink"
_WORKERS = 2
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Scored:
    """A scoring that was measured.

    Attributes:
        measurement: Of the whole process.
        examples: Folder of its examples.
        model: Folder of the SavedModel.
        study: The study file.
        statistics: File with the statistics of the training subjects.
    """

    measurement: measure.Measurement
    examples: Path
    model: Path
    study: Path
    statistics: Path


def score(rows: int, folder: Path) -> Scored:
    """Trains a champion and scores subjects with it.

    Args:
        rows: Number of subjects.
        folder: Gets all files.

    Raises:
        UserError: A step failed; the message names its log.
    """
    root, logs = folder / "runs", folder / "logs"
    study = flat_trial.write_study_file(folder / "study", training={"steps": 300})
    for name, number in (("trained", _TRAINING_ROWS), ("scored", rows)):
        flat_trial.write_flat_csv(folder / name, number, _SEED)
    command = [sys.executable, "-m", "pipeline.draft", "schema", "--force"]
    _succeed(
        [*command, "--study", str(study), "--data", str(folder / "trained")], logs / "schema.log"
    )
    trained = run_trial(
        study=str(study), data=folder / "trained", root=root, log_path=logs / "run.log"
    )
    if failure := trained.failure():
        raise UserError(f"No champion was trained: {failure}; see {logs / 'run.log'}.")
    command = [sys.executable, "-m", "pipeline.cli", "score", str(study), str(folder / "scored")]
    measured = _succeed([*command, "--root", str(root)], logs / "score.log")
    (run_file,) = root.glob("*/scoring/records/*/run.json")
    outputs = json.loads(run_file.read_text(encoding="utf-8"))["outputs"]
    return Scored(
        measured,
        Path(outputs["TrialExampleGen"]["examples"]) / "Split-test",
        Path(outputs["RegisteredModel"]["model"]) / "Format-Serving",
        study,
        Path(outputs["RegisteredModel"]["statistics"]) / "Split-train" / "FeatureStats.pb",
    )


def _succeed(command: Sequence[str], log: Path) -> measure.Measurement:
    measured = measure.run(command, log_path=log, cwd=PROJECT)
    if not measured.succeeded:
        raise UserError(f"{' '.join(command)} failed: see {log}.")
    return measured


def in_turns(
    scored: Scored, folder: Path, pairs: int, flink: RunningFlink | None
) -> tuple[dict[str, list[float]], list[float]]:
    """Seconds of each side, turn by turn, and how much memory and Flink differ at most.

    Who is first changes with each turn.

    Args:
        scored: What is predicted.
        folder: Gets the predictions.
        pairs: Turns.
        flink: A Flink; None leaves it out.

    Raises:
        UserError: Predictions or flags of both runners differ.
    """
    sides = SIDES if flink else tuple(side for side in SIDES if side != _FLINK)
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    differences = []
    for pair in range(pairs):
        for side in sides if pair % 2 == 0 else reversed(sides):
            options = flink.options if flink and side == _FLINK else ()
            ended = subprocess.run(
                [
                    *(sys.executable, "-m", "benchmarks.scoring_side", side),
                    *(scored.examples, scored.model, folder / f"{side}-{pair}"),
                    *(scored.study, scored.statistics),
                    *(option.removeprefix("--beam=") for option in options),
                ],
                cwd=PROJECT,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            seconds[side].append(json.loads(ended.stdout.splitlines()[-1])["seconds"])
        if flink:
            differences.append(
                largest_difference(folder / f"ours-{pair}", folder / f"{_FLINK}-{pair}")
            )
    return seconds, differences


def largest_difference(one: Path, other: Path) -> float:
    """Largest difference of two predictions of the same subject by the same output.

    Args:
        one: Folder of predictions.
        other: Folder of predictions of the same subjects.

    Raises:
        UserError: Subjects, outputs or flags are not the same, or predictions differ by more than
            1e-6.
    """
    first, second = (
        pa.concat_tables(read_parts(str(folder))).to_pandas().set_index(SUBJECT_HASH).sort_index()
        for folder in (one, other)
    )
    numbers = first.select_dtypes("number").columns
    flags = first.drop(columns=numbers).astype(str), second.drop(columns=numbers).astype(str)
    if not (first.columns.equals(second.columns) and flags[0].equals(flags[1])):
        raise UserError(f"{one} and {other}: subjects, outputs or flags are not the same.")
    missing = first[numbers].isna(), second[numbers].isna()
    found = float((first[numbers] - second[numbers]).abs().max().max())
    if not missing[0].equals(missing[1]) or found > _TOLERANCE:
        raise UserError(f"{one} and {other}: predictions differ by up to {found:g}.")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables.

    Returns:
        0, or 1 where a step failed.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring")
    parser.add_argument("--rows", type=int, default=_MOST_ROWS, help="subjects that are scored")
    parser.add_argument(
        "--pairs", type=int, default=3, help="turns of the sides (default 3); 0 for none"
    )
    parser.add_argument("--without-flink", action="store_true", help="no turns on Flink")
    parser.add_argument("--out", type=Path, help="JSON file for the measurements")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            scored = score(options.rows, folder)
            wanted = options.pairs and not options.without_flink
            with running_flink(_WORKERS, folder / "flink") if wanted else nullcontext() as flink:
                seconds, differences = in_turns(scored, folder, options.pairs, flink)
        except UserError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    _report(options.rows, scored.measurement, seconds, differences)
    if options.out:
        content = {
            "machine": machine(),
            "rows": options.rows,
            "seconds": scored.measurement.seconds,
            "peak_memory_mb": scored.measurement.peak_memory_mb,
            "sides": seconds,
            "largest_differences": differences,
        }
        write_json(options.out, content)
    return 0


def _report(
    rows: int,
    whole: measure.Measurement,
    seconds: dict[str, list[float]],
    differences: Sequence[float],
) -> None:
    ratios = [bulk / ours for ours, bulk in zip(seconds["ours"], seconds["bulk"], strict=True)]
    table = [
        [side, spread(found, 1), f"{rows / statistics.median(found):,.0f}"]
        for side, found in seconds.items()
        if found
    ]
    lines = [
        machine_line(),
        quietness([whole.load_before]),
        f"`trial score`, {rows:,} subjects: {whole.seconds:.0f} s, {whole.cpu_seconds:.0f} s of "
        f"the processor, {whole.peak_memory_mb:,.0f} MiB at most",
    ]
    if ratios:
        lines += [
            markdown_table(["side", "seconds", "rows a second"], table),
            f"rows a second of BatchScoring / BulkInferrer: {spread(ratios)}",
        ]
    if differences:
        lines.append(f"in memory and on Flink, largest difference: {max(differences):.1g}")
    sys.stdout.write("\n\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
