"""Predictions of the reference models: out of fold, or of a test split."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.names import BASE_RATE
from pipeline.results.reference_models import (
    GRADIENT_BOOSTING,
    RANDOM_FOREST,
    TITLES,
    ReferenceModel,
)
from trainer.arrays import Arrays
from trainer.fit import Progress
from trainer.model import Encoding
from trainer.reference import BaseRates, fit_predict

MOST_SUBJECTS = 20_000
"""Subjects at most that a reference model is trained on: those with the smallest pseudonyms, which
are random. The base rates are of all subjects."""

FEW_REPEATS = 2
"""Repeats of the folds that forest and boosting predict."""


@dataclass(frozen=True)
class ReferenceSubjects:
    """Subjects as reference models read them.

    Attributes:
        arrays: Features and labels; without features where only base rates are asked for.
        arms: Arm of each subject, bytes `[subjects]`; empty where unknown.
        pseudonyms: bytes `[subjects]`.
    """

    arrays: Arrays
    arms: NDArray[np.object_]
    pseudonyms: NDArray[np.object_]

    def take(self, rows: NDArray[Any]) -> ReferenceSubjects:
        """The subjects at these positions."""
        return ReferenceSubjects(self.arrays.take(rows), self.arms[rows], self.pseudonyms[rows])

    def sample(self) -> ReferenceSubjects:
        """At most `MOST_SUBJECTS`, in the order of their pseudonyms."""
        order = np.argsort(self.pseudonyms.astype(bytes), kind="stable")[:MOST_SUBJECTS]
        return self.take(order)


@dataclass(frozen=True)
class Found:
    """What one model predicts.

    Attributes:
        probabilities: float32 `[subjects, repeats, tasks]`; NaN in repeats that it does not
            predict.
        record: How it was fitted.
    """

    probabilities: NDArray[np.float32]
    record: ReferenceModel


def predict_out_of_fold(
    subjects: ReferenceSubjects,
    folds: NDArray[Any],
    encoding: Encoding,
    names: Sequence[str],
    seed: int,
    progress: Progress | None = None,
) -> dict[str, Found]:
    """Predicts every subject by reference models that never saw it.

    Args:
        subjects: All subjects; their order does not matter.
        folds: Fold of each subject in each repeat, int `[subjects, repeats]`.
        encoding: Shape of the subjects.
        names: Models, `base_rate` too.
        seed: Seeds the models.
        progress: Called after every model and repeat.

    Returns:
        By name, in the order of display; probabilities in the order of `subjects`.
    """
    repeats = {name: _repeats(name, folds.shape[1]) for name in _in_order(names)}
    total, done = sum(repeats.values()), 0
    found = {}
    for name, count in repeats.items():
        started, most = time.monotonic(), 0
        probabilities = np.full((*folds.shape, len(encoding.tasks)), np.nan, np.float32)
        for repeat in range(count):
            for fold in np.unique(folds[:, repeat]):
                outside = folds[:, repeat] == fold
                fit = _fit(name, subjects.take(~outside), encoding, seed + int(fold))
                probabilities[outside, repeat] = fit.predict(subjects.take(outside))
                most = max(most, fit.subjects)
            done += 1
            if progress:
                progress(done, total, name)
        seconds = time.monotonic() - started
        record = ReferenceModel(repeats=count, most_subjects=most, seconds=round(seconds, 1))
        found[name] = Found(probabilities, record)
    return found


def predict_split(
    train: ReferenceSubjects,
    test: ReferenceSubjects,
    encoding: Encoding,
    names: Sequence[str],
    seed: int,
    progress: Progress | None = None,
) -> dict[str, Found]:
    """Predicts a test split by reference models trained on other subjects.

    Args:
        train: Subjects to train on; their order does not matter.
        test: Subjects to predict.
        encoding: Shape of both.
        names: Models, `base_rate` too.
        seed: Seeds the models.
        progress: Called after every model.

    Returns:
        By name, in the order of display; probabilities with one repeat.
    """
    wanted = _in_order(names)
    found = {}
    for done, name in enumerate(wanted, start=1):
        started = time.monotonic()
        fit = _fit(name, train, encoding, seed)
        probabilities = fit.predict(test)[:, np.newaxis]
        seconds = round(time.monotonic() - started, 1)
        record = ReferenceModel(repeats=0, most_subjects=fit.subjects, seconds=seconds)
        found[name] = Found(probabilities, record)
        if progress:
            progress(done, len(wanted), name)
    return found


def _in_order(names: Sequence[str]) -> list[str]:
    return [name for name in TITLES if name in names]


def _repeats(name: str, repeats: int) -> int:
    return min(repeats, FEW_REPEATS) if name in (RANDOM_FOREST, GRADIENT_BOOSTING) else repeats


@dataclass(frozen=True)
class _Fit:
    """A fitted model: whom it was trained on, and what it predicts."""

    subjects: int
    predict: Callable[[ReferenceSubjects], NDArray[np.float32]]


def _fit(name: str, train: ReferenceSubjects, encoding: Encoding, seed: int) -> _Fit:
    if name == BASE_RATE:
        rates = BaseRates.of(train.arrays, train.arms)
        return _Fit(len(train.arrays), lambda subjects: rates.predict(subjects.arms))
    sample = train.sample()
    return _Fit(
        len(sample.arrays),
        lambda subjects: fit_predict(name, sample.arrays, subjects.arrays, encoding, seed),
    )
