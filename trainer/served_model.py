"""Predicts subjects by a saved model in a reproducible way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework import errors

from pipeline.errors import UserError
from pipeline.names import EXAMPLES_SIGNATURE
from trainer.records import read_records

_BLOCK_ROWS = 256
_BATCH_ROWS = 8192


class KeywordSignature:
    """Calls a signature by keyword, with a constant number of rows.

    TFMA passes the input by position, which TensorFlow accepts only after a failed binding whose
    error message contains all examples of the batch.

    Beam adapts the size of batches to their duration, and the last digit of a probability depends
    on the batch size: blocks of a constant size make metrics reproducible.
    """

    def __init__(self, signature: Any) -> None:
        self._signature = signature
        self.structured_input_signature = signature.structured_input_signature
        (self._name,) = self.structured_input_signature[1]

    def __call__(self, examples: Any) -> Any:
        """Outputs of the signature, by name.

        Args:
            examples: Serialized examples, bytes `[rows]`; one at least.
        """
        rows = np.asarray(examples)
        blocks = [
            self._of_block(rows[start : start + _BLOCK_ROWS])
            for start in range(0, len(rows), _BLOCK_ROWS)
        ]
        return {name: tf.concat([block[name] for block in blocks], 0) for name in blocks[0]}

    def _of_block(self, rows: NDArray[Any]) -> dict[str, Any]:
        padding = np.repeat(rows[-1:], _BLOCK_ROWS - len(rows))
        outputs = self._call(tf.constant(np.concatenate([rows, padding]).astype(object)))
        return {name: values[: len(rows)] for name, values in outputs.items()}

    def _call(self, examples: Any) -> Any:
        try:
            return self._signature(**{self._name: examples})
        except (TypeError, errors.InvalidArgumentError) as error:
            # Without the cause: messages of TensorFlow and TFMA quote the examples.
            raise UserError(
                f"The model can't process these examples ({type(error).__name__}). Train it on "
                "examples of the same study file."
            ) from None


class KeywordModel:
    """A loaded model's signatures that take serialized examples."""

    def __init__(self, model: Any) -> None:
        self._model = model  # Keeps the variables alive.
        self.signatures = {
            name: KeywordSignature(signature)
            for name, signature in model.signatures.items()
            if len(signature.structured_input_signature[1]) == 1
        }

    @classmethod
    def load(cls, folder: str) -> KeywordModel:
        """Loads a SavedModel from its folder."""
        return cls(tf.saved_model.load(folder))

    def probabilities(
        self, examples: NDArray[np.object_], tasks: Sequence[str]
    ) -> NDArray[np.float32]:
        """Probabilities of some tasks; float32 `[rows, tasks]`.

        Args:
            examples: Serialized examples, bytes `[rows]`; one at least.
            tasks: Names of the tasks, which are outputs of the signature `serving_default`.
        """
        outputs = self.signatures[EXAMPLES_SIGNATURE](examples)
        columns = [np.ravel(outputs[task].numpy()) for task in tasks]
        return np.stack(columns, axis=1).astype(np.float32)


def read_batches(folder: str) -> Iterator[NDArray[np.object_]]:
    """Serialized examples of a split, bytes `[rows]` each, in the order of its files.

    Args:
        folder: Folder of gzipped TFRecords, a local path or a URI.
    """
    for batch in read_records([f"{folder}/*"]).batch(_BATCH_ROWS):
        yield batch.numpy()
