"""Transform's saved graph as a function from raw features to numbers and codes."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft

from trainer.features import CATEGORIES, NUMBERS, ModelInputs
from trainer.preprocessing import read_vocabulary
from trainer.resources import resources_of

Raw = tuple[tf.SparseTensor, ...]
"""The features in the order of `ModelInputs.features`, at most one value a row."""


class Transformation:
    """The graph, traced once for all that reads examples or serves a model.

    Its trace takes longer than all else that is traced, and nothing in it has control flow of
    Python for AutoGraph, which takes longer still.

    Args:
        transform_output: Transform's output.
        inputs: Columns that the model reads.

    Attributes:
        inputs: Columns that the model reads.
        resources: What a model that uses the graph is saved with: its lookup tables. The layer
            itself is not: Keras would trace the graph three times.
        vocabulary: Transform's categories.
        raw_spec: Specification of raw features.
        apply: Numbers float32 and codes int32 of raw features, each `[batch, columns]`.
    """

    def __init__(self, transform_output: tft.TFTransformOutput, inputs: ModelInputs) -> None:
        layer = transform_output.transform_features_layer()
        self._layer = layer.__call__
        self.inputs = inputs
        self.resources = resources_of(layer._saved_model_loader._imported)
        self.vocabulary = read_vocabulary(transform_output, inputs)
        self.raw_spec = _raw_spec(inputs)
        self.apply = tf.function(self._apply, input_signature=[self.raw_spec], autograph=False)

    def _apply(self, raw: Raw) -> tuple[tf.Tensor, tf.Tensor]:
        transformed = self._layer(dict(zip(self.inputs.features, raw, strict=True)))
        rows = raw[0].dense_shape[0]
        numbers = transformed.get(NUMBERS, tf.zeros([rows, 0], tf.float32))
        categories = transformed.get(CATEGORIES, tf.zeros([rows, 0], tf.int64))
        return numbers, tf.cast(categories, tf.int32)


def _raw_spec(inputs: ModelInputs) -> tuple[tf.SparseTensorSpec, ...]:
    dtypes = [tf.float32] * len(inputs.numeric) + [tf.string] * len(inputs.categorical)
    return tuple(tf.SparseTensorSpec([None, None], dtype) for dtype in dtypes)
