"""Saves a model again under the names of another study."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from components.registered_model.settings import RegisteredModelSettings
from pipeline.names import EXAMPLES_SIGNATURE
from pipeline.results.signatures import COLUMNS_SIGNATURE
from pipeline.results.uncertainty import PARTS, output_name
from trainer.resources import resources_of, save_signatures


def save_renamed(
    source: str, target: str, settings: RegisteredModelSettings, arguments: Mapping[str, str]
) -> None:
    """Saves a model whose `serving_default` reads and predicts a study's own names.

    Its prediction sets are as if there were no groups, whose names are not the model's.

    Args:
        source: Folder of the SavedModel.
        target: Folder of the new one; it has the signature `serving_default` alone.
        settings: The model's name of each feature and task.
        arguments: Argument of the model's signature `columns` for each feature.
    """
    loaded = tf.saved_model.load(source)
    signature = _examples_signature(loaded.signatures[COLUMNS_SIGNATURE], settings, arguments)
    save_signatures({EXAMPLES_SIGNATURE: signature}, resources_of(loaded), target)


def _examples_signature(
    columns: Any, settings: RegisteredModelSettings, arguments: Mapping[str, str]
) -> Any:
    read = set(columns.structured_input_signature[1])
    names = {own: argument for own, argument in arguments.items() if argument in read}
    spec = {
        own: tf.io.VarLenFeature(tf.float32 if own in settings.numbers else tf.string)
        for own in names
    }

    @tf.function(autograph=False)
    def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, spec)
        rows = tf.size(examples, out_type=tf.int64)
        outputs = columns(
            **{argument: _dense(parsed[own], rows) for own, argument in names.items()}
        )
        parts = {
            output_name(own, part): outputs[output_name(theirs, part)]
            for own, theirs in settings.tasks.items()
            for part in PARTS
            if output_name(theirs, part) in outputs
        }
        return {own: outputs[theirs] for own, theirs in settings.tasks.items()} | parts

    return serve.get_concrete_function(tf.TensorSpec([None], tf.string, name="examples"))


def _dense(column: tf.SparseTensor, rows: tf.Tensor) -> tf.Tensor:
    """The value of each row, or what `columns` takes for a missing one; [rows]."""
    missing = math.nan if column.dtype.is_floating else ""
    values = tf.fill([rows], tf.constant(missing, column.dtype))
    return tf.tensor_scatter_nd_update(values, column.indices[:, :1], column.values)
