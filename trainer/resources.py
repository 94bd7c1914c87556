"""SavedModels that hold what their signatures need, and nothing else.

A model that is saved with a whole loaded model, a layer or a module has all functions of these as
well, and TensorFlow builds each of them again when it is loaded and keeps it in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

_KINDS = (tf.Variable, tf.saved_model.experimental.TrackableResource, tf.saved_model.Asset)


def resources_of(model: Any) -> list[Any]:
    """Variables, lookup tables and their files that a loaded SavedModel keeps.

    Args:
        model: The loaded model.
    """
    descendants = tf.train.TrackableView(model).descendants()
    return [found for found in descendants if isinstance(found, _KINDS)]


def save_signatures(signatures: Mapping[str, Any], resources: Sequence[Any], folder: str) -> None:
    """Writes a SavedModel.

    Args:
        signatures: Concrete functions by name.
        resources: Variables, lookup tables and files that they use.
        folder: Its folder, a local path or a URI.
    """
    saved = tf.Module()
    saved.resources = list(resources)
    tf.saved_model.save(saved, folder, signatures=dict(signatures))
