"""Predictions of a model for the subjects of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tfx.dsl.io import fileio

from pipeline.names import EXAMPLES_SIGNATURE, SUBJECT_HASH, label_key, weight_key

_BATCH = 1024


@dataclass(frozen=True)
class PredictedTask:
    """Subjects with a known label of one task.

    Attributes:
        hashes: Their pseudonyms, bytes `[subjects]`.
        probability: Predictions, float32 `[subjects]`.
        outcome: 1 or 0, float64 `[subjects]`.
        weight: Weights, float64 `[subjects]`, above 0.
    """

    hashes: NDArray[np.bytes_]
    probability: NDArray[np.float32]
    outcome: NDArray[np.float64]
    weight: NDArray[np.float64]


def predict(folder: str, model: str, tasks: Sequence[str]) -> tuple[int, dict[str, PredictedTask]]:
    """Predicts all subjects of a split.

    Args:
        folder: Folder of the split's examples (gzipped TFRecords of tf.Examples).
        model: Folder of the SavedModel; its `serving_default` takes serialized examples.
        tasks: Names of the tasks, which are the model's outputs.

    Returns:
        Number of all subjects, and those with a known label by task.
    """
    loaded = tf.saved_model.load(model)
    signature = loaded.signatures[EXAMPLES_SIGNATURE]
    spec = {SUBJECT_HASH: tf.io.FixedLenFeature([], tf.string)}
    for task in tasks:
        spec |= {
            key(task): tf.io.FixedLenFeature([], tf.float32) for key in (label_key, weight_key)
        }
    hashes: list[NDArray[np.bytes_]] = []
    found: dict[str, list[NDArray[np.float32]]] = {task: [] for task in tasks}
    files = sorted(fileio.glob(f"{folder}/*"))
    for batch in tf.data.TFRecordDataset(files, compression_type="GZIP").batch(_BATCH):
        columns = tf.io.parse_example(batch, spec)
        outputs = signature(examples=batch)
        hashes.append(columns[SUBJECT_HASH].numpy().astype(bytes))
        for task in tasks:
            found[task].append(
                np.column_stack(
                    [
                        outputs[task].numpy().ravel(),
                        columns[label_key(task)].numpy(),
                        columns[weight_key(task)].numpy(),
                    ]
                )
            )
    everyone = np.concatenate(hashes) if hashes else np.zeros(0, "S1")
    return len(everyone), {
        task: _known(everyone, np.concatenate([np.zeros((0, 3), np.float32), *rows]))
        for task, rows in found.items()
    }


def _known(hashes: NDArray[np.bytes_], rows: NDArray[np.float32]) -> PredictedTask:
    known = rows[:, 2] > 0
    outcome, weight = (rows[known, column].astype(np.float64) for column in (1, 2))
    return PredictedTask(hashes[known], rows[known, 0], outcome, weight)
