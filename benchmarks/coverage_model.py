"""How often the Keras model's 95 % intervals hold the true value, and its calibration slope.

As `benchmarks.coverage`, with this project's model instead of ridge regression: simulated trials
are cross-fitted by the procedure of a run. The true value is the mean performance of the models of
the folds on fresh subjects, whose true probabilities are known; each trial has other ones.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from benchmarks.coverage import (
    CROSS_FIT,
    FOLDS,
    REPEATS,
    CrossFitted,
    Interval,
    Row,
    intervals_of_folds,
    report,
    row_of,
    true_performance,
)
from benchmarks.report import markdown_table
from benchmarks.simulated_trials import (
    Subjects,
    deal,
    run_of_sizes,
    simulate_subjects,
    simulate_trials,
    transform,
)
from components.evaluator.cross_fitted import measure
from components.evaluator.fold_scores import ModelScores
from components.evaluator.jackknife import GROUPS
from pipeline.synthetic.trial import TASKS
from trainer.arrays import concatenate
from trainer.courses import train_stack
from trainer.model import resolve
from trainer.procedures import plan_models

_SEED = 970_000
_FRESH_SEED = 980_000
_FRESH = 1_000
_SEEN_PROCEDURES = FOLDS
"""Procedures of a trial, those of the first repeat, whose true performance is measured."""


@dataclass(frozen=True)
class Slope:
    """Mean calibration slope of a task over simulated trials.

    Attributes:
        subjects: Subjects of a trial.
        task: The task.
        trials: Trials with a finite slope.
        mean: Mean slope.
        error: Its standard error.
    """

    subjects: int
    task: str
    trials: int
    mean: float
    error: float


def cross_fit(
    trial: Subjects, fresh: Subjects, repeats: int, rng: np.random.Generator
) -> CrossFitted:
    """Predicts every subject of a trial out of fold, as the stage CrossFit does.

    Args:
        trial: The trial.
        fresh: Others, which no model is trained on.
        repeats: Repeats of the folds.
        rng: Deals the subjects and seeds the models.
    """
    folds = deal(trial, FOLDS, repeats, rng)
    known, others = (transform(each, trial) for each in (trial, fresh))
    # The rows of the plan are those of the trial: the fresh subjects are only predicted.
    plan = plan_models(folds, known, int(rng.integers(2**31)))
    keras.backend.clear_session()
    trained = train_stack(
        plan,
        concatenate([known, others]),
        trial.encoding,
        resolve(len(trial)),
        int(rng.integers(2**31)),
    )
    score = np.empty((len(trial), repeats, len(TASKS)), np.float32)
    true: list[list[dict[str, float]]] = [[] for _ in TASKS]
    for number, course in enumerate(trained.courses):
        probability = 0.5 * (1 + np.tanh(0.5 * course.logits()))
        predicted = course.procedure.predicted
        score[predicted, course.procedure.repeat] = probability[: len(trial)][predicted]
        if number < _SEEN_PROCEDURES:
            for task, of_task in enumerate(true):
                of_fresh = probability[len(trial) :, task]
                of_task.append(true_performance(of_fresh, fresh.probability[:, task]))
    return CrossFitted(
        tuple(
            ModelScores(
                trial.outcome[:, task],
                folds.astype(np.int16),
                np.ascontiguousarray(score[:, :, task]),
            )
            for task in range(len(TASKS))
        ),
        tuple(map(tuple, true)),
    )


def simulate(subjects: int, trials: int, seed: int) -> Iterator[CrossFitted]:
    """Simulates and cross-fits trials of a size."""
    rng = np.random.default_rng(seed)
    repeats = REPEATS.get(subjects, 1)
    for number, trial in enumerate(simulate_trials(trials, subjects, seed)):
        yield cross_fit(trial, simulate_subjects(_FRESH, _FRESH_SEED + seed + number), repeats, rng)


def summarize(
    subjects: int, fitted: Sequence[CrossFitted], seed: int
) -> tuple[list[Row], list[Slope]]:
    """Coverage of the intervals, and the calibration slopes, of each task."""
    rng = np.random.default_rng(seed)
    rows, slopes = [], []
    for place, task in enumerate(TASKS):
        found: dict[str, list[Interval]] = {}
        for trial in fitted:
            groups = rng.integers(0, GROUPS, subjects)
            for scheme, metric, interval in intervals_of_folds(trial.scores[place], groups):
                if scheme == CROSS_FIT:
                    found.setdefault(metric, []).append(interval)
        true = [of_model for trial in fitted for of_model in trial.true[place]]
        rows += [
            row_of(
                subjects,
                task,
                CROSS_FIT,
                metric,
                intervals,
                float(np.mean([of_model[metric] for of_model in true])),
            )
            for metric, intervals in found.items()
        ]
        slopes.append(_slope(subjects, task, fitted, place))
    return rows, slopes


def _slope(subjects: int, task: str, fitted: Sequence[CrossFitted], place: int) -> Slope:
    values = np.array([measure("calibration_slope", trial.scores[place]) for trial in fitted])
    finite = values[np.isfinite(values)]
    error = float(finite.std(ddof=1) / np.sqrt(len(finite))) if len(finite) > 1 else np.nan
    return Slope(subjects, task, len(finite), float(finite.mean()), error)


def report_slopes(slopes: Sequence[Slope]) -> str:
    """Lays the slopes out as Markdown."""
    return markdown_table(
        ("subjects, task", "trials", "mean calibration slope"),
        [
            (f"{row.subjects:,} {row.task}", f"{row.trials}", f"{row.mean:.3f} ± {row.error:.3f}")
            for row in slopes
        ],
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0.
    """

    def measure(
        subjects: int, trials: int, place: int
    ) -> tuple[str, dict[str, Sequence[Row] | Sequence[Slope]]]:
        seed = _SEED + 1_000 * place
        rows, slopes = summarize(subjects, list(simulate(subjects, trials, seed)), seed)
        return f"{report(rows)}\n{report_slopes(slopes)}", {"rows": rows, "slopes": slopes}

    return run_of_sizes("coverage_model", __doc__, 200, REPEATS, measure, argv)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
