"""A SavedModel that answers for columns by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.names import EXAMPLES_SIGNATURE, slice_key
from pipeline.results.contributions import CONTRIBUTIONS_SIGNATURE
from pipeline.results.signatures import COLUMNS_SIGNATURE, SLICES_SIGNATURE, of_columns
from pipeline.service.inputs import Inputs

_BLOCK_ROWS = 1024
_EXPLAINED = of_columns(CONTRIBUTIONS_SIGNATURE)

Arguments = Mapping[str, NDArray[Any]]
"""Arrays `[n]` by argument of a signature that takes columns."""

Outputs = dict[str, NDArray[Any]]
"""Arrays `[n, ...]` by output of a signature."""


@dataclass(frozen=True)
class ColumnsModel:
    """The signatures of a loaded model that take columns.

    Attributes:
        loaded: What TensorFlow loaded: it keeps variables and tables.
        signature: Name of the signature that predicts.
        joined: That signature, of all numbers and all texts at once.
        outputs: Outputs of the signature `columns`.
        slicings: Slicings whose value it takes; none where all sets are those of a subject whose
            groups are not known, because the study has no groups or the model is of an earlier
            release.
        explains: Whether it has contributions.
    """

    loaded: Any
    signature: str
    joined: JoinedSignature
    outputs: tuple[str, ...]
    slicings: tuple[str, ...]
    explains: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names by which a client may ask for it."""
        return tuple(dict.fromkeys((EXAMPLES_SIGNATURE, COLUMNS_SIGNATURE, self.signature)))

    def predict(self, arguments: Arguments, slices: Mapping[str, NDArray[Any]]) -> Outputs:
        """Answers of the signature that predicts, `[n, 1]` each.

        Args:
            arguments: Arguments of the signature `columns`.
            slices: Value of each subject by slicing, `""` where it is not known.
        """
        groups = {
            slice_key(name): np.array([text.encode() for text in slices[name]], object)
            for name in self.slicings
        }
        return _in_blocks(self.joined, {**arguments, **groups})

    def contributions(self, arguments: Arguments) -> Outputs:
        """Contributions to the log odds by task, `[n, features + 1]`; last the reference's."""
        # TensorFlow takes seconds to import.
        import tensorflow as tf

        def explain(block: Arguments) -> Mapping[str, Any]:
            tensors = {argument: tf.constant(values) for argument, values in block.items()}
            return self.loaded.signatures[_EXPLAINED](**tensors)

        return _in_blocks(explain, arguments)


class JoinedSignature:
    """A signature that takes columns, called with one tensor of all numbers and one of all texts.

    Making a tensor of each column and handing it over takes as long as the model itself.

    Args:
        signature: The signature, loaded.
    """

    def __init__(self, signature: Any) -> None:
        import tensorflow as tf

        specs = signature.structured_input_signature[1]
        numbers = tuple(name for name, spec in specs.items() if spec.dtype.is_floating)
        texts = tuple(name for name in specs if name not in numbers)

        @tf.function(
            autograph=False,
            input_signature=[
                tf.TensorSpec([len(numbers), None], tf.float32),
                tf.TensorSpec([len(texts), None], tf.string),
            ],
        )
        def joined(of_numbers: Any, of_texts: Any) -> Any:
            columns = {name: of_numbers[place] for place, name in enumerate(numbers)}
            columns |= {name: of_texts[place] for place, name in enumerate(texts)}
            return signature(**columns)

        self._numbers, self._texts = numbers, texts
        self._function = joined.get_concrete_function()

    def __call__(self, arguments: Arguments) -> Mapping[str, Any]:
        """Outputs of the signature, tensors `[n, ...]`.

        Args:
            arguments: Its arguments, `[n]` each.
        """
        import tensorflow as tf

        rows = len(next(iter(arguments.values())))
        numbers = np.empty((len(self._numbers), rows), np.float32)
        texts = np.empty((len(self._texts), rows), object)
        for place, name in enumerate(self._numbers):
            numbers[place] = arguments[name]
        for place, name in enumerate(self._texts):
            texts[place] = arguments[name]
        return self._function(tf.constant(numbers), tf.constant(texts, tf.string))


def _in_blocks(call: Callable[[Arguments], Mapping[str, Any]], arguments: Arguments) -> Outputs:
    """Outputs of any number of rows."""
    rows = len(next(iter(arguments.values())))
    blocks = []
    for start in range(0, rows, _BLOCK_ROWS):
        block = {name: values[start : start + _BLOCK_ROWS] for name, values in arguments.items()}
        blocks.append({key: found.numpy() for key, found in call(block).items()})
    if len(blocks) == 1:
        return blocks[0]
    return {key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]}


def load_model(folder: str, inputs: Inputs, slicings: Sequence[str]) -> ColumnsModel:
    """Loads a SavedModel, and calls it once with nothing known.

    Args:
        folder: Its folder, a local path.
        inputs: The columns that it is to read.
        slicings: Slicings of its study.

    Raises:
        UserError: It can't be loaded or called, or reads other columns.
    """
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(folder)
    except Exception as error:
        raise UserError(f"The model can't be loaded ({type(error).__name__}).") from error
    if COLUMNS_SIGNATURE not in loaded.signatures:
        raise UserError(f"The model has no signature `{COLUMNS_SIGNATURE}`: train it again.")
    signature = loaded.signatures[COLUMNS_SIGNATURE]
    _check_arguments(signature.structured_input_signature[1], inputs)
    taken = _slicings(loaded, slicings)
    predicts = SLICES_SIGNATURE if taken else COLUMNS_SIGNATURE
    model = ColumnsModel(
        loaded=loaded,
        signature=predicts,
        joined=JoinedSignature(loaded.signatures[predicts]),
        outputs=tuple(sorted(signature.structured_outputs)),
        slicings=taken,
        explains=_EXPLAINED in loaded.signatures,
    )
    try:
        nothing = np.array([""], object)
        model.predict(_nothing_known(inputs), dict.fromkeys(slicings, nothing))
        if model.explains:
            model.contributions(_nothing_known(inputs))
    except Exception as error:
        raise UserError(f"The model does not answer ({type(error).__name__}).") from error
    return model


def _slicings(loaded: Any, expected: Sequence[str]) -> tuple[str, ...]:
    """Slicings that a model takes, as far as the study has them; checked against the study."""
    if SLICES_SIGNATURE not in loaded.signatures:
        return ()
    specs = loaded.signatures[SLICES_SIGNATURE].structured_input_signature[1]
    read = loaded.signatures[COLUMNS_SIGNATURE].structured_input_signature[1]
    if set(specs) - set(read) != {slice_key(name) for name in expected}:
        raise UserError(
            "The model and the study file of its card disagree on the slicings: they are not of "
            "one run."
        )
    return tuple(expected)


def _check_arguments(specs: Mapping[str, Any], inputs: Inputs) -> None:
    read = {name: spec.dtype.is_floating for name, spec in specs.items()}
    expected = {column.argument: column.kind == "number" for column in inputs.columns}
    if read != expected:
        differing = sorted(
            name
            for name in read.keys() | expected.keys()
            if name not in read or read[name] != expected.get(name)
        )
        raise UserError(
            f"The model and the study file of its card disagree on {', '.join(differing)}: they "
            "are not of one run."
        )


def _nothing_known(inputs: Inputs) -> Arguments:
    return {
        column.argument: np.array([np.nan], np.float32)
        if column.kind == "number"
        else np.array([b""], object)
        for column in inputs.columns
    }
