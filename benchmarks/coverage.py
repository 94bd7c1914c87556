"""How often 95 % intervals hold the true value, by simulation.

Trials of the synthetic study are simulated, the reference model ridge is cross-fitted in each as a
run under `evaluation: {scheme: cross_fit}` does it, and the metrics and intervals are those of the
Evaluator's own code. The true value is the mean performance of the models of the folds on
20,000 fresh subjects, whose true probabilities are known. Beside it today's interval of a single
split: 80 % of the subjects train, 20 % are evaluated, and the true value is that of the model
itself.

The seeds are not those that the constant of `components.evaluator.intervals` was found with.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import markdown_table
from benchmarks.simulated_trials import (
    Subjects,
    deal,
    predict_by_ridge,
    run_of_sizes,
    simulate_subjects,
    simulate_trials,
)
from components.evaluator.cross_fitted import measure
from components.evaluator.fold_scores import ModelScores
from components.evaluator.intervals import RANKING, information_of, of_mean, of_ranking
from components.evaluator.jackknife import GROUPS
from components.evaluator.score_table import ScoreTable
from pipeline.estimates import student_interval
from pipeline.synthetic.trial import TASKS

METRICS = ("auc", "brier")
CROSS_FIT, WITHOUT_TRAINING, SPLIT = "cross_fit", "cross_fit, subjects alone", "split"
FOLDS = 5
REPEATS = {250: 10, 1000: 5}
"""As a run's by the number of subjects."""

_SEED = 1_210_000
_FRESH_SEED = 1_290_000
_FRESH = 20_000
_SEEN_FOLDS = 2
"""Folds of a trial whose models are evaluated on the fresh subjects."""

_SPLIT_FOLDS = 5
"""A split of five parts, one of which is its test part."""

_FloatArray = NDArray[np.float64]
_Scores = ScoreTable | ModelScores


@dataclass(frozen=True)
class Interval:
    """An estimate of one simulated trial.

    Attributes:
        value: The estimate.
        lower: Lower end of its interval, NaN if there is none.
        upper: Upper end.
        true: True performance of the model of a split; NaN for others.
        events: Subjects with the outcome that were evaluated.
    """

    value: float
    lower: float
    upper: float
    true: float
    events: int


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """A trial, cross-fitted.

    Attributes:
        scores: Out-of-fold predictions of each task.
        true: True performance of each task's models.
    """

    scores: tuple[ModelScores, ...]
    true: tuple[tuple[dict[str, float], ...], ...]


def jackknife(metric: str, parts: Sequence[_Scores], whole: _Scores) -> tuple[float, float, float]:
    """A metric with the interval of the delete-a-group jackknife, as TFMA computes it.

    Args:
        metric: `auc` or `brier`.
        parts: The scores without each group.
        whole: All scores.
    """
    value = measure(metric, whole)
    without = np.array([measure(metric, part) for part in parts])
    error = (GROUPS - 1) * float(np.std(without, ddof=1)) / np.sqrt(GROUPS)
    return value, *student_interval(value, error, GROUPS - 1)


def true_performance(
    prediction: NDArray[np.floating[Any]], probability: _FloatArray
) -> dict[str, float]:
    """Expected AUC and Brier score of predictions where the true probabilities are known."""
    order = np.argsort(prediction)
    positive, negative = probability[order], 1 - probability[order]
    wins = positive @ (np.cumsum(negative) - negative / 2)
    # A subject is no pair with itself.
    pairs = positive.sum() * negative.sum() - positive @ negative
    error = probability * (1 - prediction) ** 2 + (1 - probability) * prediction**2
    return {
        "auc": float((wins - positive @ negative / 2) / pairs),
        "brier": float(error.mean()),
    }


def cross_fit(
    subjects: Subjects,
    repeats: int,
    rng: np.random.Generator,
    fresh: Subjects,
    weight: _FloatArray | None = None,
) -> CrossFitted:
    """Predicts every subject out of fold by ridge regression.

    Args:
        subjects: The trial.
        repeats: Repeats of the folds.
        rng: Deals the subjects.
        fresh: Others, whose predictions by some of the models give the true performance.
        weight: Of the labels, 0 where unknown, float64 `[subjects, tasks]`; 1 by default.
    """
    folds = deal(subjects, FOLDS, repeats, rng, weight)
    score = np.empty((len(subjects), repeats, len(TASKS)), np.float32)
    true: list[list[dict[str, float]]] = [[] for _ in TASKS]
    for repeat, number in np.ndindex(repeats, FOLDS):
        test = folds[:, repeat] == number
        seen = [fresh] if repeat == 0 and number < _SEEN_FOLDS else []
        own, *of_fresh = predict_by_ridge(
            subjects.take(~test),
            subjects.take(test),
            *seen,
            weight=None if weight is None else weight[~test],
        )
        score[test, repeat] = own
        for predicted in of_fresh:
            for task, found in enumerate(true):
                found.append(true_performance(predicted[:, task], fresh.probability[:, task]))
    scores = []
    for task in range(len(TASKS)):
        known = np.ones(len(subjects), bool) if weight is None else weight[:, task] > 0
        scores.append(
            ModelScores(
                subjects.outcome[known, task],
                folds[known].astype(np.int16),
                np.ascontiguousarray(score[known, :, task]),
                None if weight is None else weight[known, task],
            )
        )
    return CrossFitted(tuple(scores), tuple(map(tuple, true)))


def intervals_of_folds(
    scores: ModelScores, groups: NDArray[np.int64]
) -> Iterator[tuple[str, str, Interval]]:
    """Intervals of out-of-fold predictions, with and without the variation of the training."""
    parts = [
        ModelScores(
            scores.outcome[groups != group],
            scores.fold[groups != group],
            np.ascontiguousarray(scores.score[groups != group]),
            None if scores.weight is None else scores.weight[groups != group],
        )
        for group in range(GROUPS)
    ]
    positives, negatives = scores.effective_positives, scores.effective_negatives
    information = information_of(positives + negatives, positives)
    for metric in METRICS:
        value, low, high = jackknife(metric, parts, scores)
        yield WITHOUT_TRAINING, metric, Interval(value, low, high, np.nan, scores.positives)
        lower, upper = (
            of_ranking(low, high, FOLDS, information, information)
            if metric in RANKING
            else of_mean(low, high, FOLDS)
        )
        yield CROSS_FIT, metric, Interval(value, lower, upper, np.nan, scores.positives)


def intervals_of_split(
    subjects: Subjects, rng: np.random.Generator, fresh: Subjects
) -> Iterator[tuple[str, str, Interval]]:
    """Task, metric and interval of a single split, by the jackknife alone."""
    test = deal(subjects, _SPLIT_FOLDS, 1, rng)[:, 0] == 0
    own, of_fresh = predict_by_ridge(subjects.take(~test), subjects.take(test), fresh)
    for place, task in enumerate(TASKS):
        score, labels = np.ascontiguousarray(own[:, place]), subjects.outcome[test, place]
        groups = rng.integers(0, GROUPS, len(labels))
        parts = [ScoreTable.of_rows(score, labels, groups != group) for group in range(GROUPS)]
        whole = ScoreTable.of_rows(score, labels, np.ones(len(labels), bool))
        true = true_performance(of_fresh[:, place], fresh.probability[:, place])
        for metric in METRICS:
            value, lower, upper = jackknife(metric, parts, whole)
            interval = Interval(value, lower, upper, true[metric], whole.positives)
            yield task, metric, interval


@dataclass(frozen=True)
class Row:
    """Coverage of one kind of interval of one metric of one task.

    Attributes:
        subjects: Subjects of a trial.
        task: The task.
        scheme: Kind of interval.
        metric: The metric.
        trials: Simulated trials.
        events: Mean number of subjects with the outcome that were evaluated.
        true: True value, for a split the mean.
        bias: Mean estimate minus true value.
        width: Mean width of the intervals.
        coverage: Share of intervals that hold the true value; a missing one does not.
        missing: Share of trials without an interval.
    """

    subjects: int
    task: str
    scheme: str
    metric: str
    trials: int
    events: float
    true: float
    bias: float
    width: float
    coverage: float
    missing: float


def simulate_coverage(subjects: int, trials: int, repeats: int, seed: int) -> list[Row]:
    """Simulates trials of a size.

    Args:
        subjects: Subjects of a trial.
        trials: Number of trials.
        repeats: Repeats of the folds.
        seed: First seed of the trials.
    """
    rng = np.random.default_rng(seed)
    fresh = simulate_subjects(_FRESH, _FRESH_SEED)
    found: dict[tuple[str, str, str], list[Interval]] = {}
    true: dict[str, list[dict[str, float]]] = {task: [] for task in TASKS}
    for trial in simulate_trials(trials, subjects, seed):
        fitted = cross_fit(trial, repeats, rng, fresh)
        for task, scores, of_models in zip(TASKS, fitted.scores, fitted.true, strict=True):
            true[task] += of_models
            groups = rng.integers(0, GROUPS, subjects)
            for scheme, metric, interval in intervals_of_folds(scores, groups):
                found.setdefault((task, scheme, metric), []).append(interval)
        for task, metric, interval in intervals_of_split(trial, rng, fresh):
            found.setdefault((task, SPLIT, metric), []).append(interval)
    means = {
        (task, metric): float(np.mean([of_model[metric] for of_model in true[task]]))
        for task in TASKS
        for metric in METRICS
    }
    return [
        row_of(subjects, task, scheme, metric, intervals, means[task, metric])
        for (task, scheme, metric), intervals in found.items()
    ]


def row_of(
    subjects: int, task: str, scheme: str, metric: str, intervals: Sequence[Interval], mean: float
) -> Row:
    """Counts how many intervals hold the true value: their own, or else `mean`."""
    value, lower, upper, own, events = (
        np.array(column, np.float64)
        for column in zip(
            *((i.value, i.lower, i.upper, i.true, i.events) for i in intervals), strict=True
        )
    )
    true = np.where(np.isnan(own), mean, own)
    missing = np.isnan(lower)
    held = (lower <= true) & (true <= upper)
    return Row(
        subjects=subjects,
        task=task,
        scheme=scheme,
        metric=metric,
        trials=len(intervals),
        events=float(events.mean()),
        true=float(true.mean()),
        bias=float(np.nanmean(value - true)),
        width=float(np.mean((upper - lower)[~missing])) if not missing.all() else math.nan,
        coverage=float(held.mean()),
        missing=float(missing.mean()),
    )


def report(rows: Sequence[Row]) -> str:
    """Lays the coverage out as Markdown, in percent with its standard error."""
    header = ("subjects, task", "events", "interval", "metric", "true", "bias", "width", "coverage")
    return markdown_table(
        header,
        [
            (
                f"{row.subjects:,} {row.task}",
                f"{row.events:.0f}",
                row.scheme,
                row.metric,
                f"{row.true:.3f}",
                f"{row.bias:+.4f}",
                f"{row.width:.3f}",
                f"{100 * row.coverage:.1f} ± {_error(row):.1f}"
                + (f" ({row.missing:.1%} without)" if row.missing else ""),
            )
            for row in rows
        ],
    )


def _error(row: Row) -> float:
    return float(100 * np.sqrt(row.coverage * (1 - row.coverage) / row.trials))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0.
    """

    def measure(subjects: int, trials: int, place: int) -> tuple[str, dict[str, list[Row]]]:
        made = simulate_coverage(subjects, trials, REPEATS.get(subjects, 1), _SEED + 1_000 * place)
        return report(made), {"rows": made}

    return run_of_sizes("coverage", __doc__, 1_000, REPEATS, measure, argv)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
