"""The saved model: Transform's graph, the ensemble and the calibration."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from pipeline.errors import UserError
from pipeline.names import EXAMPLES_SIGNATURE
from trainer.features import CATEGORIES, NUMBERS, ModelInputs
from trainer.fit import Fitted

COLUMNS_SIGNATURE = "columns"


class ServedModel(tf.Module):
    """Probabilities of every task from raw subjects."""

    def __init__(
        self, fitted: Fitted, transform_output: tft.TFTransformOutput, inputs: ModelInputs
    ) -> None:
        super().__init__()
        self._model = fitted.model
        self._inputs = inputs
        self._slopes = tf.constant(fitted.calibration.slopes, tf.float32)
        self._intercepts = tf.constant(fitted.calibration.intercepts, tf.float32)
        self._transform = transform_output.transform_features_layer()

    def concrete_signatures(self) -> dict[str, Any]:
        """Signatures to save the module with.

        Returns:
            `serving_default` takes `examples`, string `[batch]`, serialised `tf.Example`s;
            `columns` takes each feature under its argument name, `[batch]`, float32 with NaN
            or string with "" where missing. Both return, per task, its name and the
            probability, float32 `[batch, 1]`.
        """
        return {
            EXAMPLES_SIGNATURE: self._examples_signature(),
            COLUMNS_SIGNATURE: self._columns_signature(),
        }

    def _examples_signature(self) -> Any:
        spec = {name: tf.io.VarLenFeature(tf.float32) for name in self._inputs.numeric}
        spec |= {name: tf.io.VarLenFeature(tf.string) for name in self._inputs.categorical}

        @tf.function
        def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._probabilities(tf.io.parse_example(examples, spec))

        return serve.get_concrete_function(tf.TensorSpec([None], tf.string, name="examples"))

    def _columns_signature(self) -> Any:
        numeric, names = self._inputs.numeric, argument_names(self._inputs)

        @tf.function
        def serve(**columns: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._probabilities(
                {column: _sparse(columns[name]) for column, name in names.items()}
            )

        specs = {
            name: tf.TensorSpec([None], tf.float32 if column in numeric else tf.string, name=name)
            for column, name in names.items()
        }
        return serve.get_concrete_function(**specs)

    def _probabilities(self, raw: dict[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        transformed = self._transform(raw)
        rows = next(iter(raw.values())).dense_shape[0]
        numbers = transformed.get(NUMBERS, tf.zeros([rows, 0], tf.float32))
        categories = transformed.get(CATEGORIES, tf.zeros([rows, 0], tf.int64))
        members = self._model((numbers, tf.cast(categories, tf.int32)), training=False)
        logits = tf.reduce_mean(members, axis=1) * self._slopes + self._intercepts
        probabilities = tf.sigmoid(logits)
        return {
            task: probabilities[:, column : column + 1]
            for column, task in enumerate(self._inputs.tasks)
        }


def argument_names(inputs: ModelInputs) -> dict[str, str]:
    """Argument of the `columns` signature for every feature.

    Args:
        inputs: Columns of the raw examples.

    Returns:
        Argument by column: its name, with `_` for characters that TensorFlow does not allow, and
        `x` prepended if it does not start with a letter.

    Raises:
        UserError: Two columns get the same name.
    """
    names: dict[str, str] = {}
    for column in inputs.features:
        name = re.sub(r"[^A-Za-z0-9_]", "_", column)
        name = name if name[:1].isalpha() else f"x{name}"
        twin = next((other for other, taken in names.items() if taken == name), None)
        if twin is not None:
            raise UserError(
                f"Features {twin!r} and {column!r} are both {name!r} to the served model: "
                "rename one of them in the study file."
            )
        names[column] = name
    return names


def save(
    fitted: Fitted, transform_output: tft.TFTransformOutput, inputs: ModelInputs, folder: str | Path
) -> None:
    """Writes the model with its signatures.

    Args:
        fitted: The trained model.
        transform_output: Transform's output that it was trained on.
        inputs: Columns of the raw examples.
        folder: Destination of the SavedModel, a local path or a URI.
    """
    served = ServedModel(fitted, transform_output, inputs)
    tf.saved_model.save(served, str(folder), signatures=served.concrete_signatures())


def _sparse(column: tf.Tensor) -> tf.SparseTensor:
    """Converts a column to at most one value per row, without missing ones."""
    missing = tf.math.is_nan(column) if column.dtype.is_floating else tf.equal(column, "")
    rows = tf.where(tf.logical_not(missing))
    indices = tf.concat([rows, tf.zeros_like(rows)], axis=1)
    shape = tf.stack([tf.size(column, out_type=tf.int64), 1])
    return tf.SparseTensor(indices, tf.gather(column, rows[:, 0]), shape)
