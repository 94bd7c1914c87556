"""User code of Transform and Trainer.

TFX packs this file into a wheel of its own: it must not import anything of the project.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx
from tfx_bsl.public import tfxio

_MISSING_TOKEN = "__missing__"
_OOV_BUCKETS = 1


def preprocessing_fn(
    inputs: dict[str, tf.Tensor | tf.SparseTensor], custom_config: dict[str, Any]
) -> dict[str, tf.Tensor]:
    """Turns raw columns into model features; called by Transform.

    Args:
        inputs: One tensor a column: dense of shape (batch, 1) if the column never lacks a
            value, otherwise sparse.
        custom_config: `numeric`, `categorical` (lists of columns) and `label` (a column).

    Returns:
        Dense tensors of shape (batch, 1): for numbers the z-score (0 where missing) and a
        missing indicator (float32), for categories the index in the vocabulary (int64), and
        the label (float32).

    Raises:
        ValueError: The label column has empty cells.
    """
    outputs = {}
    for name in custom_config["numeric"]:
        column = _cast(inputs[name], tf.float32)
        outputs[_transformed(name)] = _to_dense(tft.scale_to_z_score(column), 0.0)
        outputs[_indicator(name)] = _is_missing(column)
    for name in custom_config["categorical"]:
        outputs[_transformed(name)] = tft.compute_and_apply_vocabulary(
            _to_dense(_to_text(inputs[name]), _MISSING_TOKEN),
            num_oov_buckets=_OOV_BUCKETS,
            vocab_filename=name,
        )
    label = custom_config["label"]
    if isinstance(inputs[label], tf.SparseTensor):
        raise ValueError(
            f"Column {label!r} (the label) has empty cells; expected 0 or 1 in every row. "
            "Remove the rows without a label."
        )
    outputs[_transformed(label)] = tf.cast(inputs[label], tf.float32)
    return outputs


def run_fn(fn_args: tfx.components.FnArgs) -> None:
    """Trains the model and saves it with its serving signature; called by Trainer.

    Args:
        fn_args: Files, step counts and the custom configuration `numeric`, `categorical`,
            `label`, `units`, `batch_size`, `seed`.
    """
    config = fn_args.custom_config
    keras.utils.set_random_seed(config["seed"])
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    train = _dataset(fn_args.train_files, fn_args, transform_output, num_epochs=None)
    evaluation = _dataset(fn_args.eval_files, fn_args, transform_output, num_epochs=1)
    model = _build_model(config, transform_output)
    model.fit(
        train,
        epochs=1,
        steps_per_epoch=fn_args.train_steps,
        validation_data=evaluation,
        verbose=2,
    )
    _save(model, transform_output, config, fn_args.serving_model_dir)


def _transformed(name: str) -> str:
    return f"{name}_xf"


def _indicator(name: str) -> str:
    return f"{name}_missing"


def _cast(column: tf.Tensor | tf.SparseTensor, dtype: tf.DType) -> tf.Tensor | tf.SparseTensor:
    return tf.cast(column, dtype)


def _to_text(column: tf.Tensor | tf.SparseTensor) -> tf.Tensor | tf.SparseTensor:
    if column.dtype == tf.string:
        return column
    if isinstance(column, tf.SparseTensor):
        return tf.SparseTensor(
            column.indices, tf.strings.as_string(column.values), column.dense_shape
        )
    return tf.strings.as_string(column)


def _to_dense(column: tf.Tensor | tf.SparseTensor, default: float | str) -> tf.Tensor:
    if not isinstance(column, tf.SparseTensor):
        return column
    one_column = tf.SparseTensor(column.indices, column.values, [column.dense_shape[0], 1])
    return tf.ensure_shape(tf.sparse.to_dense(one_column, default), [None, 1])


def _is_missing(column: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    if not isinstance(column, tf.SparseTensor):
        return tf.zeros_like(column)
    present = tf.SparseTensor(column.indices, tf.ones_like(column.values), column.dense_shape)
    return 1.0 - _to_dense(present, 0.0)


def _dataset(
    files: Sequence[str],
    fn_args: tfx.components.FnArgs,
    transform_output: tft.TFTransformOutput,
    num_epochs: int | None,
) -> tf.data.Dataset:
    config = fn_args.custom_config
    options = tfxio.TensorFlowDatasetOptions(
        batch_size=config["batch_size"],
        num_epochs=num_epochs,
        shuffle=num_epochs is None,
        shuffle_seed=config["seed"],
        label_key=_transformed(config["label"]),
    )
    return fn_args.data_accessor.tf_dataset_factory(
        files, options, transform_output.transformed_metadata.schema
    )


def _build_model(config: dict[str, Any], transform_output: tft.TFTransformOutput) -> keras.Model:
    inputs = {}
    encoded = []
    for name in config["numeric"]:
        for key in (_transformed(name), _indicator(name)):
            inputs[key] = keras.Input(shape=(1,), name=key, dtype="float32")
            encoded.append(inputs[key])
    for name in config["categorical"]:
        key = _transformed(name)
        inputs[key] = keras.Input(shape=(1,), name=key, dtype="int64")
        tokens = transform_output.vocabulary_size_by_name(name) + _OOV_BUCKETS
        encoding = keras.layers.CategoryEncoding(num_tokens=tokens, output_mode="one_hot")
        encoded.append(encoding(inputs[key]))
    hidden = keras.layers.Concatenate()(encoded) if len(encoded) > 1 else encoded[0]
    for units in config["units"]:
        hidden = keras.layers.Dense(units, activation="relu")(hidden)
    output = keras.layers.Dense(1, activation="sigmoid")(hidden)
    model = keras.Model(inputs, output)
    model.compile(optimizer=keras.optimizers.Adam(), loss="binary_crossentropy")
    return model


def _save(
    model: keras.Model,
    transform_output: tft.TFTransformOutput,
    config: dict[str, Any],
    directory: str,
) -> None:
    module = tf.Module()
    module.model = model
    module.transform = transform_output.transform_features_layer()
    tf.saved_model.save(
        module,
        directory,
        signatures={"serving_default": _serving_fn(module, transform_output, config)},
    )


def _serving_fn(
    module: tf.Module, transform_output: tft.TFTransformOutput, config: dict[str, Any]
) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    columns = {*config["numeric"], *config["categorical"]}
    raw_spec = {
        name: spec for name, spec in transform_output.raw_feature_spec().items() if name in columns
    }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        features = module.transform(tf.io.parse_example(examples, raw_spec))
        return {"outputs": module.model(features)}

    return serve
