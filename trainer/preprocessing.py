"""Transform's function: from a subject's raw columns to the numbers and codes of the model.

What it learns (means, deviations, knots, vocabularies) comes from the train split alone; the
same graph is part of the served model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from pipeline.names import label_key, weight_key
from trainer.features import CATEGORIES, NUMBERS, ModelInputs, model_inputs

CLIP = 5.0
"""Standard deviations from the mean beyond which a number counts as this far."""

MIN_CATEGORY_COUNT = 5
"""Subjects of the train split that a category needs to have a code of its own."""

OUT_OF_VOCABULARY = 1
MISSING = 1
"""Codes beside the vocabulary's: rare or new categories share one, missing has another."""


def vocabulary_name(position: int, column: str) -> str:
    """Name under which Transform keeps the vocabulary of a categorical column.

    Args:
        position: Of the column among the categorical ones; keeps names apart.
        column: Its name, of which TensorFlow's scopes only take ASCII.

    Returns:
        The name.
    """
    return f"vocabulary_{position}_{re.sub(r'[^A-Za-z0-9]', '_', column)}"


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, Any]:
    """Transforms raw columns; called by TFX's Transform.

    Args:
        inputs: Raw columns: float32 and string `tf.SparseTensor`s `[batch, 1]`, absent where
            missing.
        custom_config: Holds `ModelInputs.to_config()` under `inputs`.

    Returns:
        `numbers` float32 `[batch, 2 * numeric]`: per numeric column the z-score (0 where
        missing), then per numeric column 1 where missing; `categories` int64
        `[batch, categorical]`; per task `label_<task>` and `weight_<task>` float32 `[batch]`,
        0 where absent. A kind without columns is left out.
    """
    names = model_inputs(custom_config)
    outputs: dict[str, Any] = {}
    if names.numeric:
        outputs[NUMBERS] = _numbers([_sparse(inputs[column]) for column in names.numeric])
    if names.categorical:
        outputs[CATEGORIES] = tf.stack(
            [
                _codes(_sparse(inputs[column]), vocabulary_name(position, column))
                for position, column in enumerate(names.categorical)
            ],
            axis=1,
        )
    for task in names.tasks:
        for key in (label_key(task), weight_key(task)):
            outputs[key] = _dense(_as_float(_sparse(inputs[key])), 0.0)
    return outputs


def cardinalities(transform_output: tft.TFTransformOutput, names: ModelInputs) -> tuple[int, ...]:
    """Number of codes of each categorical column, the two special ones included."""
    return tuple(
        transform_output.vocabulary_size_by_name(vocabulary_name(position, column))
        + OUT_OF_VOCABULARY
        + MISSING
        for position, column in enumerate(names.categorical)
    )


def _numbers(columns: list[tf.SparseTensor]) -> tf.Tensor:
    scores, absent = zip(*(_standardised(column) for column in columns), strict=True)
    return tf.concat([tf.stack(scores, axis=1), tf.stack(absent, axis=1)], axis=1)


def _standardised(column: tf.SparseTensor) -> tuple[tf.Tensor, tf.Tensor]:
    column = _as_float(column)
    column = tf.sparse.retain(column, tf.math.is_finite(column.values))
    scores = tft.scale_to_z_score(column)
    clipped = tf.clip_by_value(scores.values, -CLIP, CLIP)
    dense = _dense(tf.SparseTensor(scores.indices, clipped, scores.dense_shape), 0.0)
    observed = _dense(
        tf.SparseTensor(column.indices, tf.ones_like(column.values), column.dense_shape), 0.0
    )
    return dense, 1.0 - observed


def _as_float(column: tf.SparseTensor) -> tf.SparseTensor:
    return tf.cast(column, tf.float32)


def _codes(column: tf.SparseTensor, vocabulary: str) -> tf.Tensor:
    column = tf.sparse.retain(column, tf.not_equal(column.values, ""))
    path = tft.vocabulary(column, frequency_threshold=MIN_CATEGORY_COUNT, vocab_filename=vocabulary)
    coded = tft.apply_vocabulary(column, path, num_oov_buckets=OUT_OF_VOCABULARY)
    missing = tft.get_num_buckets_for_transformed_feature(coded)
    return _dense(coded, missing)


def _sparse(column: tf.Tensor | tf.SparseTensor) -> tf.SparseTensor:
    """Takes a column whose schema requires presence, and so arrives dense, as well."""
    if isinstance(column, tf.SparseTensor):
        return column
    rows = tf.size(column, out_type=tf.int64)
    indices = tf.stack([tf.range(rows), tf.zeros_like(tf.range(rows))], axis=1)
    return tf.SparseTensor(indices, tf.reshape(column, [-1]), tf.stack([rows, 1]))


def _dense(column: tf.SparseTensor, default: Any) -> tf.Tensor:
    """Spreads at most one value per row to `[batch]`, `default` where there is none."""
    shape = tf.stack([column.dense_shape[0], 1])
    wide = tf.SparseTensor(column.indices, column.values, shape)
    return tf.squeeze(tf.sparse.to_dense(wide, tf.cast(default, column.values.dtype)), axis=1)
