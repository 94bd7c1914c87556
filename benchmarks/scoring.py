"""`trial score` on a flat file, and its predicting stage beside that of BulkInferrer of TFX.

A champion is trained on a flat CSV file of its own; then `trial score` predicts ROWS subjects of
one row each as a measured process, imports included. The examples of that scoring are predicted
again by the Beam graph of BatchScoring and by BulkInferrer, in turns, each in a process of its own,
on the in-memory runner of Beam with the same SavedModel; there imports do not count.

    python -m benchmarks.scoring --rows 980000
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
from dataclasses import dataclass
from pathlib import Path

from benchmarks import flat_trial, measure
from benchmarks.report import machine, machine_line, markdown_table, quietness, spread, write_json
from benchmarks.scoring_side import SIDES
from benchmarks.trial_run import PROJECT, run_trial
from pipeline.errors import UserError

logger = logging.getLogger(__name__)

_TRAINING_ROWS = 5_000
_MOST_ROWS = 980_000
"""As many as the synthetic trial yields."""
_SEED = 20261


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


def beside_bulk_inferrer(scored: Scored, folder: Path, pairs: int) -> dict[str, list[float]]:
    """Seconds of both sides, pair by pair; who is first changes with each pair."""
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    for pair in range(pairs):
        for side in SIDES if pair % 2 == 0 else reversed(SIDES):
            ended = subprocess.run(
                [
                    *(sys.executable, "-m", "benchmarks.scoring_side", side),
                    *(scored.examples, scored.model, folder / f"{side}-{pair}"),
                    *(scored.study, scored.statistics),
                ],
                cwd=PROJECT,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            seconds[side].append(json.loads(ended.stdout.splitlines()[-1])["seconds"])
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables.

    Returns:
        0, or 1 where a step failed.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring")
    parser.add_argument("--rows", type=int, default=_MOST_ROWS, help="subjects that are scored")
    parser.add_argument(
        "--pairs", type=int, default=3, help="turns of both sides (default 3); 0 for none"
    )
    parser.add_argument("--out", type=Path, help="JSON file for the measurements")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            scored = score(options.rows, folder)
        except UserError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        seconds = beside_bulk_inferrer(scored, folder, options.pairs)
    _report(options.rows, scored.measurement, seconds)
    if options.out:
        content = {
            "machine": machine(),
            "rows": options.rows,
            "seconds": scored.measurement.seconds,
            "peak_memory_mb": scored.measurement.peak_memory_mb,
            "sides": seconds,
        }
        write_json(options.out, content)
    return 0


def _report(rows: int, whole: measure.Measurement, seconds: dict[str, list[float]]) -> None:
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
    sys.stdout.write("\n\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
