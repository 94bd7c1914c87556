"""Saves a model again with other outputs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from pipeline.storage import copy_folder, files_below
from trainer.resources import resources_of, save_signatures

Inputs = Mapping[str, tf.Tensor]
Outputs = Mapping[str, tf.Tensor]
Change = Callable[[str, Inputs, Outputs], Outputs]
"""Makes the outputs of a signature from its name, its inputs and the outputs that it has."""

_EXTRA = "assets.extra"


@dataclass(frozen=True)
class MoreInputs:
    """A further signature: it takes what another one takes, and more.

    Attributes:
        signature: Its name.
        of: Name of the other one, whose outputs are changed for it.
        names: What it takes besides: texts, `[batch]` each.
    """

    signature: str
    of: str
    names: tuple[str, ...]


def save_with_outputs(
    source: str,
    target: str,
    change: Change,
    more: MoreInputs | None = None,
    kept: Collection[str] = (),
) -> None:
    """Saves a SavedModel with the same signatures, whose outputs are changed.

    What `assets.extra` says of the model is kept.

    Args:
        source: Folder of the SavedModel, a local path or a URI.
        target: Folder of the new one.
        change: Makes the outputs of each signature.
        more: A further signature; None for none.
        kept: Signatures that stay as they are: `change` is not asked, and nothing is traced.
    """
    loaded = tf.saved_model.load(source)
    signatures = {
        name: signature if name in kept else _changed(name, signature, change)
        for name, signature in loaded.signatures.items()
    }
    if more:
        of = loaded.signatures[more.of]
        signatures[more.signature] = _changed(more.signature, of, change, more.names)
    save_signatures(signatures, resources_of(loaded), target)
    if files_below(f"{source}/{_EXTRA}"):
        copy_folder(f"{source}/{_EXTRA}", f"{target}/{_EXTRA}")


def _changed(name: str, signature: Any, change: Change, more: Sequence[str] = ()) -> Any:
    _, own = signature.structured_input_signature

    @tf.function(autograph=False)
    def serve(**inputs: tf.Tensor) -> Outputs:
        return dict(change(name, inputs, signature(**{key: inputs[key] for key in own})))

    specs = {key: tf.TensorSpec(spec.shape, spec.dtype, name=key) for key, spec in own.items()} | {
        key: tf.TensorSpec([None], tf.string, name=key) for key in more
    }
    return serve.get_concrete_function(**specs)
