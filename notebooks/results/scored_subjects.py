"""The evaluated subjects of a run: features, labels, slices and predictions.

They are those of the test split or, out of fold, all subjects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from notebooks.results.feature_sources import Source, feature_sources
from notebooks.results.served_model import MixedSubjects, SavedModel, unmixed
from pipeline.errors import UserError
from pipeline.names import ARM, SUBJECT_HASH, label_key, slice_key, weight_key
from pipeline.reading.examples import Categories, ExampleColumns, examples_at, read_columns
from pipeline.results.predictions import read_predictions
from pipeline.study.features import feature_columns
from pipeline.study.study import Study

CHALLENGER = "challenger"
"""Name of the run's own model in the table of predictions."""


@dataclass(frozen=True)
class ScoredSubjects:
    """Evaluated subjects with their predictions.

    Attributes:
        tasks: Names of the tasks.
        sources: Sources of the model's columns.
        columns: The model's columns.
        labels: 0 or 1, float64 [n, tasks].
        weights: Weights, 0 where the label is unknown, float64 [n, tasks].
        slices: Group of each subject, "" for none, by slicing; [n].
        arm: Arm of each subject, "" where unknown; [n]. Empty where there is none.
        mixed: The model, for rows that combine these subjects' values.
        predictions: Predicted probabilities of the subjects, float64 [n, tasks]: out of fold of
            models that never saw the subject, means over the repeats.
    """

    tasks: tuple[str, ...]
    sources: tuple[Source, ...]
    columns: ExampleColumns
    labels: NDArray[np.float64]
    weights: NDArray[np.float64]
    slices: Mapping[str, Sequence[str]]
    arm: Sequence[str]
    mixed: MixedSubjects
    predictions: NDArray[np.float64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether the label is known, [n, tasks]."""
        return self.weights > 0

    @property
    def count(self) -> int:
        """Number of subjects."""
        return self.columns.subjects

    def sample(self, most: int, seed: int) -> NDArray[np.int64]:
        """Places of a random sample of the subjects; of all if they are few enough."""
        if self.count <= most:
            return np.arange(self.count)
        chosen = np.random.default_rng(seed).choice(self.count, most, replace=False)
        return np.sort(chosen)

    def missing(self) -> NDArray[np.int64]:
        """Number of the model's columns that are missing, by subject; [n]."""
        empty = np.zeros(self.count, np.int64)
        for numbers in self.columns.numbers.values():
            empty += np.isnan(numbers)
        for categories in self.columns.categories.values():
            empty += categories.codes < 0
        return empty


def read_scored_subjects(
    study: Study, examples: str, model: str, out_of_fold: str | None = None
) -> ScoredSubjects:
    """Reads the evaluated subjects and predicts those of a test split with the saved model.

    Args:
        study: The run's study file.
        examples: Folder of the examples that TrialExampleGen wrote.
        model: Folder that Trainer wrote the model to.
        out_of_fold: Folder of the out-of-fold predictions; None for a run with a test split.

    Raises:
        UserError: Model and study file do not fit, or a subject is not predicted.
    """
    tasks = tuple(study.tasks)
    numbers, categories = feature_columns(study)
    slices = {name: slice_key(name) for name in study.slicing.by}
    labels, weights = [label_key(task) for task in tasks], [weight_key(task) for task in tasks]
    found = read_columns(
        examples_at(examples),
        ["train" if out_of_fold else "test"],
        [*numbers, *labels, *weights],
        list(
            dict.fromkeys(
                [*categories, *slices.values(), *([ARM] if study.arm else []), SUBJECT_HASH]
            )
        ),
    )
    columns = ExampleColumns(
        found.subjects,
        {name: found.numbers[name] for name in numbers},
        {name: found.categories[name] for name in categories},
    )
    sources = feature_sources(study)
    mixed = MixedSubjects(SavedModel(f"{model}/Format-Serving", tasks), columns, sources)
    return ScoredSubjects(
        tasks=tasks,
        sources=sources,
        columns=columns,
        labels=np.stack([found.numbers[name] for name in labels], axis=1).astype(np.float64),
        weights=np.stack([found.numbers[name] for name in weights], axis=1).astype(np.float64),
        slices={name: _texts(found.categories[key]) for name, key in slices.items()},
        arm=_texts(found.categories[ARM]) if study.arm else (),
        mixed=mixed,
        predictions=(
            _read_mean_predictions(out_of_fold, _texts(found.categories[SUBJECT_HASH]), tasks)
            if out_of_fold
            else mixed(unmixed(found.subjects, len(sources)))
        ),
    )


def _read_mean_predictions(
    folder: str, subjects: Sequence[str], tasks: Sequence[str]
) -> NDArray[np.float64]:
    """Out-of-fold predictions of subjects, means over the repeats; float64 [n, tasks]."""
    found = read_predictions(folder)
    names = found.subjects.astype(bytes)
    known, place = np.unique(names, return_inverse=True)
    wanted = np.array([subject.encode() for subject in subjects], bytes)
    rows = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    if not len(known) or np.any(known[rows] != wanted):
        raise UserError(f"{folder}: no prediction for some subjects. Run the pipeline again.")
    repeats = np.bincount(place)
    return np.stack(
        [np.bincount(place, found.of[CHALLENGER][task])[rows] / repeats[rows] for task in tasks],
        axis=1,
    )


def _texts(column: Categories) -> list[str]:
    # The last place stands for a missing value.
    values = (*column.values, "")
    return [values[code] for code in column.codes]
