"""Predictions of a run's saved model for rows that combine values of several subjects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.trial_example_gen.encoding import encode_examples
from notebooks.results.feature_sources import Source
from pipeline.errors import UserError
from pipeline.reading.examples import Categories, ExampleColumns

Predict = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""Maps `origin` [rows, sources], the place of the subject that each value is taken from, to
probabilities [rows, tasks]."""

_SIGNATURE = "serving_default"
_BLOCK_ROWS = 8192


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
        self._signature = self._model.signatures.get(_SIGNATURE)
        self._tasks = tuple(tasks)
        outputs = self._signature.structured_outputs if self._signature is not None else {}
        missing = [task for task in self._tasks if task not in outputs]
        if missing:
            raise UserError(
                f"{folder}: the signature {_SIGNATURE} has no output {', '.join(missing)}. Open a "
                "run whose model was trained with its own study file."
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
        import tensorflow as tf

        examples = encode_examples(columns).to_numpy(zero_copy_only=False)
        blocks = [np.empty((0, len(self._tasks)))]
        for start in range(0, len(examples), _BLOCK_ROWS):
            block = tf.constant(examples[start : start + _BLOCK_ROWS])
            try:
                outputs = self._signature(examples=block)
            except (TypeError, tf.errors.InvalidArgumentError) as error:
                # Without the cause: TensorFlow's messages quote the input.
                raise UserError(
                    f"The saved model can't process the examples ({type(error).__name__}): it was "
                    "trained on other columns."
                ) from None
            blocks.append(
                np.concatenate([outputs[task].numpy() for task in self._tasks], axis=1).astype(
                    np.float64
                )
            )
        return np.concatenate(blocks)


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
