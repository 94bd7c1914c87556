"""Saves a model again with some of its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def save_with_tasks(source: str, target: str, tasks: Sequence[str]) -> None:
    """Saves a SavedModel with the outputs of some tasks in each of its signatures.

    Args:
        source: Folder of the SavedModel, a local path or a URI.
        target: Folder of the new one.
        tasks: Tasks that it serves.
    """
    loaded = tf.saved_model.load(source)
    restricted = tf.Module()
    # Keeps variables and lookup tables.
    restricted.loaded = loaded
    signatures = {
        name: _restrict(signature, tasks) for name, signature in loaded.signatures.items()
    }
    tf.saved_model.save(restricted, target, signatures=signatures)


def _restrict(signature: Any, tasks: Sequence[str]) -> Any:
    """A signature of the same inputs with the outputs of some tasks."""

    @tf.function(autograph=False)
    def serve(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = signature(**inputs)
        return {task: outputs[task] for task in tasks}

    _, inputs = signature.structured_input_signature
    specs = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()
    }
    return serve.get_concrete_function(**specs)
