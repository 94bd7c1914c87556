"""Whether repeats of cross-fitting show how predictions vary between training samples.

On simulated trials the spread of each subject's predictions over the repeats of folds, scaled as a
run scales it (`pipeline.results.stability`), is compared with the spread over 200 refits of the
reference model ridge on bootstrap samples of the same trial (Riley and Collins, Biom J
2023;65:2200302). Since trials can be simulated again, the third spread is that over refits on 200
fresh trials of the same size, which is what the other two estimate.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage import FOLDS, REPEATS
from benchmarks.report import markdown_table
from benchmarks.simulated_trials import (
    Subjects,
    deal,
    predict_by_ridge,
    run_of_sizes,
    simulate_trials,
)
from pipeline.results.stability import spread_of
from pipeline.synthetic.trial import TASKS

SAMPLES = 200
REPEATED, BOOTSTRAP, FRESH = "repeats", "bootstrap", "fresh trials"
_SEED = 930_000
_QUANTILES = (0.1, 0.5, 0.9)
_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """Spread of the predictions of one task, mean over trials.

    Attributes:
        subjects: Subjects of a trial.
        task: The task.
        kind: How it was measured.
        root_mean_square: Of the subjects' standard deviations.
        quantiles: Of the subjects' standard deviations: 10 %, 50 %, 90 %.
        correlation: Rank correlation over subjects with the bootstrap's; 1 for itself.
    """

    subjects: int
    task: str
    kind: str
    root_mean_square: float
    quantiles: tuple[float, ...]
    correlation: float


def repeated(trial: Subjects, rng: np.random.Generator) -> _FloatArray:
    """Scaled standard deviation of each subject's out-of-fold predictions, `[subjects, tasks]`."""
    repeats = REPEATS.get(len(trial), 5)
    folds = deal(trial, FOLDS, repeats, rng)
    score = np.empty((repeats, len(trial), len(TASKS)))
    for repeat, number in np.ndindex(repeats, FOLDS):
        test = folds[:, repeat] == number
        (score[repeat, test],) = predict_by_ridge(trial.take(~test), trial.take(test))
    of_tasks = [spread_of(of_task, 1 - 1 / FOLDS) for of_task in score.transpose(2, 1, 0)]
    return np.stack(of_tasks, axis=1)


def spread_between(trial: Subjects, samples: Iterable[Subjects]) -> _FloatArray:
    """Standard deviation of each subject's predictions by models of several samples.

    Returns:
        float64 `[subjects, tasks]`.
    """
    score = np.stack([predict_by_ridge(sample, trial)[0] for sample in samples])
    return np.asarray(score.std(axis=0, ddof=1, dtype=np.float64))


def compare(subjects: int, trials: int, samples: int, seed: int) -> list[Row]:
    """Measures the spread in three ways.

    Args:
        subjects: Subjects of a trial.
        trials: Trials whose spread is measured.
        samples: Bootstrap samples of each, and fresh trials.
        seed: First seed.
    """
    from scipy.stats import spearmanr

    rng = np.random.default_rng(seed)
    fresh = list(simulate_trials(samples, subjects, seed + 500))
    found: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for trial in simulate_trials(trials, subjects, seed):
        samples_of = (trial.take(rng.integers(0, len(trial), len(trial))) for _ in range(samples))
        spreads = {
            REPEATED: repeated(trial, rng),
            BOOTSTRAP: spread_between(trial, samples_of),
            FRESH: spread_between(trial, fresh),
        }
        for place, task in enumerate(TASKS):
            bootstrap = spreads[BOOTSTRAP][:, place]
            for kind, of_tasks in spreads.items():
                spread = of_tasks[:, place]
                summary = (
                    float(np.sqrt(np.mean(spread**2))),
                    *np.quantile(spread, _QUANTILES).tolist(),
                    float(spearmanr(spread, bootstrap).statistic),
                )
                found.setdefault((task, kind), []).append(summary)
    rows = []
    for (task, kind), summaries in found.items():
        first, *quantiles, correlation = np.mean(summaries, axis=0).tolist()
        rows.append(Row(subjects, task, kind, first, tuple(quantiles), correlation))
    return rows


def report(rows: Sequence[Row]) -> str:
    """Lays the spreads out as Markdown, in percentage points."""
    header = (
        "subjects, task",
        "by",
        "root mean square",
        *(f"{share:.0%}" for share in _QUANTILES),
        "rank correlation",
    )
    return markdown_table(
        header,
        [
            (
                f"{row.subjects:,} {row.task}",
                row.kind,
                f"{100 * row.root_mean_square:.1f}",
                *(f"{100 * value:.1f}" for value in row.quantiles),
                f"{row.correlation:.2f}",
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

    def measure(subjects: int, trials: int, place: int) -> tuple[str, dict[str, list[Row]]]:
        made = compare(subjects, trials, SAMPLES, _SEED + 1_000 * place)
        return report(made), {"rows": made}

    return run_of_sizes("stability", __doc__, 20, REPEATS, measure, argv)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
