"""Predictions of subjects, one row each: what the artifact `ScoredSubjects` holds.

Parquet files `part-*.parquet` with the columns

- `subject_hash`: the pseudonym;
- one for each output of the model's signature, by its name: `<task>` is the prediction of a task,
  `<task>/<what>` what belongs to it, such as the ends of its interval; null for a subject who is
  refused;
- `flags`: a list of `<kind>` or `<kind>:<feature>`, see `pipeline.results.scoring`;
- `model`: id of the model's registration;
- `inputs`, where there is a prediction log: bin of each feature, see `pipeline.skew.bins`.

This is the one place that knows what outputs of a signature become; a model that predicts something
else than a number of each subject needs its columns here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline import storage
from pipeline.errors import UserError
from pipeline.names import SUBJECT_HASH

FLAGS = "flags"
MODEL = "model"
INPUTS = "inputs"
"""Column that the prediction log alone gets."""

_SEPARATOR = "/"
_ABOUT = ":"


@dataclass(frozen=True)
class ScoredRows:
    """Predictions of n subjects.

    Attributes:
        subjects: Pseudonyms, text `[n]`.
        outputs: Outputs of the model's signature by name, `[n]` or `[n, 1]`.
        flags: Who has a flag, boolean `[n]`, by its kind and the feature that it is about.
        refused: Who is not predicted, boolean `[n]`.
        model: Id of the model's registration.
        inputs: Bin of each feature, `[n]`; None where no prediction log gets them.
    """

    subjects: NDArray[np.object_]
    outputs: Mapping[str, NDArray[Any]]
    flags: Mapping[tuple[str, str | None], NDArray[np.bool_]]
    refused: NDArray[np.bool_]
    model: str
    inputs: pa.MapArray | None = None


def task_of(output: str) -> str:
    """Task that an output of a signature belongs to.

    Examples:
        >>> task_of("death"), task_of("death/lower")
        ('death', 'death')
    """
    return output.partition(_SEPARATOR)[0]


def flag_text(flag: str, feature: str | None) -> str:
    """A flag as the column `flags` has it.

    Examples:
        >>> flag_text("out_of_range", "AGE")
        'out_of_range:AGE'
    """
    return flag if feature is None else f"{flag}{_ABOUT}{feature}"


def flag_of(text: str) -> tuple[str, str | None]:
    """Kind and feature of a flag of the column `flags`.

    Examples:
        >>> flag_of("out_of_range:AGE"), flag_of("left_by_landmark")
        (('out_of_range', 'AGE'), ('left_by_landmark', None))
    """
    flag, _, feature = text.partition(_ABOUT)
    return flag, feature or None


def content_of_part(rows: ScoredRows) -> bytes:
    """A Parquet file of some subjects.

    Raises:
        UserError: An output is no number of each subject.
    """
    sink = io.BytesIO()
    pq.write_table(table_of(rows), sink, compression="snappy")
    return sink.getvalue()


def table_of(rows: ScoredRows) -> pa.Table:
    """The columns of some subjects.

    Raises:
        UserError: An output is no number of each subject.
    """
    columns: dict[str, pa.Array] = {SUBJECT_HASH: pa.array(rows.subjects, pa.string())}
    for name in sorted(rows.outputs, key=lambda output: (task_of(output), output)):
        columns[name] = pa.array(_numbers(name, rows.outputs[name]), mask=rows.refused)
    columns[FLAGS] = _flags(rows)
    columns[MODEL] = pa.array([rows.model] * len(rows.subjects), pa.string())
    if rows.inputs is not None:
        columns[INPUTS] = rows.inputs
    return pa.table(columns)


def _numbers(name: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise UserError(
            f"Output {name} of the model has {values.shape[1:]} numbers a subject; `trial score` "
            "writes one."
        )
    return values


def _flags(rows: ScoredRows) -> pa.Array:
    texts = [flag_text(*flag) for flag in rows.flags]
    if not texts:
        return pa.array([[]] * len(rows.subjects), pa.list_(pa.string()))
    has = np.stack([rows.flags[flag] for flag in rows.flags], axis=1)
    _, which = np.nonzero(has)
    offsets = np.concatenate([[0], np.cumsum(has.sum(axis=1))]).astype(np.int32)
    values = pa.DictionaryArray.from_arrays(pa.array(which.astype(np.int32)), pa.array(texts))
    return pa.ListArray.from_arrays(pa.array(offsets), values.cast(pa.string()))


def read_parts(folder: str) -> Iterator[pa.Table]:
    """The predictions, a file at a time, in the order of the files.

    Args:
        folder: Folder of the artifact, a local path or an address.
    """
    for name in storage.files_below(folder):
        if name.endswith(".parquet"):
            yield pq.read_table(io.BytesIO(storage.read(f"{folder}/{name}") or b""))
