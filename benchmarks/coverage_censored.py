"""How often 95 % intervals hold the true value where follow-up ends early, by simulation.

The trials are those of `benchmarks.coverage`. The outcome occurs at a time before the horizon, and
subjects are lost at a constant rate, in the active arm three times that of the control, so that a
third of the labels are unknown and those that are known have the outcome too often. Subjects are
weighted by the inverse probability of being observed, from the Kaplan-Meier curve of each arm's
losses. The reference model ridge is cross-fitted with the weights; metrics and intervals are those
of the Evaluator's own code, with the weights and, beside them, without.

The true value is the mean performance of the models of the folds on 20,000 fresh subjects, whose
true probabilities are known.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage import (
    CROSS_FIT,
    METRICS,
    Interval,
    Row,
    cross_fit,
    intervals_of_folds,
    report,
    row_of,
)
from benchmarks.simulated_trials import (
    run_of_sizes,
    simulate_subjects,
    simulate_trials,
)
from components.evaluator.fold_scores import ModelScores
from components.evaluator.jackknife import GROUPS
from pipeline.synthetic.trial import TASKS

WEIGHTED, UNWEIGHTED = "weighted", "unweighted"
REPEATS = {250: 5, 1000: 3}
RATES = {True: 0.75, False: 0.25}
"""Losses of a subject in the time to the horizon, by whether it is in the active arm."""

_SEED, _FRESH_SEED, _FRESH = 930_000, 990_000, 20_000
_FloatArray = NDArray[np.float64]


def censored(
    outcome: NDArray[np.bool_], active: NDArray[np.bool_], rng: np.random.Generator
) -> _FloatArray:
    """Draws the follow-up of subjects and weights those whose outcome is known.

    Args:
        outcome: Whether each has the outcome by the horizon, `[subjects]`.
        active: Whether each is in the active arm, `[subjects]`.
        rng: Draws the times.

    Returns:
        Inverse probability of being observed, 0 for subjects who were lost; float64 `[subjects]`.
    """
    event = np.where(outcome, rng.random(len(outcome)), 1.0)
    lost = rng.exponential(1 / np.where(active, RATES[True], RATES[False]))
    time, is_lost = np.minimum(event, lost), lost < event
    weight = np.zeros(len(outcome))
    for arm in (True, False):
        rows = np.flatnonzero(active == arm)
        rows = rows[np.argsort(time[rows], kind="stable")]
        at_risk = len(rows) - np.arange(len(rows))
        followed = np.cumprod(1 - is_lost[rows] / at_risk)
        # Until just before a subject's own time.
        before = np.concatenate([[1.0], followed[:-1]])
        weight[rows] = np.where(is_lost[rows], 0.0, 1 / np.maximum(before, 1e-9))
    return weight


def simulate_coverage(subjects: int, trials: int, repeats: int, seed: int) -> list[Row]:
    """Simulates trials of a size.

    Args:
        subjects: Subjects of a trial, of whom some are lost.
        trials: Number of trials.
        repeats: Repeats of the folds.
        seed: First seed of the trials.
    """
    rng = np.random.default_rng(seed)
    fresh = simulate_subjects(_FRESH, _FRESH_SEED)
    found: dict[tuple[str, str, str], list[Interval]] = {}
    true: dict[str, list[dict[str, float]]] = {task: [] for task in TASKS}
    for trial in simulate_trials(trials, subjects, seed):
        weight = np.stack(
            [censored(outcome, trial.arm == 1, rng) for outcome in trial.outcome.T], axis=1
        )
        fitted = cross_fit(trial, repeats, rng, fresh, weight)
        for task, scores, of_models in zip(TASKS, fitted.scores, fitted.true, strict=True):
            true[task] += of_models
            groups = rng.integers(0, GROUPS, scores.subjects)
            plain = ModelScores(scores.outcome, scores.fold, scores.score)
            for kind, counted in ((WEIGHTED, scores), (UNWEIGHTED, plain)):
                for scheme, metric, interval in intervals_of_folds(counted, groups):
                    if scheme == CROSS_FIT:
                        found.setdefault((task, kind, metric), []).append(interval)
    means = {
        (task, metric): float(np.mean([of_model[metric] for of_model in true[task]]))
        for task in TASKS
        for metric in METRICS
    }
    return [
        row_of(subjects, task, kind, metric, intervals, means[task, metric])
        for (task, kind, metric), intervals in found.items()
    ]


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

    return run_of_sizes("coverage_censored", __doc__, 1_000, REPEATS, measure, argv)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
