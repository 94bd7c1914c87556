"""Whether means, deviations and vocabularies may come from all subjects when folds are predicted.

Under `cross_fit` Transform describes all subjects once: its statistics use no label. Here ridge
logistic regression is cross-fitted on the examples of a shipped study in two ways, on the same
folds: with the statistics of all subjects, and with those of each fold's training subjects. For
each seed, which deals other folds, the AUC is counted within folds; the mean of the differences has
a 95 % interval over the seeds. Statistics in numpy stand for Transform's; they must give the codes
and numbers that Transform itself gave of all subjects.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_run import analyse_examples, make_examples, read_raw, read_transformed
from benchmarks.label_free_statistics import Trial
from benchmarks.report import machine, machine_line, markdown_table, write_json
from benchmarks.shipped_study import add_data_option
from components.evaluator.cross_fitted import measure
from components.evaluator.fold_scores import ModelScores
from pipeline.beam.options import IN_MEMORY, beam_options
from pipeline.estimates import student_interval
from pipeline.names import ARM
from pipeline.results.reference_models import RIDGE
from pipeline.study.features import feature_columns
from pipeline.study.load import load_study
from pipeline.study.sections.scheme import Evaluation
from pipeline.study.shipped import find_study_file
from pipeline.subject_key import ensure_local_key
from pipeline.synthetic.trial import SyntheticTrial
from pipeline.synthetic.write import write
from trainer.arrays import Arrays
from trainer.features import ModelInputs
from trainer.reference import fit_predict

STUDIES = ("cdisc_pilot01", "cdisc_pilot01_sdtm", "actg175", "ist", "synthetic")
"""All shipped studies."""

_DATA_OF = {"cdisc_pilot01_sdtm": "cdisc_pilot01"}
_SYNTHETIC_SUBJECTS = 1_000
"""As many as a run without data has."""

SYNTHETIC = "synthetic"
SEEDS = 20
FOLDS = 5


@dataclass(frozen=True)
class Row:
    """Change of a task's AUC: statistics of all subjects minus those of the training subjects.

    Attributes:
        study: The study.
        task: The task.
        subjects: Subjects with a known label.
        auc: Mean AUC with the statistics of all subjects.
        change: Mean change over the seeds.
        lower: Lower end of its 95 % interval.
        upper: Upper end.
    """

    study: str
    task: str
    subjects: int
    auc: float
    change: float
    lower: float
    upper: float


def read_trial(study_name: str, data: Path) -> Trial:
    """Makes the examples of a study and reads them.

    Args:
        study_name: A shipped study.
        data: Folder with a folder of each trial.

    Raises:
        UserError: The data can't be used.
        RuntimeError: The statistics here are not those of Transform.
    """
    file = find_study_file(study_name)
    one_split = {"evaluation": Evaluation(scheme="cross_fit", folds=FOLDS, repeats=1)}
    study = load_study(file).model_copy(update=one_split)
    numeric, categorical = feature_columns(study)
    inputs = ModelInputs(tuple(numeric), tuple(categorical), tuple(study.tasks))
    with tempfile.TemporaryDirectory(prefix="fold-statistics-") as scratch:
        root = Path(scratch)
        make_examples(
            study, _data_of(study_name, data, root), ensure_local_key(root / "subject_key"), root
        )
        raw = read_raw(root / "examples" / "Split-train", inputs)
        transformation = analyse_examples(file.parent / "schema.pbtxt", inputs, root)
        transformed = read_transformed(root, "train", transformation)
    trial = Trial(
        raw.features[list(inputs.numeric)].to_numpy(np.float64),
        raw.features[list(inputs.categorical)].to_numpy(str),
        np.nan_to_num(raw.labels),
        raw.weights,
        tuple(study.tasks),
        inputs.categorical.index(ARM) if ARM in inputs.categorical else None,
    )
    _require_same(trial.arrays(trial.described(np.ones(len(raw), bool)))[0], transformed)
    return trial


def _data_of(study_name: str, data: Path, scratch: Path) -> Path:
    """Folder with the data of a shipped study; the synthetic trial is made in `scratch`."""
    if study_name == SYNTHETIC:
        folder = scratch / "data"
        write(SyntheticTrial(_SYNTHETIC_SUBJECTS), str(folder), beam_options(IN_MEMORY))
        return folder
    return data / _DATA_OF.get(study_name, study_name)


def _require_same(here: Arrays, transformed: Arrays) -> None:
    """Compares the subjects in any order; codes by how many subjects have each."""
    numbers = [np.sort(each.numbers, axis=0) for each in (here, transformed)]
    counts = [
        [sorted(np.unique(column, return_counts=True)[1]) for column in each.categories.T]
        for each in (here, transformed)
    ]
    if not np.allclose(numbers[0], numbers[1], atol=1e-4) or counts[0] != counts[1]:
        raise RuntimeError("The statistics here are not those of Transform.")


def compare(trial: Trial, seeds: int) -> NDArray[np.float64]:
    """Cross-fits a trial with both kinds of statistics.

    Returns:
        AUC with the statistics of all subjects, and with those of the training subjects:
        float64 `[seeds, tasks, 2]`.
    """
    everyone = np.ones(len(trial.labels), bool)
    whole, encoding = trial.arrays(trial.described(everyone))
    found = np.empty((seeds, len(trial.tasks), 2))
    for seed in range(seeds):
        folds = deal(trial, seed)
        score = np.empty((len(folds), len(trial.tasks), 2), np.float32)
        for fold in range(FOLDS):
            train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            inside, own = trial.arrays(trial.described(folds != fold))
            for kind, (arrays, shape) in enumerate(((whole, encoding), (inside, own))):
                score[test, :, kind] = fit_predict(
                    RIDGE, arrays.take(train), arrays.take(test), shape, seed
                )
        for task, kind in np.ndindex(len(trial.tasks), 2):
            scores = out_of_fold_scores(trial, task, folds, score[:, task, kind])
            found[seed, task, kind] = measure("auc", scores)
    return found


def out_of_fold_scores(
    subjects: Trial | Arrays, task: int, folds: NDArray[np.int64], score: NDArray[np.float32]
) -> ModelScores:
    """What the Evaluator reads of a task's predictions out of fold, in one repeat.

    Args:
        subjects: Labels and weights of the subjects.
        task: Place of the task.
        folds: `[subjects]`.
        score: Predictions, `[subjects]`; those of subjects without a known label are not used.
    """
    known = subjects.weights[:, task] > 0
    return ModelScores(
        subjects.labels[known, task] > 0.5,
        folds[known, None].astype(np.int16),
        np.ascontiguousarray(score[known, None]),
        subjects.weights[known, task].astype(np.float64),
    )


def deal(trial: Trial, seed: int) -> NDArray[np.int64]:
    """Folds within arm and rarest outcome, as a run deals its subjects."""
    events = np.where(trial.weights > 0, trial.labels, 0)
    rarest = events[:, np.argmin(events.sum(axis=0))]
    arms = np.zeros(len(rarest)) if trial.arm is None else trial.texts[:, trial.arm]
    order = np.random.default_rng(seed).permutation(len(rarest))
    order = order[np.lexsort((rarest[order], arms[order]))]
    folds = np.empty(len(rarest), np.int64)
    folds[order] = np.arange(len(rarest)) % FOLDS
    return folds


def mean_over_seeds(change: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean of a change with the ends of its 95 % interval over the seeds, `[seeds]`."""
    mean, seeds = float(change.mean()), len(change)
    error = float(change.std(ddof=1) / np.sqrt(seeds))
    return mean, *student_interval(mean, error, seeds - 1)


def rows_of(study: str, trial: Trial, auc: NDArray[np.float64]) -> list[Row]:
    """Mean changes with their intervals over the seeds."""
    rows = []
    for place, task in enumerate(trial.tasks):
        change = mean_over_seeds(auc[:, place, 0] - auc[:, place, 1])
        rows.append(
            Row(
                study,
                task,
                int((trial.weights[:, place] > 0).sum()),
                float(auc[:, place, 0].mean()),
                *change,
            )
        )
    return rows


def report(rows: Sequence[Row]) -> str:
    """Lays the changes out as Markdown."""
    return markdown_table(
        ("study, task", "subjects", "AUC", "change of AUC (95 %)"),
        [
            (
                f"{row.study} {row.task}",
                f"{row.subjects:,}",
                f"{row.auc:.3f}",
                f"{row.change:+.4f} ({row.lower:+.4f} to {row.upper:+.4f})",
            )
            for row in rows
        ],
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fold_statistics",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--studies", nargs="+", default=list(STUDIES), help="shipped studies")
    add_data_option(parser, "folder with a folder of each trial")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="ways to deal the folds")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/benchmarks/fold_statistics.json"), help="as JSON"
    )
    arguments = parser.parse_args(argv)
    sys.stdout.write(f"{machine_line()}\n\n")
    rows: list[Row] = []
    for study in arguments.studies:
        trial = read_trial(study, arguments.data)
        made = rows_of(study, trial, compare(trial, arguments.seeds))
        rows += made
        sys.stdout.write(report(made) + "\n")
        sys.stdout.flush()
    content = {"benchmark": "fold_statistics", "machine": machine(), "seeds": arguments.seeds}
    write_json(arguments.out, content | {"rows": [vars(row) for row in rows]})
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
