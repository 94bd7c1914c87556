"""Transform's `preprocessing_fn`: from a subject's raw features to numbers and codes.

It reads no label: nothing that is computed here depends on one. Means, deviations and the
vocabulary are computed from the train split only; the same graph is part of the served model. All
numbers share one analyzer and all categories another: Transform's run time grows with the number
of analyzers, hardly with that of columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from pipeline.study.features import MIN_CATEGORY_COUNT
from trainer.features import (
    CATEGORIES,
    NUMBERS,
    ModelInputs,
    model_inputs,
)

CLIP = 5.0
"""Standard deviations from the mean at which z-scores are clipped."""

VOCABULARY = "categories"
"""Name under which Transform keeps the categories with a code of their own."""

SEPARATOR = "\x1f"
"""Separates the position of a column from one of its categories in the vocabulary."""

_RELATIVE_ROUNDING = 1e-12
"""Deviation relative to the mean below which numbers are equal up to rounding."""


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, Any]:
    """Transforms raw columns; called by TFX's Transform.

    Args:
        inputs: Raw columns, of which it reads the features: float32 and string
            `tf.SparseTensor`s `[batch, 1]`, absent where missing.
        custom_config: Holds `ModelInputs.to_config()` under `inputs`.

    Returns:
        `numbers` float32 `[batch, 2 * numeric]`: per numeric column the z-score (0 where
        missing), then per numeric column 1 where missing; `categories` int64
        `[batch, categorical]`, codes of one space for all columns, see `code_count`. A kind
        without columns is omitted.
    """
    names = model_inputs(custom_config)
    outputs: dict[str, Any] = {}
    if names.numeric:
        outputs[NUMBERS] = _numbers(matrix(inputs, names.numeric, tf.float32, float("nan")))
    if names.categorical:
        outputs[CATEGORIES] = _codes(matrix(inputs, names.categorical, tf.string, ""))
    return outputs


def read_vocabulary(transform_output: tft.TFTransformOutput, names: ModelInputs) -> Sequence[bytes]:
    """The categories with a code of their own, each behind the position of its column."""
    if not names.categorical:
        return ()
    found: Sequence[bytes] = transform_output.vocabulary_by_name(VOCABULARY)
    return found


def code_count(transform_output: tft.TFTransformOutput, names: ModelInputs) -> int:
    """Size of the space of codes that all categorical columns share.

    First come the categories of the vocabulary, then per column one code for its rare and
    new categories, then per column one for a missing value.
    """
    if not names.categorical:
        return 0
    return int(transform_output.vocabulary_size_by_name(VOCABULARY)) + 2 * len(names.categorical)


def _numbers(raw: tf.Tensor) -> tf.Tensor:
    """Clipped z-scores and missing indicators of numbers `[batch, n]`, NaN where missing.

    Statistics are computed in float64 and by batch (Chan, Golub and LeVeque 1983), which is
    numerically stable if the mean is large and the deviation small.
    """
    exact = tf.cast(raw, tf.float64)
    mean = _finite(tft.mean(exact, reduce_instance_dims=False))
    deviation = tf.sqrt(_finite(tft.var(exact, reduce_instance_dims=False)))
    varies = deviation > _RELATIVE_ROUNDING * tf.abs(mean)
    scores = tf.math.divide_no_nan(exact - mean, tf.where(varies, deviation, 0.0))
    observed = tf.math.is_finite(exact)
    clipped = tf.where(observed, tf.clip_by_value(scores, -CLIP, CLIP), 0.0)
    absent = tf.logical_not(observed)
    return tf.concat([tf.cast(clipped, tf.float32), tf.cast(absent, tf.float32)], axis=1)


def _finite(statistic: tf.Tensor) -> tf.Tensor:
    """Replaces not-a-number, from columns without any value, by 0."""
    return tf.where(tf.math.is_finite(statistic), statistic, 0.0)


def _codes(values: tf.Tensor) -> tf.Tensor:
    """Codes int64 `[batch, n]` of categories `[batch, n]`, "" where missing."""
    columns = int(values.shape[1])
    positions = tf.range(columns, dtype=tf.int64)
    present = tf.not_equal(values, "")
    prefixes = tf.constant([[f"{position}{SEPARATOR}" for position in range(columns)]])
    keys = tf.strings.join([tf.broadcast_to(prefixes, tf.shape(values)), _one_line(values)])
    coded = tft.apply_vocabulary(
        keys,
        tft.vocabulary(
            tf.boolean_mask(keys, present),
            frequency_threshold=MIN_CATEGORY_COUNT,
            vocab_filename=VOCABULARY,
        ),
        num_oov_buckets=1,
    )
    known = tft.get_num_buckets_for_transformed_feature(coded) - 1
    coded = tf.where(coded < known, coded, known + positions)
    return tf.where(present, coded, known + columns + positions)


def _one_line(values: tf.Tensor) -> tf.Tensor:
    """Escapes line breaks, which would end a line of the vocabulary."""
    for pattern, escape in ((r"\\", r"\\\\"), ("\n", r"\\n"), ("\r", r"\\r"), (r"\x00", r"\\0")):
        values = tf.strings.regex_replace(values, pattern, escape)
    return values


def matrix(
    inputs: Mapping[str, Any], columns: Sequence[str], dtype: tf.DType, default: Any
) -> tf.Tensor:
    """Stacks columns of at most one value a row to `[batch, columns]`.

    Args:
        inputs: Raw columns. One whose schema requires presence and shape is dense.
        columns: Names of those to stack.
        dtype: Their type.
        default: What a missing value becomes.
    """
    found = [tf.cast(inputs[name], dtype) for name in columns]
    sparse = [place for place, column in enumerate(found) if isinstance(column, tf.SparseTensor)]
    dense = [place for place in range(len(found)) if place not in sparse]
    parts = [tf.reshape(found[place], [-1, 1]) for place in dense]
    if sparse:
        parts.append(_dense([found[place] for place in sparse], default))
    places = [*dense, *sparse]
    stacked = tf.concat(parts, axis=1)
    if places == sorted(places):
        return stacked
    return tf.gather(stacked, np.argsort(places), axis=1)


def _dense(columns: Sequence[tf.SparseTensor], default: Any) -> tf.Tensor:
    """Converts columns to `[batch, columns]`, all at once.

    Transform traces its graph several times: operations of each column would take most of its time
    where subjects are few.
    """
    shape = tf.stack([columns[0].dense_shape[0], 1])
    of_width_one = [tf.SparseTensor(column.indices, column.values, shape) for column in columns]
    joined = tf.sparse.concat(1, of_width_one)
    filled = tf.sparse.to_dense(joined, tf.cast(default, joined.dtype))
    return tf.ensure_shape(filled, [None, len(columns)])
