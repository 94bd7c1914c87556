"""How often the jackknife's interval of a test split holds the true value, by number of events.

The reference model ridge, trained on 1,000 simulated subjects, is evaluated on test splits of fresh
subjects, as large as the expected number of events asks for. The true value is the performance of
the same model on 20,000 others, whose true probabilities are known.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage import METRICS, SPLIT, Interval, Row, jackknife, row_of, true_performance
from benchmarks.report import machine, machine_line, markdown_table, write_json
from benchmarks.simulated_trials import predict_by_ridge, simulate_subjects
from components.evaluator.jackknife import GROUPS
from components.evaluator.score_table import ScoreTable
from pipeline.synthetic.trial import TASKS

EVENTS = (3, 5, 8, 10, 15, 20, 30, 50)
_SEED = 960_000
_FRESH = 20_000
_TRAINED = 1_000
_MODELS = 4


def simulate_events(events: int, splits: int, rng: np.random.Generator) -> list[Row]:
    """Simulates test splits.

    Args:
        events: Expected number of subjects with the outcome in a split.
        splits: Splits of each task.
        rng: Draws the subjects.
    """
    fresh = simulate_subjects(_FRESH, _SEED)
    train = simulate_subjects(_MODELS * _TRAINED, _SEED + 1)
    found: dict[tuple[int, str], list[Interval]] = {}
    sizes = [round(events / rate) for rate in fresh.probability.mean(axis=0).tolist()]
    for number in range(_MODELS):
        part = train.take(slice(number * _TRAINED, (number + 1) * _TRAINED))
        (of_fresh,) = predict_by_ridge(part, fresh)
        for task, subjects in enumerate(sizes):
            score, probability = of_fresh[:, task], fresh.probability[:, task]
            true = true_performance(score, probability)
            for _ in range(splits // _MODELS):
                sample = rng.choice(_FRESH, subjects, replace=False)
                for metric, made in _intervals(score[sample], probability[sample], rng):
                    value, lower, upper, positives = made
                    interval = Interval(value, lower, upper, true[metric], positives)
                    found.setdefault((task, metric), []).append(interval)
    return [
        row_of(sizes[task], TASKS[task], SPLIT, metric, intervals, np.nan)
        for (task, metric), intervals in sorted(found.items())
    ]


def _intervals(
    score: NDArray[np.float32], probability: NDArray[np.float64], rng: np.random.Generator
) -> list[tuple[str, tuple[float, float, float, int]]]:
    # Drawn again, since a subject may be in several splits.
    outcome = rng.random(len(score)) < probability
    groups = rng.integers(0, GROUPS, len(score))
    parts = [ScoreTable.of_rows(score, outcome, groups != group) for group in range(GROUPS)]
    whole = ScoreTable.of_rows(score, outcome, np.ones(len(score), bool))
    return [(metric, (*jackknife(metric, parts, whole), whole.positives)) for metric in METRICS]


def report(rows: Sequence[Row]) -> str:
    """Lays the coverage out as Markdown, in percent: a row for each number of events and task."""
    found = {(row.task, row.subjects, row.metric): row for row in rows}
    return markdown_table(
        ("task", "subjects", "events", *(f"{metric}, %" for metric in METRICS)),
        [
            (
                row.task,
                row.subjects,
                f"{row.events:.0f}",
                *(f"{100 * found[row.task, row.subjects, m].coverage:.1f}" for m in METRICS),
            )
            for row in rows
            if row.metric == METRICS[0]
        ],
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0.
    """
    arguments = _parser().parse_args(argv)
    sys.stdout.write(f"{machine_line()}\n\n")
    rng = np.random.default_rng(_SEED)
    rows = [row for n in EVENTS for row in simulate_events(n, arguments.splits, rng)]
    sys.stdout.write(report(rows))
    content = {"benchmark": "coverage_events", "machine": machine()}
    write_json(arguments.out, content | {"rows": [vars(row) for row in rows]})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coverage_events",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--splits", type=int, default=1_000, help="test splits of each size")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/benchmarks/coverage_events.json"),
        help="results as JSON",
    )
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
