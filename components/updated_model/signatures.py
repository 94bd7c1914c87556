"""Saves a model again with recalibrated probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from pipeline.results.registration import Recalibrated

_SMALLEST_PROBABILITY = 1e-7
"""As in the fit of the recalibration."""


def save_updated(source: str, target: str, tasks: Mapping[str, Recalibrated]) -> None:
    """Saves a SavedModel with the same signatures, whose probabilities are recalibrated.

    Args:
        source: Folder of the SavedModel, a local path or a URI.
        target: Folder of the new one.
        tasks: Linear function of the logit of each task that is updated.
    """
    loaded = tf.saved_model.load(source)
    updated = tf.Module()
    # Keeps variables and lookup tables.
    updated.loaded = loaded
    signatures = {
        name: _recalibrate_outputs(signature, tasks)
        for name, signature in loaded.signatures.items()
    }
    tf.saved_model.save(updated, target, signatures=signatures)


def _recalibrate_outputs(signature: Any, tasks: Mapping[str, Recalibrated]) -> Any:
    @tf.function(autograph=False)
    def serve(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            task: _recalibrate(probability, tasks[task]) if task in tasks else probability
            for task, probability in signature(**inputs).items()
        }

    _, inputs = signature.structured_input_signature
    specs = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()
    }
    return serve.get_concrete_function(**specs)


def _recalibrate(probability: tf.Tensor, update: Recalibrated) -> tf.Tensor:
    inner = tf.clip_by_value(
        tf.cast(probability, tf.float64), _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY
    )
    logit = tf.math.log(inner) - tf.math.log1p(-inner)
    updated = tf.sigmoid(update.intercept + update.slope * logit)
    return tf.cast(updated, probability.dtype)
