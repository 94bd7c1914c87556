"""Reads the subjects of raw examples, transformed as the served model transforms them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.log_odds import log_odds
from pipeline.names import ARM, EXAMPLES_SIGNATURE, FOLDS, SUBJECT_HASH, slice_key
from trainer.arrays import Arrays, concatenate
from trainer.features import ModelInputs
from trainer.records import feature_spec, outcome_spec, read_records, stacked
from trainer.transformation import Transformation

_ROWS = 8192


@dataclasses.dataclass(frozen=True)
class Subjects:
    """Subjects with what belongs to them, in one order.

    Attributes:
        arrays: Transformed features and labels.
        hashes: Pseudonyms, bytes `[subjects]`.
        folds: Fold in each repeat, int64 `[subjects, repeats]`.
        arms: Arms, bytes `[subjects]`; empty where unknown.
        serialized: The raw tf.Examples, bytes `[subjects]`.
    """

    arrays: Arrays
    hashes: NDArray[np.object_]
    folds: NDArray[np.int64]
    arms: NDArray[np.object_]
    serialized: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.arrays)


def read_subjects(
    patterns: Sequence[str],
    transformation: Transformation | None,
    inputs: ModelInputs,
    repeats: int,
    only: NDArray[np.bytes_] | None = None,
) -> Subjects:
    """Reads the subjects of some files.

    Args:
        patterns: Glob patterns of TrialExampleGen's files.
        transformation: Transform's graph; None to read no feature.
        inputs: Columns that the model reads.
        repeats: Repeats of the folds; 0 if the examples have none.
        only: Pseudonyms of the subjects to read; all, if not given.

    Returns:
        The subjects, in the order of the files.

    Raises:
        UserError: There is no subject.
    """
    parts = list(_parts(patterns, transformation, inputs, repeats, only))
    if not parts:
        raise UserError(f"{', '.join(patterns)}: no example found, expected at least one subject.")
    return Subjects(
        arrays=concatenate([part.arrays for part in parts]),
        hashes=np.concatenate([part.hashes for part in parts]),
        folds=np.concatenate([part.folds for part in parts]),
        arms=np.concatenate([part.arms for part in parts]),
        serialized=np.concatenate([part.serialized for part in parts]),
    )


def _parts(
    patterns: Sequence[str],
    transformation: Transformation | None,
    inputs: ModelInputs,
    repeats: int,
    only: NDArray[np.bytes_] | None,
) -> Iterator[Subjects]:
    spec = _spec(inputs, transformation is not None, repeats)
    for serialized in read_records(patterns).batch(_ROWS):
        rows = serialized if only is None else _of_subjects(serialized, only)
        if not len(rows):
            continue
        raw = tf.io.parse_example(rows, spec)
        yield Subjects(
            arrays=_arrays(raw, transformation, inputs, len(rows)),
            hashes=raw[SUBJECT_HASH].numpy(),
            folds=raw[FOLDS].numpy() if repeats else np.zeros((len(rows), 0), np.int64),
            arms=_texts(raw[ARM]),
            serialized=rows.numpy(),
        )


def slices_of(
    serialized: NDArray[np.object_], slicings: Sequence[str]
) -> dict[str, NDArray[np.str_]]:
    """Groups of subjects.

    Args:
        serialized: Raw tf.Examples, bytes `[subjects]`.
        slicings: Names of slicings of one column each.

    Returns:
        Value of each subject by slicing, `[subjects]`; empty where it has none.
    """
    if not slicings:
        return {}
    spec = {slice_key(name): tf.io.VarLenFeature(tf.string) for name in slicings}
    parsed = tf.io.parse_example(tf.constant(list(serialized)), spec)
    return {
        name: np.array([value.decode() for value in _texts(parsed[slice_key(name)])], np.str_)
        for name in slicings
    }


def _of_subjects(serialized: tf.Tensor, only: NDArray[np.bytes_]) -> tf.Tensor:
    return tf.boolean_mask(serialized, np.isin(pseudonyms_of(serialized), only))


def pseudonyms_of(serialized: tf.Tensor) -> NDArray[np.bytes_]:
    """Pseudonym of each subject.

    Args:
        serialized: Raw tf.Examples, string `[subjects]`.

    Returns:
        bytes `[subjects]`.
    """
    spec = {SUBJECT_HASH: tf.io.FixedLenFeature([], tf.string)}
    found: NDArray[np.bytes_] = tf.io.parse_example(serialized, spec)[SUBJECT_HASH].numpy()
    return found.astype(bytes)


def _spec(inputs: ModelInputs, features: bool, repeats: int) -> dict[str, Any]:
    spec = (feature_spec(inputs) if features else {}) | outcome_spec(inputs)
    spec[SUBJECT_HASH] = tf.io.FixedLenFeature([], tf.string)
    spec[ARM] = tf.io.VarLenFeature(tf.string)
    if repeats:
        spec[FOLDS] = tf.io.FixedLenFeature([repeats], tf.int64)
    return spec


def _arrays(
    raw: dict[str, Any], transformation: Transformation | None, inputs: ModelInputs, rows: int
) -> Arrays:
    numbers, codes = np.zeros((rows, 0), np.float32), np.zeros((rows, 0), np.int32)
    if transformation:
        transformed = transformation.apply(tuple(raw[name] for name in inputs.features))
        numbers, codes = (part.numpy() for part in transformed)
    outcomes = (inputs.label_columns, inputs.weight_columns)
    return Arrays(numbers, codes, *(stacked(raw, columns).numpy() for columns in outcomes))


def _texts(column: tf.SparseTensor) -> NDArray[np.object_]:
    """The first value of each row, empty where there is none."""
    found = np.full(int(column.dense_shape[0]), b"", object)
    first = column.indices.numpy()[:, 1] == 0
    found[column.indices.numpy()[first, 0]] = column.values.numpy()[first]
    return found


def served_logits(model: str, subjects: Subjects, tasks: Sequence[str]) -> NDArray[np.float64]:
    """Log odds that a saved model's signature gives for raw examples.

    Args:
        model: Folder of the SavedModel.
        subjects: The subjects.
        tasks: Names of the tasks.

    Returns:
        float64 `[subjects, tasks]`.
    """
    serve = tf.saved_model.load(model).signatures[EXAMPLES_SIGNATURE]
    parts = []
    for first in range(0, len(subjects), _ROWS):
        batch = serve(examples=tf.constant(list(subjects.serialized[first : first + _ROWS])))
        parts.append(np.concatenate([batch[task].numpy() for task in tasks], axis=1))
    return log_odds(np.concatenate(parts))
