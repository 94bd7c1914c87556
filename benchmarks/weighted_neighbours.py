"""What censoring weights of one task change in the tasks whose follow-up is complete.

All tasks of a study share a model. The shipped studies that have both kinds of tasks are
cross-fitted twice on the same folds: with their weights, and with weight 1 for every known label,
as if follow-up never ended early. AUC (within folds) and Brier score of the tasks whose weights are
0 and 1 in either case are compared. Each seed deals other folds and trains other models; the means
of the differences have 95 % intervals over the seeds.

    python -m benchmarks.weighted_neighbours
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.fold_statistics import (
    deal,
    mean_over_seeds,
    out_of_fold_scores,
    read_trial,
)
from benchmarks.label_free_statistics import Trial
from benchmarks.report import machine_line, markdown_table
from benchmarks.shipped_study import add_data_option
from components.evaluator.cross_fitted import measure
from trainer.arrays import Arrays
from trainer.cross_fit import cross_fit
from trainer.model import Encoding, resolve

STUDIES = ("actg175", "cdisc_pilot01", "cdisc_pilot01_sdtm", "synthetic")
METRICS = ("auc", "brier")
_MOST_CHANGE = 0.001


@dataclasses.dataclass(frozen=True)
class Change:
    """Change of a metric: with the weights minus without.

    Attributes:
        study: The study.
        task: The task.
        metric: The metric.
        value: Its mean with the weights.
        change: Mean change over the seeds.
        lower: Lower end of its 95 % interval.
        upper: Upper end.
    """

    study: str
    task: str
    metric: str
    value: float
    change: float
    lower: float
    upper: float


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0; 1 if a metric of a task with complete follow-up is worse by more than .001 on average.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.weighted_neighbours",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_option(parser, "folder with a folder of each trial")
    parser.add_argument("--studies", nargs="+", default=list(STUDIES), help="shipped studies")
    parser.add_argument("--seeds", type=int, default=10, help="ways to deal the folds")
    arguments = parser.parse_args(argv)
    changes = [
        change
        for study in arguments.studies
        for change in compare(study, read_trial(study, arguments.data), arguments.seeds)
    ]
    sys.stdout.write(f"{machine_line()}\n\n{report(changes)}\n")
    return int(any(worse_by(change) > _MOST_CHANGE for change in changes))


def compare(study: str, trial: Trial, seeds: int) -> list[Change]:
    """Cross-fits a trial with and without its weights, for several seeds."""
    weighted, encoding = trial.arrays(trial.described(np.ones(len(trial.labels), bool)))
    known = (weighted.weights > 0).astype(np.float32)
    plain = dataclasses.replace(weighted, weights=known)
    places = [p for p in range(len(trial.tasks)) if (weighted.weights == known)[:, p].all()]
    found = np.empty((seeds, len(places), len(METRICS), 2))
    for seed in range(seeds):
        folds = deal(trial, seed)
        for kind, arrays in enumerate((weighted, plain)):
            found[seed, :, :, kind] = _metrics(arrays, encoding, folds, seed)[places]
    return [
        change_of(study, trial.tasks[place], metric, found[:, number, column])
        for number, place in enumerate(places)
        for column, metric in enumerate(METRICS)
    ]


def _metrics(
    arrays: Arrays, encoding: Encoding, folds: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """Out-of-fold metrics, float64 `[tasks, metrics]`."""
    predicted = cross_fit(
        arrays, folds[:, None], encoding, resolve(len(arrays)), seed
    ).probabilities
    scores = [
        out_of_fold_scores(arrays, task, folds, predicted[:, 0, task])
        for task in range(len(encoding.tasks))
    ]
    return np.array([[measure(metric, of_task) for metric in METRICS] for of_task in scores])


def change_of(study: str, task: str, metric: str, found: NDArray[np.float64]) -> Change:
    """The change of a metric over the seeds.

    Args:
        study: The study.
        task: The task.
        metric: The metric.
        found: Its value with the weights and without, float64 `[seeds, 2]`.
    """
    change = mean_over_seeds(found[:, 0] - found[:, 1])
    return Change(study, task, metric, float(found[:, 0].mean()), *change)


def worse_by(change: Change) -> float:
    """By how much the metric is worse with the weights; negative where it is better."""
    return -change.change if change.metric == "auc" else change.change


def report(changes: Sequence[Change]) -> str:
    """Lays the changes out as Markdown."""
    return markdown_table(
        ("study, task", "metric", "with weights", "change (95 %)"),
        [
            (
                f"{row.study} {row.task}",
                row.metric,
                f"{row.value:.4f}",
                f"{row.change:+.5f} ({row.lower:+.5f} to {row.upper:+.5f})",
            )
            for row in changes
        ],
    )


if __name__ == "__main__":
    raise SystemExit(main())
