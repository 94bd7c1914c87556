"""Out-of-fold predictions: every subject is predicted by models that never saw it.

The epoch of a procedure (see `trainer.procedures`) is chosen, and its calibration fitted, on the
predictions that each of its models makes for the inner part that it was not trained on; together
these are all subjects of the procedure. Its logit is the mean of its models' logits, calibrated.
All models of all repeats are trained as one `trainer.stack.Stack`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.arrays import Arrays
from trainer.calibration import Calibration, fit_calibration
from trainer.linear import choose_penalties, fit_linear
from trainer.model import Encoding, Hyperparameters
from trainer.procedures import INNER_PARTS, Plan, Procedure, plan_models
from trainer.stack import Member, Stack, StackTrainer

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Multiples of the hyperparameter `penalty` among which each model chooses on its own subjects:
few subjects need a larger one."""

_MIN_ENTROPY = 0.01
_MIN_IMPROVEMENT = 1e-5


@dataclasses.dataclass(frozen=True)
class Chosen:
    """What a procedure chose on the inner parts of its subjects.

    Attributes:
        epoch: Epoch of its models' weights.
        epochs: Epochs after which it stopped.
        losses: Mean cross-entropy in nats on the inner parts by epoch: float64 `[epochs, tasks]`.
        score: Of the chosen epoch, the mean over tasks of the loss relative to the base rate's.
        calibration: Calibration of the mean logit.
    """

    epoch: int
    epochs: int
    losses: NDArray[np.float64]
    score: float
    calibration: Calibration


class Course:
    """Chooses the epoch of one procedure while the stack is trained."""

    def __init__(self, procedure: Procedure, arrays: Arrays, hyper: Hyperparameters) -> None:
        self.procedure = procedure
        self._patience = hyper.patience
        rows = np.concatenate([part.rows for part in procedure.parts])
        self._labels, self._weights = arrays.labels[rows], arrays.weights[rows]
        self._entropy = entropy(self._labels, self._weights)
        self._losses: list[NDArray[np.float64]] = []
        self._scores: list[float] = []
        self._best = 0
        self._inner: NDArray[Any] = np.zeros(0)
        self.outer: NDArray[Any] = np.zeros(0)
        self.everyone: NDArray[Any] = np.zeros(0)

    @property
    def stopped(self) -> bool:
        """Whether no later epoch can be chosen."""
        return len(self._scores) - 1 - self._best >= self._patience

    def look(self, logits: NDArray[np.float32]) -> bool:
        """Reads the logits `[models, subjects, tasks]` of an epoch.

        Returns:
            Whether it is the best epoch until now.
        """
        if self.stopped:
            return False
        parts = self.procedure.parts
        inner = np.concatenate([logits[part.model, part.rows] for part in parts])
        inner = inner.astype(np.float64)
        losses = _losses(inner, self._labels, self._weights)
        self._losses.append(losses)
        self._scores.append(float(np.mean(losses / self._entropy)))
        epoch = len(self._scores) - 1
        if epoch and self._scores[epoch] >= self._scores[self._best] - _MIN_IMPROVEMENT:
            return False
        self._best, self._inner = epoch, inner
        self.everyone = np.mean([logits[part.model] for part in parts], axis=0, dtype=np.float64)
        return True

    def chosen(self) -> Chosen:
        """The choice, with the calibration."""
        return Chosen(
            epoch=self._best,
            epochs=len(self._scores) - 1,
            losses=np.stack(self._losses),
            score=self._scores[self._best],
            calibration=fit_calibration(self._inner, self._labels, self._weights),
        )


def entropy(labels: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """Cross-entropy in nats of predicting the base rate, float64 `[tasks]`."""
    known = np.maximum(weights.sum(axis=0, dtype=np.float64), 1.0)
    rate = np.sum(labels * weights, axis=0, dtype=np.float64) / known
    rate = np.clip(rate, 1e-6, 1.0 - 1e-6)
    return np.maximum(-(rate * np.log(rate) + (1 - rate) * np.log1p(-rate)), _MIN_ENTROPY)


def _losses(
    logits: NDArray[np.float64], labels: NDArray[Any], weights: NDArray[Any]
) -> NDArray[np.float64]:
    sums = np.sum(weights * (np.logaddexp(0.0, logits) - labels * logits), axis=0)
    return np.asarray(sums / np.maximum(weights.sum(axis=0), 1.0))


@dataclasses.dataclass(frozen=True)
class OutOfFold:
    """Predictions of cross-fitting.

    Attributes:
        probabilities: Out-of-fold probabilities, float32 `[subjects, repeats, tasks]`.
        chosen: What each procedure chose.
    """

    probabilities: NDArray[np.float32]
    chosen: tuple[Chosen, ...]


def cross_fit(
    arrays: Arrays,
    folds: NDArray[Any],
    encoding: Encoding,
    hyperparameters: Hyperparameters,
    seed: int,
) -> OutOfFold:
    """Predicts every subject by models that never saw it.

    Args:
        arrays: All subjects.
        folds: Fold of each subject in each repeat, int `[subjects, repeats]`.
        encoding: Shape of the subjects.
        hyperparameters: Hyperparameters of model and training; each model of a procedure has its
            share of `members`.
        seed: Seeds weights, order of the subjects, dropout and inner parts.

    Returns:
        The predictions.
    """
    plan = plan_models(folds, arrays, seed)
    courses = train_stack(plan, arrays, encoding, hyperparameters, seed)
    found = np.full((len(arrays), folds.shape[1], len(encoding.tasks)), np.nan, np.float32)
    chosen = []
    for course in courses:
        chosen.append(course.chosen())
        rows = course.procedure.predicted
        logits = chosen[-1].calibration(course.everyone[rows])
        found[rows, course.procedure.repeat] = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return OutOfFold(found, tuple(chosen))


def train_stack(
    plan: Plan, arrays: Arrays, encoding: Encoding, hyper: Hyperparameters, seed: int
) -> tuple[Course, ...]:
    """Trains all models of a plan until no procedure can choose a later epoch."""
    members = [
        _member(rows, model_seed, arrays, encoding, hyper)
        for rows, model_seed in zip(plan.trained, plan.seeds, strict=True)
    ]
    shared = dataclasses.replace(hyper, members=-(-hyper.members // INNER_PARTS))
    stack = Stack(encoding, shared, members, arrays.categories)
    steps = steps_per_epoch(plan.trained, hyper.batch_size)
    trainer = StackTrainer(stack, members, arrays, steps, seed)
    courses = tuple(Course(procedure, arrays, hyper) for procedure in plan.procedures)
    for epoch in range(hyper.max_epochs + 1):
        if epoch:
            trainer.run_epoch()
        logits = trainer.logits()
        for course in courses:
            course.look(logits)
        if all(course.stopped for course in courses):
            break
    return courses


def steps_per_epoch(trained: Sequence[NDArray[Any]], batch_size: int) -> int:
    """Steps in which the smallest model goes through its subjects once."""
    return max(min(map(len, trained)) // batch_size, 1)


def _member(
    rows: NDArray[np.int64],
    seed: tuple[int, ...],
    arrays: Arrays,
    encoding: Encoding,
    hyper: Hyperparameters,
) -> Member:
    own = arrays.take(rows)
    known = np.maximum(own.weights.mean(axis=0), 1.0 / len(own))
    balance = 1.0 / (entropy(own.labels, own.weights) * known)
    penalties = choose_penalties(own, encoding, [hyper.penalty * more for more in PENALTIES])
    return Member(rows, seed, fit_linear(own, encoding, penalties), balance)
