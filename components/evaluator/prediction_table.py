"""Predictions of the artifacts `Predictions` by subject, as the Evaluator looks them up."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.names import CHALLENGER, CHAMPION
from pipeline.results.predictions import NOT_IN_REPEAT, Predictions, join_folds, read_predictions
from pipeline.results.uncertainty import PARTS, UNCERTAINTY_FOLDER
from pipeline.sorted_rows import rows_of
from pipeline.storage import files_below

CHAMPION_OF_NEW = "champion_of_new"
"""The champion as it predicts subjects who are new since its run, beside those predicted out of
fold."""

_NO_PREDICTIONS = (
    "The evaluation of this run is out of fold, but the Evaluator got no out-of-fold predictions: "
    "expected an input `predictions`."
)


@dataclass(frozen=True, eq=False)
class PredictionTable:
    """Predictions of all models, one row for each subject.

    Attributes:
        subjects: Pseudonyms, rising; bytes `[subjects]`.
        fold: Fold of the subject in each repeat, `NOT_IN_REPEAT` where it is in none; int16
            `[subjects, repeats]`.
        score: Probabilities by task and model, float32 `[subjects, repeats]`; NaN where the model
            does not predict the subject in the repeat.
    """

    subjects: NDArray[np.bytes_]
    fold: NDArray[np.int16]
    score: Mapping[str, Mapping[str, NDArray[np.float32]]]

    @classmethod
    def of(cls, parts: Sequence[Predictions]) -> PredictionTable:
        """Joins predictions by subject and repeat.

        Raises:
            UserError: Two parts have a subject in different folds of the same repeat.
        """
        subjects, fold = join_folds(parts)
        score: dict[str, dict[str, NDArray[np.float32]]] = {}
        for part in parts:
            place = np.searchsorted(subjects, part.subjects.astype(bytes)), part.repeat
            # A run without predictions has an empty table of them.
            for model, tasks in part.of.items() if len(part.subjects) else ():
                for task, values in tasks.items():
                    of_model = np.full(fold.shape, np.nan, np.float32)
                    of_model[place] = values
                    score.setdefault(task, {})[model] = of_model
        return cls(subjects, fold, score)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of all models, in the order of the artifacts."""
        return tuple(dict.fromkeys(model for of in self.score.values() for model in of))

    def rows_of(self, hashes: Iterable[bytes]) -> NDArray[np.int64]:
        """Row of each pseudonym, -1 where the table does not have it; int64 `[pseudonyms]`."""
        return rows_of(self.subjects, np.asarray(list(hashes), dtype=bytes))


@dataclass(frozen=True)
class PredictionSource:
    """Where the predictions of a run are.

    Attributes:
        folders: Folders of the artifacts `Predictions`.
        out_of_fold: Whether the challenger's predictions are among them; otherwise its model
            predicts, and the folders have reference models only.
    """

    folders: tuple[str, ...] = ()
    out_of_fold: bool = False

    def and_from(self, folder: str | None) -> PredictionSource:
        """The source with a further folder, if there is one."""
        return self if folder is None else replace(self, folders=(*self.folders, folder))

    @classmethod
    def of(cls, out_of_fold: bool, own: str | None, references: str | None) -> PredictionSource:
        """Chooses the folders that have predictions.

        Args:
            out_of_fold: Whether the challenger is evaluated on out-of-fold predictions.
            own: Folder of its predictions; None if the run has no such artifact.
            references: Folder of the reference models' predictions; None likewise.

        Raises:
            UserError: The challenger's predictions are missing.
        """
        if out_of_fold and own is None:
            raise UserError(_NO_PREDICTIONS)
        wanted = (own if out_of_fold else None, references)
        return cls(tuple(folder for folder in wanted if folder), out_of_fold)

    def read(self) -> PredictionTable:
        """Reads the predictions, once in each process.

        Raises:
            UserError: An artifact has no predictions file.
        """
        return _read(self.folders)

    @property
    def folds(self) -> int:
        """Folds of a repeat of the challenger's predictions; 0 if its model predicts."""
        return 1 + int(self.read().fold.max(initial=NOT_IN_REPEAT)) if self.out_of_fold else 0

    @property
    def references(self) -> tuple[str, ...]:
        """Names of the reference models."""
        others = (CHALLENGER, CHAMPION, CHAMPION_OF_NEW, *PARTS)
        return tuple(model for model in self.read().models if model not in others)

    def tasks_of(self, model: str) -> tuple[str, ...]:
        """Tasks of which a model predicts any subject."""
        return tuple(
            task
            for task, of_task in self.read().score.items()
            if model in of_task and not np.isnan(of_task[model]).all()
        )


NOTHING = PredictionSource()
"""No predictions: the model predicts, and there are no reference models."""


def folder_of_uncertainty(own: str | None) -> str | None:
    """Folder with intervals and sets, if CrossFit's output, where there is one, has them."""
    folder = f"{own}/{UNCERTAINTY_FOLDER}"
    return folder if own and files_below(folder) else None


_current: ContextVar[PredictionSource] = ContextVar("_current", default=NOTHING)


@contextmanager
def predictions_from(source: PredictionSource) -> Iterator[None]:
    """Context in which the extractors look predictions up.

    TFX's Evaluator builds the extractors by name, after a reload of their module, and passes
    nothing of this project.
    """
    token = _current.set(source)
    try:
        yield
    finally:
        _current.reset(token)


def current_source() -> PredictionSource:
    """The source of the innermost context, or `NOTHING`."""
    return _current.get()


@functools.lru_cache(maxsize=1)
def _read(folders: tuple[str, ...]) -> PredictionTable:
    return PredictionTable.of([read_predictions(folder) for folder in folders])
