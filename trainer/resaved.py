"""Saves a model again with other outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from pipeline.storage import copy_folder, files_below

Inputs = Mapping[str, tf.Tensor]
Outputs = Mapping[str, tf.Tensor]
Change = Callable[[str, Inputs, Outputs], Outputs]
"""Makes the outputs of a signature from its name, its inputs and the outputs that it has."""

_EXTRA = "assets.extra"


def save_with_outputs(source: str, target: str, change: Change) -> None:
    """Saves a SavedModel with the same signatures, whose outputs are changed.

    What `assets.extra` says of the model is kept.

    Args:
        source: Folder of the SavedModel, a local path or a URI.
        target: Folder of the new one.
        change: Makes the outputs of each signature.
    """
    loaded = tf.saved_model.load(source)
    saved = tf.Module()
    # Keeps variables and lookup tables.
    saved.loaded = loaded
    signatures = {
        name: _changed(name, signature, change) for name, signature in loaded.signatures.items()
    }
    tf.saved_model.save(saved, target, signatures=signatures)
    if files_below(f"{source}/{_EXTRA}"):
        copy_folder(f"{source}/{_EXTRA}", f"{target}/{_EXTRA}")


def _changed(name: str, signature: Any, change: Change) -> Any:
    @tf.function(autograph=False)
    def serve(**inputs: tf.Tensor) -> Outputs:
        return dict(change(name, inputs, signature(**inputs)))

    _, inputs = signature.structured_input_signature
    specs = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()
    }
    return serve.get_concrete_function(**specs)
