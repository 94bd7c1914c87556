"""The test split of a run: features, labels, slices and predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from notebooks.results.feature_sources import Source, feature_sources
from notebooks.results.served_model import MixedSubjects, SavedModel, unmixed
from pipeline.names import ARM, label_key, slice_key, weight_key
from pipeline.reading.examples import Categories, ExampleColumns, examples_at, read_columns
from pipeline.study.features import feature_columns
from pipeline.study.study import Study


@dataclass(frozen=True)
class ScoredSubjects:
    """Subjects of the test split with their predictions.

    Attributes:
        tasks: Names of the tasks.
        sources: Sources of the model's columns.
        columns: The model's columns.
        labels: 0 or 1, float64 [n, tasks].
        known: Whether the label is known, [n, tasks].
        slices: Group of each subject, "" for none, by slicing; [n].
        arm: Arm of each subject, "" where unknown; [n]. Empty where there is none.
        mixed: The model, for rows that combine these subjects' values.
        predictions: Predicted probabilities of the subjects, float64 [n, tasks].
    """

    tasks: tuple[str, ...]
    sources: tuple[Source, ...]
    columns: ExampleColumns
    labels: NDArray[np.float64]
    known: NDArray[np.bool_]
    slices: Mapping[str, Sequence[str]]
    arm: Sequence[str]
    mixed: MixedSubjects
    predictions: NDArray[np.float64]

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


def read_scored_subjects(study: Study, examples: str, model: str) -> ScoredSubjects:
    """Reads the test split and predicts it with the saved model.

    Args:
        study: The run's study file.
        examples: Folder of the examples that TrialExampleGen wrote.
        model: Folder that Trainer wrote the model to.

    Raises:
        UserError: Model and study file do not fit.
    """
    tasks = tuple(study.tasks)
    numbers, categories = feature_columns(study)
    slices = {name: slice_key(name) for name in study.slicing.by}
    labels, weights = [label_key(task) for task in tasks], [weight_key(task) for task in tasks]
    found = read_columns(
        examples_at(examples),
        ["test"],
        [*numbers, *labels, *weights],
        list(dict.fromkeys([*categories, *slices.values(), *([ARM] if study.arm else [])])),
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
        known=np.stack([found.numbers[name] > 0 for name in weights], axis=1),
        slices={name: _texts(found.categories[key]) for name, key in slices.items()},
        arm=_texts(found.categories[ARM]) if study.arm else (),
        mixed=mixed,
        predictions=mixed(unmixed(found.subjects, len(sources))),
    )


def _texts(column: Categories) -> list[str]:
    # The last place stands for a missing value.
    values = (*column.values, "")
    return [values[code] for code in column.codes]
