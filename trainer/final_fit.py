"""The model that is served under an out-of-fold scheme: the procedure on all subjects."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from trainer.arrays import Arrays
from trainer.courses import train_stack
from trainer.fit import Fitted, History, Progress, fit, mean_logits
from trainer.model import Encoding, Hyperparameters
from trainer.procedures import deal_parts, plan_everyone
from trainer.search_space import progress_of_sets

STACKED_SUBJECTS = 5_000
"""Up to so many subjects a procedure has four models that are trained side by side; with more, it
is one `trainer.fit`, with a quarter of the subjects for early stopping and calibration."""


def fit_on_all(
    arrays: Arrays,
    encoding: Encoding,
    hyperparameters: Hyperparameters,
    seed: int,
    steps: int | None = None,
    progress: Progress | None = None,
    others: Sequence[Hyperparameters] = (),
) -> Fitted:
    """Trains and calibrates on all subjects, without a split for evaluation.

    Args:
        arrays: All subjects; their order does not matter.
        encoding: Their shape.
        hyperparameters: Hyperparameters of model and training.
        seed: Seeds everything that is random.
        steps: If given, this many steps instead of early stopping.
        progress: Called after every epoch.
        others: Further hyperparameters; those are chosen whose models have the lowest loss on the
            inner parts, the earlier ones of two that are equal.

    Returns:
        The calibrated model.
    """
    subjects = arrays.take(arrays.order())
    sets = (hyperparameters, *others)
    fits = (
        _fit(subjects, encoding, hyper, seed, steps, report)
        for hyper, report in zip(sets, progress_of_sets(progress, len(sets)), strict=True)
    )
    return min(fits, key=lambda fitted: fitted.history.score)


def _fit(
    subjects: Arrays,
    encoding: Encoding,
    hyperparameters: Hyperparameters,
    seed: int,
    steps: int | None,
    progress: Progress | None,
) -> Fitted:
    if len(subjects) <= STACKED_SUBJECTS:
        return _fit_stack(subjects, encoding, hyperparameters, seed, steps, progress)
    inner = deal_parts(np.ones(len(subjects), bool), subjects, (seed,)) == 0
    train, evaluation = subjects.take(~inner), subjects.take(inner)
    return fit(train, evaluation, encoding, hyperparameters, seed, steps, progress)


def _fit_stack(
    arrays: Arrays,
    encoding: Encoding,
    hyper: Hyperparameters,
    seed: int,
    steps: int | None,
    progress: Progress | None,
) -> Fitted:
    started = time.monotonic()
    plan = plan_everyone(arrays, seed)
    trained = train_stack(plan, arrays, encoding, hyper, seed, steps, progress)
    [course] = trained.courses
    chosen = course.chosen()
    trained.stack.add_to_arms(chosen.calibration.arm_logits)
    history = History(
        steps=chosen.epochs * trained.steps_per_epoch,
        epochs=chosen.epochs,
        best_epoch=chosen.epoch,
        score=chosen.score,
        eval_loss={
            task: tuple(chosen.losses[:, column].tolist())
            for column, task in enumerate(encoding.tasks)
        },
        seconds=time.monotonic() - started,
    )
    calibration = chosen.calibration.without_arms()
    return Fitted(trained.stack, calibration, encoding, hyper, history, mean_logits(trained.stack))
