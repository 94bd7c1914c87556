"""The saved model: Transform's graph, the ensemble, the calibration, and why it predicts so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from pipeline import storage
from pipeline.names import EXAMPLES_SIGNATURE
from pipeline.results.contributions import (
    CONTRIBUTIONS_FILE,
    CONTRIBUTIONS_SIGNATURE,
    INTERACTIONS_SIGNATURE,
    ContributionColumns,
)
from pipeline.results.importance import Importance
from pipeline.results.signatures import COLUMNS_SIGNATURE, argument_names, of_columns
from trainer.arrays import Arrays
from trainer.contributions import Contributions, reference_codes
from trainer.features import CATEGORIES, NUMBERS, ModelInputs
from trainer.fit import Fitted
from trainer.importance import measure_importance
from trainer.preprocessing import SEPARATOR, VOCABULARY

_Raw = tuple[tf.SparseTensor, ...]
"""The features in the order of `ModelInputs.features`, at most one value a row."""

_Answer = Callable[[_Raw], dict[str, tf.Tensor]]


class ServedModel(tf.Module):
    """Probabilities of every task from raw subjects, and contributions to them."""

    def __init__(
        self, fitted: Fitted, transform_output: tft.TFTransformOutput, inputs: ModelInputs
    ) -> None:
        super().__init__()
        self._model = fitted.model
        self._inputs = inputs
        self._slopes = tf.constant(fitted.calibration.slopes, tf.float32)
        self._intercepts = tf.constant(fitted.calibration.intercepts, tf.float32)
        layer = transform_output.transform_features_layer()
        # Its tables are saved, the layer is not: Keras would trace Transform's graph three times.
        self._tables = layer._saved_model_loader._imported
        self._transform = layer.__call__
        # One trace for all signatures: that of Transform's graph takes longer than all else.
        # Nothing here has control flow of Python for AutoGraph, which takes longer still.
        self._transformed = tf.function(
            self._transform_raw, input_signature=[self._raw_spec()], autograph=False
        )
        self._parsed = tf.function(self._parse, autograph=False)
        self._collected = tf.function(self._collect, autograph=False)
        vocabulary = _vocabulary(transform_output, inputs)
        codes = reference_codes(vocabulary, len(inputs.categorical))
        self._contributions = Contributions(self._log_odds, len(inputs.numeric), codes)
        self.contribution_columns = ContributionColumns(
            features=inputs.features,
            reference={
                name: _category(vocabulary, code)
                for name, code in zip(inputs.categorical, codes, strict=True)
            },
        )

    def concrete_signatures(self, explains: bool) -> dict[str, Any]:
        """Signatures to save the module with.

        Args:
            explains: Whether those of contributions and interactions are among them.

        Returns:
            `serving_default`, `contributions` and `interactions` take `examples`, string `[batch]`,
            serialised `tf.Example`s; `columns`, `columns_contributions` and `columns_interactions`
            take each feature under its argument name, `[batch]`, float32 with NaN or string with ""
            where missing. All return an output for each task, float32: the probability
            `[batch, 1]`, the contributions to its log odds `[batch, features + 1]`, or what pairs
            of features do together `[batch, features, features]`. See
            `pipeline.results.contributions` for the order of the features.
        """
        signatures = {}
        answers = [(EXAMPLES_SIGNATURE, COLUMNS_SIGNATURE, self._probabilities)]
        if explains:
            answers += [
                (CONTRIBUTIONS_SIGNATURE, of_columns(CONTRIBUTIONS_SIGNATURE), self._explain),
                (INTERACTIONS_SIGNATURE, of_columns(INTERACTIONS_SIGNATURE), self._pair),
            ]
        for name, by_columns, answer in answers:
            traced = tf.function(answer, input_signature=[self._raw_spec()], autograph=False)
            signatures[name] = self._examples_signature(traced)
            signatures[by_columns] = self._columns_signature(traced)
        return signatures

    def importance(self, arrays: Arrays) -> Importance:
        """Importance of the features over subjects.

        Args:
            arrays: Transformed subjects.
        """
        inputs = self._inputs
        return measure_importance(self._contributions, arrays, inputs.features, inputs.tasks)

    def _raw_spec(self) -> tuple[tf.SparseTensorSpec, ...]:
        numeric, categorical = self._inputs.numeric, self._inputs.categorical
        dtypes = [tf.float32] * len(numeric) + [tf.string] * len(categorical)
        return tuple(tf.SparseTensorSpec([None, None], dtype) for dtype in dtypes)

    def _examples_signature(self, answer: _Answer) -> Any:
        @tf.function(autograph=False)
        def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            return answer(self._parsed(examples))

        return serve.get_concrete_function(tf.TensorSpec([None], tf.string, name="examples"))

    def _columns_signature(self, answer: _Answer) -> Any:
        numeric, names = self._inputs.numeric, argument_names(self._inputs.features)

        @tf.function(autograph=False)
        def serve(**columns: tf.Tensor) -> dict[str, tf.Tensor]:
            return answer(self._collected(columns))

        specs = {
            name: tf.TensorSpec([None], tf.float32 if column in numeric else tf.string, name=name)
            for column, name in names.items()
        }
        return serve.get_concrete_function(**specs)

    def _parse(self, examples: tf.Tensor) -> _Raw:
        spec = {name: tf.io.VarLenFeature(tf.float32) for name in self._inputs.numeric}
        spec |= {name: tf.io.VarLenFeature(tf.string) for name in self._inputs.categorical}
        parsed = tf.io.parse_example(examples, spec)
        return tuple(parsed[name] for name in self._inputs.features)

    def _collect(self, columns: Mapping[str, tf.Tensor]) -> _Raw:
        names = argument_names(self._inputs.features)
        return tuple(_sparse(columns[names[name]]) for name in self._inputs.features)

    def _probabilities(self, raw: _Raw) -> dict[str, tf.Tensor]:
        probabilities = tf.sigmoid(self._log_odds(*self._transformed(raw)))
        return {
            task: probabilities[:, column : column + 1]
            for column, task in enumerate(self._inputs.tasks)
        }

    def _explain(self, raw: _Raw) -> dict[str, tf.Tensor]:
        return self._by_task(self._contributions(*self._transformed(raw)))

    def _pair(self, raw: _Raw) -> dict[str, tf.Tensor]:
        return self._by_task(self._contributions.pairs(*self._transformed(raw)))

    def _by_task(self, found: tf.Tensor) -> dict[str, tf.Tensor]:
        return {task: found[..., column] for column, task in enumerate(self._inputs.tasks)}

    def _transform_raw(self, raw: _Raw) -> tuple[tf.Tensor, tf.Tensor]:
        transformed = self._transform(dict(zip(self._inputs.features, raw, strict=True)))
        rows = raw[0].dense_shape[0]
        numbers = transformed.get(NUMBERS, tf.zeros([rows, 0], tf.float32))
        categories = transformed.get(CATEGORIES, tf.zeros([rows, 0], tf.int64))
        return numbers, tf.cast(categories, tf.int32)

    def _log_odds(self, numbers: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        members = self._model((numbers, codes), training=False)
        return tf.reduce_mean(members, axis=1) * self._slopes + self._intercepts


def save(
    fitted: Fitted,
    transform_output: tft.TFTransformOutput,
    inputs: ModelInputs,
    folder: str | Path,
    explains: bool = True,
) -> ServedModel:
    """Writes the model with its signatures.

    Args:
        fitted: The trained model.
        transform_output: Transform's output that it was trained on.
        inputs: Columns of the raw examples.
        folder: Destination of the SavedModel, a local path or a URI.
        explains: Whether it has the signatures of contributions and interactions.

    Returns:
        The model that was saved.
    """
    served = ServedModel(fitted, transform_output, inputs)
    tf.saved_model.save(served, str(folder), signatures=served.concrete_signatures(explains))
    if explains:
        path = f"{folder}/{CONTRIBUTIONS_FILE}"
        storage.write_whole(path, served.contribution_columns.model_dump_json(indent=1).encode())
    return served


def _vocabulary(transform_output: tft.TFTransformOutput, inputs: ModelInputs) -> Sequence[bytes]:
    if not inputs.categorical:
        return ()
    found: Sequence[bytes] = transform_output.vocabulary_by_name(VOCABULARY)
    return found


def _category(vocabulary: Sequence[bytes], code: int) -> str | None:
    """The category with a code, None for a code of rare ones."""
    if code >= len(vocabulary):
        return None
    return vocabulary[code].decode().partition(SEPARATOR)[2]


def _sparse(column: tf.Tensor) -> tf.SparseTensor:
    """Converts a column to at most one value per row, without missing ones."""
    missing = tf.math.is_nan(column) if column.dtype.is_floating else tf.equal(column, "")
    rows = tf.where(tf.logical_not(missing))
    indices = tf.concat([rows, tf.zeros_like(rows)], axis=1)
    shape = tf.stack([tf.size(column, out_type=tf.int64), 1])
    return tf.SparseTensor(indices, tf.gather(column, rows[:, 0]), shape)
