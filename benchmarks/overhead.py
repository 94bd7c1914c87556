"""This project's process compared with that of a plain TFX pipeline, on the same data.

Both read the same flat CSV file, train the same multilayer perceptron for the same number of
steps, evaluate it by the same slices with jackknife intervals, and push it. They run one after
the other, in alternating order, each in a fresh root and in a process of its own, so that
imports and start-up count.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import flat_trial, measure
from benchmarks.overhead_report import TITLES, Side, SideRun, pairs_of, report
from benchmarks.report import machine, machine_line, write_json
from benchmarks.trial_run import PROJECT, TrialRun, run_trial
from pipeline.errors import UserError
from pipeline.names import FITTED_REFERENCES

logger = logging.getLogger(__name__)

_WITH_REFERENCES = 1_000
"""Number of the run with reference models, beside those of the pairs."""

DIFFERENCES = (
    "Model: beside the same hidden layers this project's has a linear path that starts at ridge "
    "logistic regression, embeddings (8) where the plain one has one-hot codes, and clipped "
    "gradients; one ensemble member, no dropout, no weight decay, Adam at 0.001 on both sides.",
    "Training: this project evaluates up to 50 times within the same number of steps, keeps the "
    "best weights and calibrates on eval; the plain one evaluates once.",
    "Transform: this project computes no statistics there and leaves the test split out; the "
    "plain one does as TFX does by default.",
    "Checks: only this project fingerprints its input, judges the data before training (DataGate) "
    "and keeps a registry of models; its curated schema is drafted before the clock starts, the "
    "plain one infers a schema in the run.",
    "Evaluation: both use 20 jackknife groups over the same slices; the metrics differ. "
    "BinaryCrossEntropy and MeanSquaredError of TFMA 0.47 are wrong under the jackknife and are "
    "not compared.",
    "Reference models: this project's runs fit none; the time of their stage stands below the "
    "table.",
    "Split: 60/20/20 on both sides, but not of the same subjects: the AUCs are a check that both "
    "learned, not a comparison.",
)
"""What remains different when both sides do the same."""


@dataclass(frozen=True)
class Settings:
    """What both sides do.

    Attributes:
        steps: Training steps.
        width: Units of each hidden layer.
        depth: Number of hidden layers.
        batch_size: Subjects in a step.
        seed: Seed of data and training.
    """

    steps: int
    width: int
    depth: int
    batch_size: int
    seed: int


class Bench:
    """The benchmark at one number of rows."""

    def __init__(self, rows: int, settings: Settings, root: Path, keep: bool) -> None:
        self._rows = rows
        self._settings = settings
        self._root = root / f"rows-{rows}"
        self._keep = keep
        self._data = self._root / "data"
        self._study = self._root / "study" / "study.yaml"
        self._study_with_references = self._root / "study_with_references" / "study.yaml"

    def prepare(self) -> None:
        """Makes data, study files and curated schema; none of it is measured.

        Raises:
            UserError: The schema can't be drafted; the message names the log.
        """
        flat_trial.write_flat_csv(self._data, self._rows, self._settings.seed)
        self.write_study_files()
        log = self._root / "logs" / "schema.log"
        drafted = measure.run(
            [
                *(sys.executable, "-m", "pipeline.draft", "schema", "--force"),
                *("--study", str(self._study), "--data", str(self._data)),
            ],
            log_path=log,
            cwd=PROJECT,
        )
        if not drafted.succeeded:
            raise UserError(f"The schema could not be drafted: see {log}.")
        shutil.copy(self._study.parent / "schema.pbtxt", self._study_with_references.parent)

    def write_study_files(self) -> tuple[Path, Path]:
        """Writes the study file without and the one with all reference models."""
        training = _training(self._settings)
        return (
            flat_trial.write_study_file(self._study.parent, training=training),
            flat_trial.write_study_file(
                self._study_with_references.parent,
                training={**training, "reference_models": list(FITTED_REFERENCES)},
            ),
        )

    def run(self, repetitions: int) -> Iterator[SideRun]:
        """Runs both sides in alternating order.

        Args:
            repetitions: Number of pairs.

        Yields:
            The runs, as they end.
        """
        runners: dict[Side, Callable[[int], SideRun]] = {
            "trial": self._run_trial,
            "plain": self._run_plain,
        }
        for pair in range(repetitions):
            order = list(runners) if pair % 2 == 0 else list(reversed(runners))
            for side in order:
                done = runners[side](pair)
                logger.info(
                    "%d rows, pair %d, %s: %s",
                    *(self._rows, pair + 1, TITLES[side]),
                    done.failure or f"{done.seconds:.1f} s",
                )
                yield done

    def reference_seconds(self) -> float:
        """Wall seconds of the stage ReferenceModels in a run with all reference models.

        Raises:
            UserError: The run failed; the message says why.
        """
        root, log = self._fresh("trial", _WITH_REFERENCES)
        run = self._trial(self._study_with_references, root, log)
        if failure := run.failure():
            raise UserError(f"The run with reference models failed: {failure}")
        return run.stage_seconds["ReferenceModels"]

    def _trial(self, study_file: Path, root: Path, log: Path) -> TrialRun:
        settings = self._settings
        return run_trial(
            study=str(study_file),
            data=self._data,
            root=root,
            log_path=log,
            options=("--steps", str(settings.steps), "--seed", str(settings.seed)),
        )

    def _run_trial(self, pair: int) -> SideRun:
        root, log = self._fresh("trial", pair)
        run = self._trial(self._study, root, log)
        failure = run.failure()
        auc = {} if run.verdict_folder is None or failure else _auc(run.verdict_folder)
        return self._finished("trial", pair, run.measurement, run.stage_seconds, auc, failure)

    def _run_plain(self, pair: int) -> SideRun:
        root, log = self._fresh("plain", pair)
        settings = self._settings
        measured = measure.run(
            [
                *(sys.executable, "-m", "benchmarks.plain_tfx.pipeline"),
                *("--csv-dir", str(self._data), "--root", str(root)),
                *("--label", flat_trial.LABEL, "--features", ",".join(flat_trial.NUMERIC)),
                *("--categorical", ",".join(flat_trial.CATEGORICAL)),
                *("--slices", ",".join(flat_trial.SLICES), "--steps", str(settings.steps)),
                *("--units", ",".join([str(settings.width)] * settings.depth)),
                *("--batch-size", str(settings.batch_size), "--seed", str(settings.seed)),
            ],
            log_path=log,
            cwd=PROJECT,
            env={"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"},
        )
        if not measured.succeeded:
            failure = f"ended with status {measured.returncode}: see {log}"
            return self._finished("plain", pair, measured, {}, {}, failure)
        result = measure.last_json_object(measured.output_tail)
        return self._finished(
            "plain", pair, measured, result["component_seconds"], result["auc"], None
        )

    def _fresh(self, side: Side, pair: int) -> tuple[Path, Path]:
        root = self._root / f"{side}-{pair}"
        if root.exists():
            shutil.rmtree(root)
        return root, self._root / "logs" / f"{side}-{pair}.log"

    def _finished(
        self,
        side: Side,
        pair: int,
        measured: measure.Measurement,
        stages: dict[str, float],
        auc: dict[str, float],
        failure: str | None,
    ) -> SideRun:
        if not self._keep:
            shutil.rmtree(self._fresh(side, pair)[0], ignore_errors=True)
        return SideRun(
            side=side,
            pair=pair,
            seconds=measured.seconds,
            cpu_seconds=measured.cpu_seconds,
            peak_memory_mb=measured.peak_memory_mb,
            peak_resident_mb=measured.peak_resident_mb,
            load_before=measured.load_before,
            stages=stages,
            auc=auc,
            failure=failure,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0 if all runs finished, 1 if one failed, 2 for a mistake in the arguments.
    """
    arguments = _parser().parse_args(argv)
    settings = Settings(
        steps=arguments.steps,
        width=arguments.width,
        depth=arguments.depth,
        batch_size=arguments.batch_size,
        seed=arguments.seed,
    )
    sys.stdout.write(f"{machine_line()}\n\n")
    sys.stdout.write("".join(f"- {difference}\n" for difference in DIFFERENCES))
    results: dict[int, list[SideRun]] = {}
    references: dict[int, float] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="overhead-") as scratch:
            for rows, repetitions in zip(arguments.rows, _repetitions(arguments), strict=True):
                bench = Bench(rows, settings, arguments.root or Path(scratch), arguments.keep)
                bench.prepare()
                results[rows] = list(bench.run(repetitions))
                references[rows] = bench.reference_seconds()
                sys.stdout.write(report(rows, results[rows]))
                sys.stdout.write(f"\nReferenceModels with all models: {references[rows]:.1f} s.\n")
                sys.stdout.flush()
                # After every size, so that a later failure loses no result.
                write_json(arguments.out, _document(settings, results, references))
    except UserError as error:
        logger.error("%s", error)
        return 2
    return int(any(run.failure for runs in results.values() for run in runs))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.overhead",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[5_000, 200_000], help="default 5000 200000"
    )
    parser.add_argument(
        "--repetitions",
        type=int,
        nargs="+",
        default=[3, 1],
        help="pairs of runs for each number of rows, the last one for all that follow; default 3 1",
    )
    parser.add_argument("--steps", type=int, default=500, help="training steps")
    parser.add_argument("--width", type=int, default=64, help="units of a hidden layer")
    parser.add_argument("--depth", type=int, default=2, help="number of hidden layers")
    parser.add_argument("--batch-size", type=int, default=256, help="subjects in a step")
    parser.add_argument("--seed", type=int, default=20261, help="seed of data and training")
    parser.add_argument("--root", type=Path, help="folder for data and runs; default temporary")
    parser.add_argument("--keep", action="store_true", help="keep what the runs wrote in --root")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/benchmarks/overhead.json"), help="results as JSON"
    )
    return parser


def _repetitions(arguments: argparse.Namespace) -> list[int]:
    given: list[int] = arguments.repetitions
    missing = len(arguments.rows) - len(given)
    return [*given, *[given[-1]] * missing][: len(arguments.rows)]


def _training(settings: Settings) -> dict[str, Any]:
    """The study file's `training` that makes this project's model the plain one's."""
    return {
        "steps": settings.steps,
        "hyperparameters": {
            "members": 1,
            "width": settings.width,
            "depth": settings.depth,
            "embedding": 8,
            "dropout": 0.0,
            "learning_rate": 1e-3,
            "weight_decay": 0.0,
            "batch_size": settings.batch_size,
        },
    }


def _auc(verdict_folder: Path) -> dict[str, float]:
    metrics = json.loads((verdict_folder / "metrics.json").read_text(encoding="utf-8"))
    [record] = [
        record
        for record in metrics["records"]
        if record["metric"] == "auc" and not record["slice"] and record["model"] == "challenger"
    ]
    return {name: record[name] for name in ("value", "lower", "upper")}


def _document(
    settings: Settings, results: dict[int, list[SideRun]], references: dict[int, float]
) -> dict[str, Any]:
    return {
        "benchmark": "overhead",
        "machine": machine(),
        "settings": asdict(settings),
        "differences": list(DIFFERENCES),
        "rows": {
            rows: {
                "runs": [asdict(run) for run in runs],
                "reference_models_seconds": references[rows],
                "ratios": {
                    name: [
                        round(getattr(trial, name) / getattr(plain, name), 4)
                        for trial, plain in pairs_of(run for run in runs if run.failure is None)
                    ]
                    for name in ("seconds", "cpu_seconds", "peak_memory_mb", "peak_resident_mb")
                },
            }
            for rows, runs in results.items()
        },
    }


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
