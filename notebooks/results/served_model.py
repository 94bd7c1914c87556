"""Predictions of a run's saved model for rows that combine values of several subjects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.trial_example_gen.encoding import encode_examples
from notebooks.results.feature_sources import Source
from pipeline.documents import parse_document
from pipeline.errors import UserError
from pipeline.names import EXAMPLES_SIGNATURE
from pipeline.reading.examples import Categories, ExampleColumns
from pipeline.results.contributions import (
    CONTRIBUTIONS_FILE,
    CONTRIBUTIONS_SIGNATURE,
    INTERACTIONS_SIGNATURE,
    ContributionColumns,
)
from pipeline.storage import read

Predict = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Maps `origin` [rows, sources], the place of the subject that each value is taken from, to
probabilities [rows, tasks]."""

_BLOCK_ROWS = 8192
_EXPLAINED_ROWS = 256
"""Rows at a time of signatures that evaluate the model many times for each."""


class SavedModel:
    """The model of a run, called by its serving signature.

    Args:
        folder: Folder of the SavedModel, a local path or a URI.
        tasks: Its tasks, in the order of their probabilities.

    Raises:
        UserError: There is no model with this signature and these tasks.
    """

    def __init__(self, folder: str, tasks: Sequence[str]) -> None:
        import tensorflow as tf

        try:
            # Keeps the variables alive.
            self._model = tf.saved_model.load(folder)
        except OSError as error:
            raise UserError(f"{folder}: can't load a SavedModel ({error}).") from error
        self._folder = folder
        self._tasks = tuple(tasks)
        signature = self._model.signatures.get(EXAMPLES_SIGNATURE)
        outputs = signature.structured_outputs if signature is not None else {}
        missing = [task for task in self._tasks if task not in outputs]
        if missing:
            raise UserError(
                f"{folder}: the signature {EXAMPLES_SIGNATURE} has no output {', '.join(missing)}. "
                "Open a run whose model was trained with its own study file."
            )

    def predict(self, columns: dict[str, pa.Array]) -> NDArray[np.float64]:
        """Probabilities of subjects.

        Args:
            columns: Each feature, float or text [n]; null where missing.

        Returns:
            Probabilities, shape [n, tasks].

        Raises:
            UserError: The model can't process the columns.
        """
        return self._call(EXAMPLES_SIGNATURE, columns, _BLOCK_ROWS)[:, 0]

    def contributions(self, columns: dict[str, pa.Array]) -> NDArray[np.float64]:
        """Contributions of the features to the log odds of subjects.

        Returns:
            Shape [n, features, tasks], features in the order of `contribution_features`.

        Raises:
            UserError: The model can't process the columns.
        """
        return self._call(CONTRIBUTIONS_SIGNATURE, columns, _EXPLAINED_ROWS)[:, :-1]

    def interactions(self, columns: dict[str, pa.Array]) -> NDArray[np.float64]:
        """What pairs of features do together to the log odds of subjects.

        Returns:
            Shape [n, features, features, tasks].

        Raises:
            UserError: The model can't process the columns.
        """
        return self._call(INTERACTIONS_SIGNATURE, columns, _EXPLAINED_ROWS)

    @cached_property
    def contribution_features(self) -> tuple[str, ...]:
        """Features of the contributions; none for a model that was saved without."""
        content = read(f"{self._folder}/{CONTRIBUTIONS_FILE}")
        if content is None:
            return ()
        return parse_document(
            ContributionColumns,
            content,
            CONTRIBUTIONS_FILE,
            "the columns of a model's contributions",
            "Run the pipeline again.",
        ).features

    def _call(self, signature: str, columns: dict[str, pa.Array], rows: int) -> NDArray[np.float64]:
        """Outputs of a signature, with the tasks as the last axis."""
        import tensorflow as tf

        serve = self._model.signatures[signature]
        examples = encode_examples(columns).to_numpy(zero_copy_only=False)
        blocks = []
        # At least one call, so that no subject has outputs of the right shape as well.
        for start in range(0, max(len(examples), 1), rows):
            try:
                outputs = serve(examples=tf.constant(examples[start : start + rows], tf.string))
            except (TypeError, tf.errors.InvalidArgumentError) as error:
                # Without the cause: TensorFlow's messages quote the input.
                raise UserError(
                    f"The saved model can't process the examples ({type(error).__name__}): it was "
                    "trained on other columns."
                ) from None
            blocks.append(np.stack([outputs[task].numpy() for task in self._tasks], axis=-1))
        return np.concatenate(blocks).astype(np.float64)


@dataclass(frozen=True)
class MixedSubjects:
    """Predicts rows that combine values of several subjects.

    Attributes:
        model: The model.
        columns: Features of the subjects that values are taken from.
        sources: Columns that are taken from the same subject.
    """

    model: SavedModel
    columns: ExampleColumns
    sources: tuple[Source, ...]

    def __call__(self, origin: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predicts rows; see `Predict`.

        Args:
            origin: Places of subjects, shape [rows, sources].

        Returns:
            Probabilities, shape [rows, tasks].
        """
        taken: dict[str, pa.Array] = {}
        for place, source in enumerate(self.sources):
            for column in source.columns:
                taken[column] = self._taken(column, origin[:, place])
        return self.model.predict(taken)

    def of_subjects(self, places: NDArray[np.int64]) -> dict[str, pa.Array]:
        """The model's columns of some subjects, unmixed."""
        return {
            column: self._taken(column, places)
            for source in self.sources
            for column in source.columns
        }

    def _taken(self, column: str, rows: NDArray[np.int64]) -> pa.Array:
        if column in self.columns.numbers:
            return pa.array(self.columns.numbers[column][rows], from_pandas=True)
        return _texts(self.columns.categories[column], rows)


def unmixed(subjects: int | NDArray[np.int64], sources: int) -> NDArray[np.int64]:
    """Origin of unchanged rows: every value from the subject itself.

    Args:
        subjects: Places of subjects, or how many there are.
        sources: Number of sources.

    Returns:
        Shape [rows, sources].
    """
    places = np.arange(subjects) if isinstance(subjects, int) else subjects
    return np.repeat(places[:, None], sources, axis=1)


def _texts(column: Categories, rows: NDArray[np.int64]) -> Any:
    codes = column.codes[rows]
    indices = pa.array(codes, mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(column.values, pa.string())).cast(
        pa.string()
    )
