"""Saves a model again with other outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

Outputs = Mapping[str, tf.Tensor]


def save_with_outputs(source: str, target: str, change: Callable[[Outputs], Outputs]) -> None:
    """Saves a SavedModel with the same signatures, whose outputs are changed.

    Args:
        source: Folder of the SavedModel, a local path or a URI.
        target: Folder of the new one.
        change: Makes the outputs of a signature from those that it has: probabilities by task.
    """
    loaded = tf.saved_model.load(source)
    saved = tf.Module()
    # Keeps variables and lookup tables.
    saved.loaded = loaded
    signatures = {
        name: _changed(signature, change) for name, signature in loaded.signatures.items()
    }
    tf.saved_model.save(saved, target, signatures=signatures)


def _changed(signature: Any, change: Callable[[Outputs], Outputs]) -> Any:
    @tf.function(autograph=False)
    def serve(**inputs: tf.Tensor) -> Outputs:
        return dict(change(signature(**inputs)))

    _, inputs = signature.structured_input_signature
    specs = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()
    }
    return serve.get_concrete_function(**specs)
