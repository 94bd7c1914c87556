"""The least that MLServer needs to serve a SavedModel, for `benchmarks.serving`.

It runs in the environment of requirements/mlserver.txt, and imports nothing of the project.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

SIGNATURE = "columns"


class ColumnsModel(MLModel):
    """A SavedModel with a signature that takes a tensor a column."""

    async def load(self) -> bool:
        """Loads it from the address of its settings."""
        self._loaded = tf.saved_model.load(self.settings.parameters.uri)
        self._signature = self._loaded.signatures[SIGNATURE]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answers with all outputs of the signature."""
        arguments = {
            tensor.name: tf.constant(StringCodec.decode_input(tensor))
            if tensor.datatype == "BYTES"
            else tf.constant(NumpyCodec.decode_input(tensor).astype(np.float32))
            for tensor in payload.inputs
        }
        outputs = self._signature(**arguments)
        return InferenceResponse(
            model_name=self.name,
            outputs=[NumpyCodec.encode_output(name, v.numpy()) for name, v in outputs.items()],
        )
