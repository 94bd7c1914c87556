"""Which subjects each model is trained on: procedures, their inner parts and their models.

A procedure divides its subjects into four inner parts and has four models, each trained on three of
them and checked on the fourth. With five folds, the procedure that predicts one fold has the other
four as its inner parts, so that the model trained without two folds serves the procedures of both:
ten models a repeat instead of twenty.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.arrays import Arrays

INNER_PARTS = 4
"""Inner parts of a procedure, and models in it."""

_EVERYONE = 1_000
"""Number, in the seeds of models, of the fold that leaves no subject out."""


@dataclasses.dataclass(frozen=True)
class Part:
    """A model of a procedure, and the subjects that it is checked on.

    Attributes:
        model: Its position in the stack.
        rows: The inner part that it was not trained on: positions of subjects, int `[rows]`.
    """

    model: int
    rows: NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Procedure:
    """What is fitted on some subjects to predict others.

    Attributes:
        trained: Subjects whose labels it reads: bool `[subjects]`.
        predicted: Subjects that it predicts: bool `[subjects]`; none of them is in `trained`.
        repeat: Repeat of the folds.
        parts: Its models.
    """

    trained: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    repeat: int
    parts: tuple[Part, ...]


@dataclasses.dataclass(frozen=True)
class Plan:
    """All models to be trained, and the procedures that they make up.

    Attributes:
        trained: Training rows of each model.
        seeds: Seed of each model.
        procedures: The procedures.
    """

    trained: tuple[NDArray[np.int64], ...]
    seeds: tuple[tuple[int, ...], ...]
    procedures: tuple[Procedure, ...]


def plan_models(folds: NDArray[Any], arrays: Arrays, seed: int) -> Plan:
    """Decides which subjects each model is trained on.

    Args:
        folds: Fold of each subject in each repeat, int `[subjects, repeats]`.
        arrays: All subjects; inner parts that are not folds are alike in the rarest outcome.
        seed: Seeds the models and the inner parts.

    Returns:
        The plan.
    """
    plan = _Planner(seed, arrays)
    for repeat in range(folds.shape[1]):
        fold = folds[:, repeat]
        numbers = np.unique(fold)
        if len(numbers) == INNER_PARTS + 1:
            plan.add_pairs(fold, numbers, repeat)
        else:
            for number in numbers:
                plan.add(fold != number, fold == number, repeat, int(number))
    return plan.plan()


def plan_everyone(arrays: Arrays, seed: int) -> Plan:
    """The procedure on all subjects, which predicts none of them."""
    planner = _Planner(seed, arrays)
    everyone = np.ones(len(arrays), bool)
    planner.add(everyone, ~everyone, repeat=0, number=_EVERYONE)
    return planner.plan()


class _Planner:
    def __init__(self, seed: int, arrays: Arrays) -> None:
        self._seed, self._arrays = seed, arrays
        self._trained: list[NDArray[np.int64]] = []
        self._seeds: list[tuple[int, ...]] = []
        self._procedures: list[Procedure] = []

    def add_pairs(self, fold: NDArray[Any], numbers: NDArray[Any], repeat: int) -> None:
        """One model for each pair of folds that it leaves out."""
        models = {
            pair: self._add_model(~np.isin(fold, pair), (repeat, *map(int, pair)))
            for pair in itertools.combinations(numbers.tolist(), 2)
        }
        for number in numbers.tolist():
            parts = tuple(
                Part(models[min(number, other), max(number, other)], np.flatnonzero(fold == other))
                for other in numbers.tolist()
                if other != number
            )
            self._procedures.append(Procedure(fold != number, fold == number, repeat, parts))

    def add(
        self, trained: NDArray[np.bool_], predicted: NDArray[np.bool_], repeat: int, number: int
    ) -> None:
        """A procedure with inner parts of its own."""
        inner = deal_parts(trained, self._arrays, (self._seed, repeat, number))
        parts = tuple(
            Part(
                self._add_model(trained & (inner != part), (repeat, number, part)),
                np.flatnonzero(inner == part),
            )
            for part in range(INNER_PARTS)
        )
        self._procedures.append(Procedure(trained, predicted, repeat, parts))

    def _add_model(self, trained: NDArray[np.bool_], key: tuple[int, ...]) -> int:
        self._trained.append(np.flatnonzero(trained))
        self._seeds.append((self._seed, *key))
        return len(self._trained) - 1

    def plan(self) -> Plan:
        return Plan(tuple(self._trained), tuple(self._seeds), tuple(self._procedures))


def deal_parts(
    trained: NDArray[np.bool_], arrays: Arrays, seed: Sequence[int]
) -> NDArray[np.int64]:
    """Deals the subjects of a procedure out in turn, those with the rarest outcome apart.

    Args:
        trained: Subjects of the procedure, bool `[subjects]`.
        arrays: All subjects; only the labels of `trained` are read.
        seed: Seeds the order.

    Returns:
        Inner part of each subject, -1 outside the procedure: int `[subjects]`.
    """
    rows = np.flatnonzero(trained)
    strata = _rarest_outcome(arrays.take(rows))
    shuffled = np.random.default_rng(seed).permutation(len(rows))
    order = shuffled[np.argsort(strata[shuffled], kind="stable")]
    parts = np.full(len(trained), -1)
    parts[rows[order]] = np.arange(len(order)) % INNER_PARTS
    return parts


def _rarest_outcome(arrays: Arrays) -> NDArray[np.int64]:
    """0 (unknown), 1 (without) or 2 (with) by the task with the fewest labels of one kind."""
    known = arrays.weights > 0
    events = np.sum(known & (arrays.labels > 0), axis=0)
    task = int(np.argmin(np.minimum(events, known.sum(axis=0) - events)))
    return np.where(known[:, task], 1 + (arrays.labels[:, task] > 0), 0)
