"""Simulated trials with known probabilities, and a ridge logistic regression, for benchmarks.

The trials are those of `pipeline.synthetic`, without files: the terms that the outcomes depend on
and columns that they do not depend on, as numbers.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import machine, machine_line, write_json
from pipeline.synthetic.simulate import Block, simulate
from pipeline.synthetic.trial import COUNTRIES, RACES, TASKS, SyntheticTrial

PENALTY = 1.0
"""Of ridge regression: half of it times the squared coefficients is added to the deviance."""

_TERMS = (
    "active",
    "male",
    "smoker",
    "diabetes",
    "age",
    "severity",
    "score_change",
    "log_crp",
    "log_alt",
    "creatinine",
    "early_events",
)
_PER_BLOCK = 1_000
_KEPT = 0.9
"""Share of subjects of a block that are surely in the safety population."""

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Subjects:
    """Simulated subjects.

    Attributes:
        design: Columns, float64 `[subjects, 19]`.
        probability: True probabilities of the outcomes, float64 `[subjects, tasks]`.
        outcome: Drawn outcomes, bool `[subjects, tasks]`.
    """

    design: _FloatArray
    probability: _FloatArray
    outcome: NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of subjects."""
        return len(self.design)

    def take(self, rows: slice | NDArray[np.int64]) -> Subjects:
        """Some of the subjects."""
        return Subjects(self.design[rows], self.probability[rows], self.outcome[rows])


def simulate_subjects(number: int, seed: int) -> Subjects:
    """Simulates subjects; equal arguments give equal ones."""
    blocks = int(np.ceil(number / (_PER_BLOCK * _KEPT)))
    trial = SyntheticTrial(blocks * _PER_BLOCK, seed=seed, sites=20)
    parts = [_columns(simulate(trial, block)) for block in range(blocks)]
    design, probability = (np.concatenate(part)[:number] for part in zip(*parts, strict=True))
    drawn = np.random.default_rng(seed).random(probability.shape)
    return Subjects(design, probability, drawn < probability)


def simulate_trials(trials: int, subjects: int, seed: int) -> Iterator[Subjects]:
    """Simulates trials of a size, a hundred at a time."""
    at_once = 100
    for first in range(0, trials, at_once):
        number = min(at_once, trials - first)
        pool = simulate_subjects(number * subjects, seed + first // at_once)
        for trial in range(number):
            yield pool.take(slice(trial * subjects, (trial + 1) * subjects))


def fit_ridge(
    design: _FloatArray, outcome: NDArray[np.bool_], weight: _FloatArray | None = None
) -> tuple[_FloatArray, float]:
    """Fits ridge logistic regression on standardised columns.

    Args:
        design: `[subjects, columns]`.
        outcome: `[subjects]`, both kinds occur.
        weight: `[subjects]`; None where each has weight 1.

    Returns:
        Coefficients of the columns as they are, `[columns]`, and the intercept.
    """
    from sklearn.linear_model import LogisticRegression

    mean, deviation = design.mean(axis=0), design.std(axis=0)
    deviation[deviation == 0] = 1.0
    model = LogisticRegression(C=1 / PENALTY, solver="newton-cholesky")
    model.fit((design - mean) / deviation, outcome, sample_weight=weight)
    coefficients = model.coef_[0] / deviation
    return coefficients, float(model.intercept_[0] - coefficients @ mean)


def predict(model: tuple[_FloatArray, float], design: _FloatArray) -> _FloatArray:
    """Predicted probabilities, `[subjects]`."""
    coefficients, intercept = model
    return np.asarray(1 / (1 + np.exp(-(design @ coefficients + intercept))))


def _columns(block: Block) -> tuple[_FloatArray, _FloatArray]:
    demographics = block.datasets["adsl"]
    treated = np.isin(demographics["USUBJID"], block.usubjid)
    columns = [block.terms[name] for name in _TERMS]
    for name, values in (("COUNTRY", COUNTRIES), ("RACE", RACES)):
        columns += [demographics[name][treated] == value for value in values[1:]]
    columns.append(np.nan_to_num(demographics["WEIGHTBL"][treated], nan=80.0))
    probability = np.stack([block.probabilities[task] for task in TASKS], axis=1)
    return np.stack(columns, axis=1).astype(np.float64), probability


def run_of_sizes(
    name: str,
    description: str | None,
    trials: int,
    sizes: Iterable[int],
    measure: Callable[[int, int, int], tuple[str, Mapping[str, Sequence[object]]]],
    argv: Sequence[str] | None,
) -> int:
    """Runs a benchmark that simulates trials of several sizes.

    Args:
        name: The benchmark's module.
        description: What it measures.
        trials: Trials of each size, by default.
        sizes: Subjects of a trial, by default.
        measure: Takes subjects of a trial, number of trials and place of the size; returns the
            report of a size, and dataclasses by the name of their list in the JSON file.
        argv: Arguments; those of the process by default.

    Returns:
        0.
    """
    arguments = parser_of_sizes(name, description, trials, sizes).parse_args(argv)
    sys.stdout.write(f"{machine_line()}\n\n")
    tables: dict[str, list[dict[str, object]]] = {}
    seconds: dict[str, float] = {}
    for place, subjects in enumerate(arguments.subjects):
        start = time.perf_counter()
        text, made = measure(subjects, arguments.trials, place)
        seconds[str(subjects)] = time.perf_counter() - start
        for key, rows in made.items():
            tables.setdefault(key, []).extend(vars(row) for row in rows)
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    content = {"benchmark": name, "machine": machine(), "seconds": seconds}
    write_json(arguments.out, content | tables)
    return 0


def parser_of_sizes(
    name: str, description: str | None, trials: int, sizes: Iterable[int]
) -> argparse.ArgumentParser:
    """Arguments of a benchmark that simulates trials of several sizes.

    Args:
        name: The benchmark's module.
        description: What it measures.
        trials: Trials of each size, by default.
        sizes: Subjects of a trial, by default.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--trials", type=int, default=trials, help="trials of each size")
    parser.add_argument("--subjects", type=int, nargs="+", default=list(sizes), help="sizes")
    parser.add_argument(
        "--out", type=Path, default=Path(f"runs/benchmarks/{name}.json"), help="results as JSON"
    )
    return parser
