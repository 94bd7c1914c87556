"""Trains the procedures of a plan: choice of the epoch and calibration inside their subjects.

The epoch of a procedure (see `trainer.procedures`) is chosen, and its calibration fitted, on the
predictions that each of its models makes for the inner part that it was not trained on; together
these are all subjects of the procedure. Its logit is the mean of its models' logits, calibrated.
All models of all repeats are trained as one `trainer.stack.Stack`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.arms import arms_of
from trainer.arrays import Arrays
from trainer.calibration import Calibration, fit_calibration
from trainer.entropy import entropy, mean_losses, task_balance
from trainer.fit import MIN_IMPROVEMENT, Progress
from trainer.linear import choose_penalties, fit_linear
from trainer.model import Encoding, Hyperparameters
from trainer.procedures import INNER_PARTS, Plan, Procedure
from trainer.stack import Member, Stack, StackTrainer

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 10_000.0)
"""Multiples of the hyperparameter `penalty` among which each model chooses on its own subjects:
few subjects need a larger one, and the largest leaves the arms alone."""


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

    def __init__(
        self, procedure: Procedure, arrays: Arrays, encoding: Encoding, hyper: Hyperparameters
    ) -> None:
        self.procedure = procedure
        self._patience = hyper.patience
        rows = np.concatenate([part.rows for part in procedure.parts])
        self._labels, self._weights = arrays.labels[rows], arrays.weights[rows]
        self._arms = arms_of(arrays.categories, encoding.arms)
        self._inner_arms, self._n_arms = self._arms[rows], len(encoding.arms)
        self._entropy = entropy(self._labels, self._weights)
        self._losses: list[NDArray[np.float64]] = []
        self._scores: list[float] = []
        self._best = 0
        self._inner: NDArray[Any] = np.zeros(0)
        self._everyone: NDArray[Any] = np.zeros(0)

    @property
    def stopped(self) -> bool:
        """Whether no later epoch can be chosen."""
        return len(self._scores) - 1 - self._best >= self._patience

    @property
    def best_score(self) -> float:
        """Score of the best epoch until now."""
        return self._scores[self._best]

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
        losses = mean_losses(inner, self._labels, self._weights)
        self._losses.append(losses)
        self._scores.append(float(np.mean(losses / self._entropy)))
        epoch = len(self._scores) - 1
        if epoch and self._scores[epoch] >= self._scores[self._best] - MIN_IMPROVEMENT:
            return False
        self._best, self._inner = epoch, inner
        self._everyone = np.mean([logits[part.model] for part in parts], axis=0, dtype=np.float64)
        return True

    def chosen(self) -> Chosen:
        """The choice, with the calibration."""
        return Chosen(
            epoch=self._best,
            epochs=len(self._scores) - 1,
            losses=np.stack(self._losses),
            score=self._scores[self._best],
            calibration=self.calibration,
        )

    @property
    def calibration(self) -> Calibration:
        """Fitted on the predictions for the inner parts."""
        return fit_calibration(
            self._inner, self._labels, self._weights, self._inner_arms, self._n_arms
        )

    def logits(self) -> NDArray[np.float64]:
        """Calibrated logits of all subjects, float64 `[subjects, tasks]`."""
        return self.calibration(self._everyone, self._arms)


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained stack.

    Attributes:
        courses: What each procedure saw, in the order of the plan.
        stack: The models; of the best epoch if there is one procedure, otherwise of the last one.
        steps_per_epoch: Steps of each model in an epoch.
    """

    courses: tuple[Course, ...]
    stack: Stack
    steps_per_epoch: int


def train_stack(
    plan: Plan,
    arrays: Arrays,
    encoding: Encoding,
    hyperparameters: Hyperparameters,
    seed: int,
    steps: int | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Trains all models of a plan until no procedure can choose a later epoch.

    Args:
        plan: The models, and the procedures that they make up.
        arrays: All subjects.
        encoding: Their shape.
        hyperparameters: Hyperparameters of model and training; each model of a procedure has its
            share of `members`.
        seed: Seeds the dropout.
        steps: If given, as many epochs as have so many steps, instead of early stopping.
        progress: Called after every epoch.

    Returns:
        The trained models.
    """
    members = [
        _member(rows, model_seed, arrays, encoding, hyperparameters)
        for rows, model_seed in zip(plan.trained, plan.seeds, strict=True)
    ]
    per_epoch = max(min(map(len, plan.trained)) // hyperparameters.batch_size, 1)
    hyper = _without_stopping(hyperparameters, steps, per_epoch) if steps else hyperparameters
    share = -(-hyper.members // INNER_PARTS)
    stack = Stack(encoding, dataclasses.replace(hyper, members=share), members, arrays.categories)
    trainer = StackTrainer(stack, members, arrays, per_epoch, seed)
    courses = tuple(Course(procedure, arrays, encoding, hyper) for procedure in plan.procedures)
    best = stack.values()
    for epoch in range(hyper.max_epochs + 1):
        if epoch:
            trainer.run_epoch()
        logits = trainer.logits()
        improved = [course.look(logits) for course in courses]
        if len(courses) == 1 and improved[0]:
            best = stack.values()
        if progress and epoch:
            score = np.mean([course.best_score for course in courses])
            progress(epoch, hyper.max_epochs, f"eval loss {score:.4f}")
        if all(course.stopped for course in courses):
            break
    if len(courses) == 1:
        stack.assign(best)
    return Trained(courses, stack, per_epoch)


def _without_stopping(hyper: Hyperparameters, steps: int, per_epoch: int) -> Hyperparameters:
    epochs = -(-steps // per_epoch)
    return dataclasses.replace(hyper, max_epochs=epochs, patience=epochs + 1)


def _member(
    rows: NDArray[np.int64],
    seed: tuple[int, ...],
    arrays: Arrays,
    encoding: Encoding,
    hyper: Hyperparameters,
) -> Member:
    own = arrays.take(rows)
    penalties = choose_penalties(own, encoding, [hyper.penalty * more for more in PENALTIES])
    balance = task_balance(own.labels, own.weights)
    return Member(rows, seed, fit_linear(own, encoding, penalties), balance)
