"""Reads the columns of the split `train` that the rules on features need."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tfx.types.artifact import Artifact

from components.data_gate.rules import Columns
from components.data_gate.settings import DataGateSettings
from pipeline.errors import UserError
from pipeline.names import ARM, FOLDS, label_key, weight_key
from pipeline.reading.examples import Categories, read_columns
from pipeline.weights import is_weighted

MOST_SUBJECTS = 200_000


def read_train_columns(
    examples: Artifact,
    settings: DataGateSettings,
    most_subjects: int = MOST_SUBJECTS,
    out_of_fold: bool = False,
) -> Columns:
    """Reads features, labels and weights of the train split, and nothing else.

    Args:
        examples: The examples, one tf.Example per subject.
        settings: Which features and tasks there are.
        most_subjects: Subjects after this many are not read.
        out_of_fold: Whether the subjects have folds.

    Returns:
        The columns, one element per subject.

    Raises:
        UserError: The split has no subjects, or no labels of a task.
    """
    numbers = [name for name, kind in settings.features.items() if kind == "number"]
    categories = [name for name, kind in settings.features.items() if kind == "category"]
    labels = [key(task) for key in (label_key, weight_key) for task in settings.tasks]
    folds = [FOLDS] if out_of_fold else []
    found = read_columns(examples, ["train"], [*numbers, *labels], categories, most_subjects, folds)
    for name in labels:
        if np.isnan(found.numbers[name]).all():
            raise UserError(
                f"{examples.uri}: the train split has no column {name}, so the data gate can't "
                "look for leakage. Make the examples again with TrialExampleGen from this study "
                "file."
            )
    missing = {name: np.isnan(found.numbers[name]) for name in numbers}
    missing |= {name: found.categories[name].codes < 0 for name in categories}
    return Columns(
        missing=missing,
        arms=_arms(found.categories.get(ARM)),
        fold=found.numbers[FOLDS].astype(np.int64) if out_of_fold else None,
        numbers={name: found.numbers[name].astype(np.float64) for name in numbers},
        categories={
            name: np.where(column.codes < 0, len(column.values), column.codes).astype(np.int64)
            for name, column in found.categories.items()
        },
        labels={task: found.numbers[label_key(task)] > 0 for task in settings.tasks},
        known={task: found.numbers[weight_key(task)] > 0 for task in settings.tasks},
        weights={
            task: weights.astype(np.float64)
            for task in settings.tasks
            for weights in [found.numbers[weight_key(task)]]
            if is_weighted(weights)
        },
        titles=settings.titles,
        task_titles=settings.task_titles,
    )


def _arms(column: Categories | None) -> dict[str, NDArray[np.bool_]]:
    if column is None:
        return {}
    return {value: column.codes == code for code, value in enumerate(column.values)}
