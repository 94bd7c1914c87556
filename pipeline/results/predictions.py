"""Predictions for the evaluation: what the artifact `Predictions` holds.

One row for each subject and repeat, as Parquet: `subject_hash` (the pseudonym), `repeat` and
`fold` from 0, and for each model and task a column `<model>/<task>` with the predicted
probability, null where the model does not predict the subject in that repeat. No label and no
other value of a subject. Rows are in the order of repeat and pseudonym, so that the file does
not depend on the runner.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import storage
from pipeline.errors import UserError
from pipeline.names import SUBJECT_HASH

PREDICTIONS_FILE = "predictions.parquet"
REPEAT = "repeat"
FOLD = "fold"
_SEPARATOR = "/"

NOT_IN_REPEAT = -1
"""Fold of a subject that is in none."""

_OTHER_FOLDS = (
    "The predictions of the model and of the reference models come from different folds. "
    "Run the pipeline again without cached stages."
)


@dataclass(frozen=True)
class Predictions:
    """Predictions of one or several models, made without the predicted subject's label.

    Attributes:
        subjects: Pseudonym of each row; bytes, object `[rows]`.
        repeat: int16 `[rows]`.
        fold: Fold that the subject is in, in that repeat; int16 `[rows]`.
        of: Probabilities by model and task, float32 `[rows]`; NaN where there is none.
    """

    subjects: NDArray[np.object_]
    repeat: NDArray[np.int16]
    fold: NDArray[np.int16]
    of: Mapping[str, Mapping[str, NDArray[np.float32]]]

    @classmethod
    def of_repeats(
        cls,
        subjects: NDArray[np.object_],
        folds: NDArray[Any],
        of: Mapping[str, NDArray[np.float32]],
        tasks: Sequence[str],
    ) -> Predictions:
        """Lays the predictions of all repeats out as rows.

        Args:
            subjects: Pseudonym of each subject; bytes `[subjects]`.
            folds: Fold of each subject in each repeat; int `[subjects, repeats]`.
            of: Probabilities of each model, `[subjects, repeats, tasks]`.
            tasks: Names of the tasks.
        """
        repeats = folds.shape[1]
        columns = {
            model: found.transpose(1, 0, 2).reshape(-1, len(tasks)) for model, found in of.items()
        }
        return cls(
            subjects=np.tile(subjects, repeats),
            repeat=np.repeat(np.arange(repeats), len(subjects)).astype(np.int16),
            fold=folds.T.ravel().astype(np.int16),
            of={
                model: {task: values[:, n] for n, task in enumerate(tasks)}
                for model, values in columns.items()
            },
        )

    def sorted(self) -> Predictions:
        """The rows in the order of repeat and pseudonym."""
        order = np.lexsort((self.subjects.astype(bytes), self.repeat))
        return Predictions(
            self.subjects[order],
            self.repeat[order],
            self.fold[order],
            {
                model: {task: values[order] for task, values in tasks.items()}
                for model, tasks in self.of.items()
            },
        )


def join_folds(
    parts: Sequence[Predictions],
) -> tuple[NDArray[np.bytes_], NDArray[np.int16]]:
    """Fold of each subject of several predictions, one row for each subject.

    Args:
        parts: Predictions; those of the same subject in the same repeat are in the same fold.

    Returns:
        Pseudonyms, rising, bytes `[subjects]`, and the fold in each repeat, int16
        `[subjects, repeats]`, `NOT_IN_REPEAT` where a subject is in none.

    Raises:
        UserError: Two parts have a subject in different folds of the same repeat.
    """
    filled = [part for part in parts if len(part.subjects)]
    if not filled:
        return np.zeros(0, "S1"), np.zeros((0, 0), np.int16)
    subjects = np.unique(np.concatenate([part.subjects.astype(bytes) for part in filled]))
    repeats = 1 + max(int(part.repeat.max()) for part in filled)
    fold = np.full((len(subjects), repeats), NOT_IN_REPEAT, np.int16)
    for part in filled:
        place = np.searchsorted(subjects, part.subjects.astype(bytes)), part.repeat
        if np.any((fold[place] != NOT_IN_REPEAT) & (fold[place] != part.fold)):
            raise UserError(_OTHER_FOLDS)
        fold[place] = part.fold
    return subjects, fold


def write_predictions(folder: str, predictions: Predictions) -> None:
    """Writes `predictions.parquet` to a folder, a local path or an address."""
    storage.write_whole(f"{folder}/{PREDICTIONS_FILE}", predictions_content(predictions))


def predictions_content(predictions: Predictions) -> bytes:
    """Content of `predictions.parquet`."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = predictions.sorted()
    columns = {
        SUBJECT_HASH: pa.array(list(rows.subjects), pa.binary()),
        REPEAT: pa.array(rows.repeat, pa.int16()),
        FOLD: pa.array(rows.fold, pa.int16()),
    }
    for model, tasks in rows.of.items():
        for task, values in tasks.items():
            columns[f"{model}{_SEPARATOR}{task}"] = pa.array(values, mask=np.isnan(values))
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def read_predictions(folder: str) -> Predictions:
    """Reads `predictions.parquet`.

    Raises:
        UserError: The folder has no such file.
    """
    from pyarrow import parquet

    path = f"{folder}/{PREDICTIONS_FILE}"
    content = storage.read(path)
    if content is None:
        raise UserError(f"{path}: no such file. Run the pipeline again.")
    table = parquet.read_table(io.BytesIO(content))
    of: dict[str, dict[str, NDArray[np.float32]]] = {}
    for name in table.column_names[3:]:
        model, _, task = name.partition(_SEPARATOR)
        values = table[name].to_numpy().astype(np.float32)
        of.setdefault(model, {})[task] = values
    return Predictions(
        table[SUBJECT_HASH].to_numpy(),
        table[REPEAT].to_numpy(),
        table[FOLD].to_numpy(),
        of,
    )
