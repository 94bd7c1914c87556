"""Simulated trials with known probabilities, and the reference model ridge, for benchmarks.

The trials are those of `pipeline.synthetic`, without files: the arm, the terms that the outcomes
depend on and columns that they do not depend on. Subjects are dealt, and the reference model is
fitted, as in a run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import machine, machine_line, write_json
from pipeline.results.reference_models import RIDGE
from pipeline.synthetic.simulate import Block, simulate
from pipeline.synthetic.trial import COUNTRIES, RACES, TASKS, SyntheticTrial
from trainer.arrays import Arrays, concatenate
from trainer.model import Encoding
from trainer.reference import fit_predict

_ARM = "active"
_TERMS = (
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
        numbers: Columns, float64 `[subjects, 18]`.
        arm: 1 in the active arm, 0 in the control; int32 `[subjects]`.
        probability: True probabilities of the outcomes, float64 `[subjects, tasks]`.
        outcome: Drawn outcomes, bool `[subjects, tasks]`.
    """

    numbers: _FloatArray
    arm: NDArray[np.int32]
    probability: _FloatArray
    outcome: NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of subjects."""
        return len(self.numbers)

    def take(self, rows: slice | NDArray[Any]) -> Subjects:
        """Some of the subjects, by position or by mask."""
        return Subjects(
            self.numbers[rows], self.arm[rows], self.probability[rows], self.outcome[rows]
        )

    @property
    def encoding(self) -> Encoding:
        """Shape of `transform`: the numbers, and the arm as the only category."""
        return Encoding(self.numbers.shape[1], 1, 2, tuple(TASKS), (0, 1))


def transform(subjects: Subjects, described: Subjects, weight: _FloatArray | None = None) -> Arrays:
    """Subjects as Transform leaves them.

    Args:
        subjects: The subjects.
        described: Those whose means and deviations are used.
        weight: Of the subjects' labels, 0 where unknown, `[subjects, tasks]`; 1 by default.
    """
    mean, deviation = described.numbers.mean(axis=0), described.numbers.std(axis=0)
    deviation[deviation == 0] = 1.0
    return Arrays(
        ((subjects.numbers - mean) / deviation).astype(np.float32),
        subjects.arm[:, None],
        subjects.outcome.astype(np.float32),
        (np.ones(subjects.outcome.shape) if weight is None else weight).astype(np.float32),
    )


def deal(
    trial: Subjects,
    folds: int,
    repeats: int,
    rng: np.random.Generator,
    weight: _FloatArray | None = None,
) -> NDArray[np.int64]:
    """Deals the subjects to folds within arm and rarest outcome, as a run does.

    Args:
        trial: The subjects.
        folds: Number of folds.
        repeats: Number of repeats.
        rng: Orders the subjects.
        weight: Of the labels, 0 where unknown, `[subjects, tasks]`; None where all are known.

    Returns:
        int64 `[subjects, repeats]`.
    """
    events = trial.outcome if weight is None else trial.outcome & (weight > 0)
    stratum = 2 * trial.arm + events[:, np.argmin(events.sum(axis=0))]
    dealt = np.empty((len(trial), repeats), np.int64)
    for repeat in range(repeats):
        order = rng.permutation(len(trial))
        order = order[np.argsort(stratum[order], kind="stable")]
        dealt[order, repeat] = np.arange(len(trial)) % folds
    return dealt


def predict_by_ridge(
    train: Subjects, *predicted: Subjects, weight: _FloatArray | None = None
) -> list[NDArray[np.float32]]:
    """Fits the reference model ridge to subjects, and predicts others.

    Args:
        train: Subjects to fit to.
        predicted: Groups of subjects to predict.
        weight: Of the labels of `train`, 0 where unknown, `[subjects, tasks]`; 1 by default.

    Returns:
        Probabilities of each group, float32 `[subjects, tasks]`.
    """
    others = concatenate([transform(group, train) for group in predicted])
    found = fit_predict(RIDGE, transform(train, train, weight), others, train.encoding, seed=0)
    return np.split(found, np.cumsum([len(group) for group in predicted])[:-1])


def simulate_subjects(number: int, seed: int) -> Subjects:
    """Simulates subjects; equal arguments give equal ones."""
    blocks = int(np.ceil(number / (_PER_BLOCK * _KEPT)))
    trial = SyntheticTrial(blocks * _PER_BLOCK, seed=seed, sites=20)
    parts = [_columns(simulate(trial, block)) for block in range(blocks)]
    numbers, arm, probability = (np.concatenate(part)[:number] for part in zip(*parts, strict=True))
    drawn = np.random.default_rng(seed).random(probability.shape)
    return Subjects(numbers, arm, probability, drawn < probability)


def simulate_trials(trials: int, subjects: int, seed: int) -> Iterator[Subjects]:
    """Simulates trials of a size, a hundred at a time."""
    at_once = 100
    for first in range(0, trials, at_once):
        number = min(at_once, trials - first)
        pool = simulate_subjects(number * subjects, seed + first // at_once)
        for trial in range(number):
            yield pool.take(slice(trial * subjects, (trial + 1) * subjects))


def _columns(block: Block) -> tuple[_FloatArray, NDArray[np.int32], _FloatArray]:
    demographics = block.datasets["adsl"]
    treated = np.isin(demographics["USUBJID"], block.usubjid)
    columns = [block.terms[name] for name in _TERMS]
    for name, values in (("COUNTRY", COUNTRIES), ("RACE", RACES)):
        columns += [demographics[name][treated] == value for value in values[1:]]
    columns.append(np.nan_to_num(demographics["WEIGHTBL"][treated], nan=80.0))
    probability = np.stack([block.probabilities[task] for task in TASKS], axis=1)
    arm = np.asarray(block.terms[_ARM] > 0, np.int32)
    return np.stack(columns, axis=1).astype(np.float64), arm, probability


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
