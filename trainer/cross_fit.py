"""Out-of-fold predictions: every subject is predicted by models that never saw it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.arrays import Arrays
from trainer.courses import train_stack
from trainer.endpoint.arrays import probabilities
from trainer.final_fit import STACKED_SUBJECTS, fit_on_all
from trainer.fit import Progress
from trainer.model import Encoding, Hyperparameters
from trainer.procedures import plan_models
from trainer.search_space import progress_of_sets


@dataclasses.dataclass(frozen=True)
class OutOfFold:
    """Predictions of cross-fitting.

    Attributes:
        probabilities: Out-of-fold probabilities, float32 `[subjects, repeats, tasks]`.
        logits: Calibrated logits of every fold's procedure for all subjects, those that it was
            trained on too: float32 `[procedures, subjects, tasks]`.
        trained: Subjects that each procedure was trained on, bool `[procedures, subjects]`.
        chosen: Number of the hyperparameters that each procedure chose, int `[procedures]`.
    """

    probabilities: NDArray[np.float32]
    logits: NDArray[np.float32]
    trained: NDArray[np.bool_]
    chosen: NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class _Result:
    """One procedure.

    Attributes:
        repeat: Its repeat.
        trained: Whom it was trained on.
        logits: Its logits for all subjects.
        chosen: Number of its hyperparameters.
        score: Their loss on its inner parts, relative to that of the base rate.
    """

    repeat: int
    trained: NDArray[np.bool_]
    logits: NDArray[np.float64]
    chosen: int
    score: float


def cross_fit(
    arrays: Arrays,
    folds: NDArray[Any],
    encoding: Encoding,
    hyperparameters: Hyperparameters,
    seed: int,
    steps: int | None = None,
    progress: Progress | None = None,
    others: Sequence[Hyperparameters] = (),
) -> OutOfFold:
    """Predicts every subject by models that never saw it.

    Early stopping, choice of the epoch and of the hyperparameters, penalties and calibration use
    the labels of a fold's training subjects only. Up to `STACKED_SUBJECTS` subjects all models are
    trained side by side, with more one fold after the other.

    Args:
        arrays: All subjects; their order does not matter.
        folds: Fold of each subject in each repeat, int `[subjects, repeats]`.
        encoding: Shape of the subjects.
        hyperparameters: Hyperparameters of model and training.
        seed: Seeds weights, order of the subjects, dropout and inner parts.
        steps: If given, this many steps instead of early stopping.
        progress: Called after every epoch, or after every fold.
        others: Further hyperparameters: every procedure takes those, numbered from 0 for
            `hyperparameters`, whose models have the lowest loss on its own inner parts.

    Returns:
        The predictions, in the order of `arrays`.
    """
    order = arrays.order(folds)
    subjects, dealt = arrays.take(order), folds[order]
    train = _together if len(arrays) <= STACKED_SUBJECTS else _one_by_one
    sets = (hyperparameters, *others)
    results = list(train(subjects, dealt, encoding, sets, seed, steps, progress))
    found = np.full((*folds.shape, len(encoding.tasks)), np.nan, np.float32)
    for result in results:
        predicted = ~result.trained
        found[order[predicted], result.repeat] = probabilities(result.logits[predicted])
    back = np.argsort(order)
    return OutOfFold(
        found,
        np.stack([result.logits.astype(np.float32)[back] for result in results]),
        np.stack([result.trained[back] for result in results]),
        np.array([result.chosen for result in results]),
    )


def _together(
    arrays: Arrays,
    folds: NDArray[Any],
    encoding: Encoding,
    sets: Sequence[Hyperparameters],
    seed: int,
    steps: int | None,
    progress: Progress | None,
) -> Iterator[_Result]:
    plan = plan_models(folds, arrays, seed)
    reports = progress_of_sets(progress, len(sets))
    best: dict[int, _Result] = {}
    for number, (hyper, report) in enumerate(zip(sets, reports, strict=True)):
        trained = train_stack(plan, arrays, encoding, hyper, seed, steps, report)
        for place, course in enumerate(trained.courses):
            # The score is of the procedure's inner parts: none of them is in the fold that it
            # predicts, and no model was trained on the part that it is checked on.
            score = course.best_score
            if place not in best or score < best[place].score:
                own = course.procedure
                best[place] = _Result(own.repeat, own.trained, course.logits(), number, score)
    yield from best.values()


def _one_by_one(
    arrays: Arrays,
    folds: NDArray[Any],
    encoding: Encoding,
    sets: Sequence[Hyperparameters],
    seed: int,
    steps: int | None,
    progress: Progress | None,
) -> Iterator[_Result]:
    every = [
        (repeat, fold) for repeat in range(folds.shape[1]) for fold in np.unique(folds[:, repeat])
    ]
    for done, (repeat, fold) in enumerate(every, start=1):
        trained = folds[:, repeat] != fold
        first, *others = sets
        fitted = fit_on_all(arrays.take(trained), encoding, first, seed, steps, others=others)
        chosen = sets.index(fitted.hyperparameters)
        logits = fitted.calibrated_logits(arrays)
        yield _Result(repeat, trained, logits, chosen, fitted.history.score)
        if progress:
            progress(done, len(every), "folds")
