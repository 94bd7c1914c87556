"""Predictions of a model for the subjects of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from pipeline.names import label_key, weight_key
from trainer.served_model import KeywordModel, read_batches
from trainer.subjects import pseudonyms_of


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
    served = KeywordModel.load(model)
    spec = {
        key(task): tf.io.FixedLenFeature([], tf.float32)
        for task in tasks
        for key in (label_key, weight_key)
    }
    hashes = [np.zeros(0, "S1")]
    rows = [np.zeros((0, len(tasks), 3), np.float32)]
    for serialized in read_batches(folder):
        columns = tf.io.parse_example(serialized, spec)
        labels, weights = (
            np.stack([columns[key(task)].numpy() for task in tasks], axis=1)
            for key in (label_key, weight_key)
        )
        hashes.append(pseudonyms_of(serialized))
        predicted = served.probabilities(serialized, tasks)
        rows.append(np.stack([predicted, labels, weights], axis=2))
    everyone, found = np.concatenate(hashes), np.concatenate(rows)
    return len(everyone), {
        task: _known(everyone, found[:, number]) for number, task in enumerate(tasks)
    }


def _known(hashes: NDArray[np.bytes_], rows: NDArray[np.float32]) -> PredictedTask:
    known = rows[:, 2] > 0
    outcome, weight = (rows[known, column].astype(np.float64) for column in (1, 2))
    return PredictedTask(hashes[known], rows[known, 0], outcome, weight)
