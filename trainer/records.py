"""The examples of TrialExampleGen as files, and how they are parsed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from trainer.features import ModelInputs


def read_records(patterns: Iterable[str]) -> tf.data.TFRecordDataset:
    """Serialised tf.Examples, in the order of the files' names.

    Args:
        patterns: Glob patterns of gzipped TFRecord files, local paths or URIs.
    """
    files = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    return tf.data.TFRecordDataset(files, compression_type="GZIP")


def feature_spec(inputs: ModelInputs) -> dict[str, Any]:
    """How the features of an example are parsed, by column."""
    kinds = dict.fromkeys(inputs.numeric, tf.float32) | dict.fromkeys(inputs.categorical, tf.string)
    return {name: tf.io.VarLenFeature(kinds[name]) for name in inputs.features}


def outcome_spec(inputs: ModelInputs) -> dict[str, Any]:
    """How labels and weights of an example are parsed, by column: 0 where absent."""
    columns = (*inputs.label_columns, *inputs.weight_columns)
    return {name: tf.io.FixedLenFeature([], tf.float32, 0.0) for name in columns}


def stacked(parsed: dict[str, Any], columns: Sequence[str]) -> tf.Tensor:
    """Columns of one value a row, side by side: `[batch, columns]`."""
    return tf.stack([parsed[name] for name in columns], axis=1)
