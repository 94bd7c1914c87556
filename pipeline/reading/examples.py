"""Reads columns of the examples into arrays, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tfx.types.artifact import Artifact
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

_BATCH = 4096


@dataclass(frozen=True)
class Categories:
    """A column of text.

    Attributes:
        codes: int32, shape [n]: place in `values`; -1 where missing.
        values: Its different values, sorted.
    """

    codes: NDArray[np.int32]
    values: tuple[str, ...]


@dataclass(frozen=True)
class ExampleColumns:
    """Columns of n subjects.

    Attributes:
        subjects: n.
        numbers: float32, shape [n], by column; NaN where missing.
        categories: By column.
    """

    subjects: int
    numbers: dict[str, NDArray[np.float32]]
    categories: dict[str, Categories]


def examples_at(uri: str) -> Artifact:
    """Examples that TrialExampleGen wrote, as an artifact, from their folder."""
    # TFX takes seconds to import.
    from tfx.types import artifact_utils, standard_artifacts

    from pipeline.names import SPLITS

    examples = standard_artifacts.Examples()
    examples.uri = uri
    examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
    return examples


def read_columns(
    examples: Artifact,
    splits: Sequence[str],
    numbers: Sequence[str],
    categories: Sequence[str],
    most_subjects: int | None = None,
    integers: Sequence[str] = (),
) -> ExampleColumns:
    """Reads columns of some splits; nothing else of an example is decoded.

    Args:
        examples: The examples, one tf.Example per subject.
        splits: Splits to read, one after the other.
        numbers: Columns of numbers.
        categories: Columns of text.
        most_subjects: Subjects after this many are not read; None reads all.
        integers: Columns of whole numbers; of several values the first. They are returned among
            the numbers.

    Returns:
        The columns, in the order of the splits' files.
    """
    parts: dict[str, list[pa.Array]] = {name: [] for name in (*numbers, *integers, *categories)}
    subjects = 0
    decoder = _decoder(numbers, categories, integers)
    for batch in map(decoder.DecodeBatch, _batches(examples, splits)):
        if most_subjects is not None:
            batch = batch.slice(0, most_subjects - subjects)
        subjects += batch.num_rows
        for name, chunks in parts.items():
            chunks.append(_first_values(batch.column(name), name in categories))
        if subjects == most_subjects:
            break
    return ExampleColumns(
        subjects,
        {name: _numbers(parts[name]) for name in (*numbers, *integers)},
        {name: _categories(parts[name]) for name in categories},
    )


def decoded_batches(examples: Artifact, splits: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """All columns of the examples of some splits, batch by batch.

    Args:
        examples: The examples, one tf.Example per subject.
        splits: Splits to read, one after the other.

    Yields:
        Columns of lists; a column that no example of a batch has is not in it.
    """
    # TensorFlow takes seconds to import.
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

    yield from map(ExamplesToRecordBatchDecoder().DecodeBatch, _batches(examples, splits))


class ExampleDecoder:
    """Decodes columns of serialized examples.

    Args:
        numbers: Columns of numbers.
        categories: Columns of text.
    """

    def __init__(self, numbers: Sequence[str], categories: Sequence[str]) -> None:
        self._numbers = tuple(numbers)
        self._categories = tuple(categories)
        self._decoder = _decoder(numbers, categories)

    def decode(self, serialized: NDArray[np.object_]) -> ExampleColumns:
        """Columns of some examples; nothing else of an example is decoded.

        Args:
            serialized: tf.Examples, bytes `[rows]`.
        """
        batch = self._decoder.DecodeBatch(serialized)
        values = {name: _first_values(batch.column(name), False) for name in self._numbers}
        codes = {name: _first_values(batch.column(name), True) for name in self._categories}
        return ExampleColumns(
            len(serialized),
            {name: _numbers([found]) for name, found in values.items()},
            {name: _categories([found]) for name, found in codes.items()},
        )


def _decoder(
    numbers: Sequence[str], categories: Sequence[str], integers: Sequence[str] = ()
) -> ExamplesToRecordBatchDecoder:
    # TensorFlow takes seconds to import.
    from tensorflow_metadata.proto.v0 import schema_pb2
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

    features = [
        *(schema_pb2.Feature(name=name, type=schema_pb2.FLOAT) for name in numbers),
        *(schema_pb2.Feature(name=name, type=schema_pb2.INT) for name in integers),
        *(schema_pb2.Feature(name=name, type=schema_pb2.BYTES) for name in categories),
    ]
    return ExamplesToRecordBatchDecoder(schema_pb2.Schema(feature=features).SerializeToString())


def _batches(examples: Artifact, splits: Sequence[str]) -> Iterator[NDArray[np.object_]]:
    # TensorFlow and TFX take seconds to import.
    import tensorflow as tf
    from tfx.types import artifact_utils

    for split in splits:
        folder = artifact_utils.get_split_uri([examples], split)
        files = sorted(tf.io.gfile.glob(f"{folder}/*"))
        records = tf.data.TFRecordDataset(files, compression_type="GZIP").batch(_BATCH)
        yield from records.as_numpy_iterator()


def _first_values(column: Any, encode: bool) -> pa.Array:
    """The first value of each list, null where there is none."""
    lengths = np.asarray(column.value_lengths().fill_null(0))
    first = np.cumsum(lengths) - lengths
    empty = lengths == 0
    values = column.flatten().take(pa.array(np.where(empty, 0, first), mask=empty))
    # Text repeats: codes take a fraction of its memory.
    return values.dictionary_encode() if encode else values


def _numbers(chunks: list[pa.Array]) -> NDArray[np.float32]:
    arrays = [chunk.to_numpy(zero_copy_only=False) for chunk in chunks]
    return np.concatenate([np.empty(0, np.float32), *arrays]).astype(np.float32)


def _categories(chunks: list[pa.Array]) -> Categories:
    texts = [[value.decode() for value in chunk.dictionary.to_pylist()] for chunk in chunks]
    values = tuple(sorted({text for part in texts for text in part}))
    place = {value: code for code, value in enumerate(values)}
    codes = [np.empty(0, np.int32)]
    for chunk, part in zip(chunks, texts, strict=True):
        # The last place stands for a missing value.
        known = np.array([*(place[text] for text in part), -1], np.int32)
        codes.append(known[chunk.indices.fill_null(len(part)).to_numpy(zero_copy_only=False)])
    return Categories(np.concatenate(codes), values)
