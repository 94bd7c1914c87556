"""The saved model: Transform's graph, the ensemble, the calibration, and why it predicts so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

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
from trainer.endpoint.tensors import probabilities
from trainer.fit import Fitted
from trainer.importance import measure_importance
from trainer.model import TrialModel
from trainer.preprocessing import SEPARATOR
from trainer.records import feature_spec
from trainer.resources import save_signatures
from trainer.stack import Stack
from trainer.transformation import Raw, Transformation

_Answer = Callable[[Raw], dict[str, tf.Tensor]]


class ServedModel:
    """Probabilities of every task from raw subjects, and contributions to them.

    Attributes:
        resources: Variables and lookup tables that it is saved with.
    """

    def __init__(self, fitted: Fitted, transformation: Transformation) -> None:
        inputs, vocabulary = transformation.inputs, transformation.vocabulary
        self.resources = [*_variables(fitted.model), *transformation.resources]
        self._model = fitted.model
        self._transformation = transformation
        self._inputs = inputs
        self._slopes = tf.constant(fitted.calibration.slopes, tf.float32)
        self._intercepts = tf.constant(fitted.calibration.intercepts, tf.float32)
        # Nothing here has control flow of Python for AutoGraph, which takes its time.
        self._parsed = tf.function(self._parse, autograph=False)
        self._collected = tf.function(self._collect, autograph=False)
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
        """Signatures to save it with.

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
        of_features = [self._transformation.raw_spec]
        for name, by_columns, answer in answers:
            traced = tf.function(answer, input_signature=of_features, autograph=False)
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

    def _parse(self, examples: tf.Tensor) -> Raw:
        parsed = tf.io.parse_example(examples, feature_spec(self._inputs))
        return tuple(parsed[name] for name in self._inputs.features)

    def _collect(self, columns: Mapping[str, tf.Tensor]) -> Raw:
        names = argument_names(self._inputs.features)
        return tuple(_sparse(columns[names[name]]) for name in self._inputs.features)

    def _probabilities(self, raw: Raw) -> dict[str, tf.Tensor]:
        found = probabilities(self._log_odds(*self._transformation.apply(raw)))
        return {
            task: found[:, column : column + 1] for column, task in enumerate(self._inputs.tasks)
        }

    def _explain(self, raw: Raw) -> dict[str, tf.Tensor]:
        return self._by_task(self._contributions(*self._transformation.apply(raw)))

    def _pair(self, raw: Raw) -> dict[str, tf.Tensor]:
        return self._by_task(self._contributions.pairs(*self._transformation.apply(raw)))

    def _by_task(self, found: tf.Tensor) -> dict[str, tf.Tensor]:
        return {task: found[..., column] for column, task in enumerate(self._inputs.tasks)}

    def _log_odds(self, numbers: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        members = self._model((numbers, codes), training=False)
        return tf.reduce_mean(members, axis=1) * self._slopes + self._intercepts


def save(
    fitted: Fitted,
    transformation: Transformation,
    folder: str | Path,
    explains: bool = True,
) -> ServedModel:
    """Writes the model with its signatures.

    Args:
        fitted: The trained model.
        transformation: Transform's graph that it was trained behind.
        folder: Destination of the SavedModel, a local path or a URI.
        explains: Whether it has the signatures of contributions and interactions.

    Returns:
        The model that was saved.
    """
    served = ServedModel(fitted, transformation)
    save_signatures(served.concrete_signatures(explains), served.resources, str(folder))
    if explains:
        path = f"{folder}/{CONTRIBUTIONS_FILE}"
        storage.write_whole(path, served.contribution_columns.model_dump_json(indent=1).encode())
    return served


def _variables(model: TrialModel | Stack) -> list[tf.Variable]:
    """TensorFlow's variables of a model: Keras has its own, which hold them."""
    return [
        variable if isinstance(variable, tf.Variable) else variable.value
        for variable in model.variables
    ]


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
