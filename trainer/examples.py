"""Reads transformed examples from TFRecord files into arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import tensorflow as tf
import tensorflow_transform as tft

from pipeline.errors import UserError
from pipeline.names import label_key, weight_key
from trainer.arms import arm_codes
from trainer.arrays import Arrays, concatenate
from trainer.features import CATEGORIES, NUMBERS, ModelInputs
from trainer.model import Encoding
from trainer.preprocessing import VOCABULARY, code_count

MAX_BYTES_IN_MEMORY = 2 * 1024**3
"""Bytes of transformed values in memory: a million subjects with 60 numbers are 0.3 GB. A larger
split is trained in blocks, and an epoch is a block."""

_PARSE_ROWS = 8192
_BYTES_PER_VALUE = 4


@dataclasses.dataclass(frozen=True)
class TransformedExamples:
    """The files of one split after Transform.

    Attributes:
        patterns: Glob patterns of the TFRecord files, gzip or plain.
        encoding: Shape of an example.
        max_bytes: Size of a block.
    """

    patterns: tuple[str, ...]
    encoding: Encoding
    max_bytes: int = MAX_BYTES_IN_MEMORY

    @property
    def block_rows(self) -> int:
        """Largest number of subjects in a block."""
        encoding = self.encoding
        values = encoding.numbers + encoding.categories + 2 * len(encoding.tasks)
        return max(self.max_bytes // (_BYTES_PER_VALUE * values), 1)

    def __iter__(self) -> Iterator[Arrays]:
        """Yields blocks of subjects in the order of the files, usually a single one."""
        block_rows = self.block_rows
        batches: list[Arrays] = []
        rows = 0
        for batch in self._batches(min(_PARSE_ROWS, block_rows)):
            if batches and rows + len(batch) > block_rows:
                yield concatenate(batches)
                batches, rows = [], 0
            batches.append(batch)
            rows += len(batch)
        if not batches:
            raise UserError(
                f"{', '.join(self.patterns)}: no transformed example found, expected at least "
                "one subject. Check the split's share and the population filter."
            )
        yield concatenate(batches)

    @property
    def is_empty(self) -> bool:
        """Whether the files have no subject."""
        return next(self._records().as_numpy_iterator(), None) is None

    def whole(self) -> Arrays:
        """All subjects in memory at once."""
        return concatenate(list(self))

    def held(self) -> Sequence[Arrays] | TransformedExamples:
        """The block if there is only one, otherwise these examples, reread in every pass."""
        blocks = iter(self)
        first = next(blocks)
        return self if next(blocks, None) else (first,)

    def _batches(self, rows: int) -> Iterator[Arrays]:
        # Nothing in it has control flow of Python: AutoGraph would only take its time.
        parse = tf.autograph.experimental.do_not_convert(self._parse)
        parsed = self._records().batch(rows).map(parse, num_parallel_calls=2).prefetch(2)
        for parts in parsed.as_numpy_iterator():
            yield Arrays(*parts)

    def _records(self) -> tf.data.TFRecordDataset:
        files = sorted(path for pattern in self.patterns for path in tf.io.gfile.glob(pattern))
        compression = "GZIP" if files and files[0].endswith(".gz") else ""
        return tf.data.TFRecordDataset(files, compression_type=compression)

    def _parse(self, serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
        encoding = self.encoding
        labels = [label_key(task) for task in encoding.tasks]
        weights = [weight_key(task) for task in encoding.tasks]
        spec: dict[str, tf.io.FixedLenFeature] = {
            key: tf.io.FixedLenFeature([], tf.float32) for key in (*labels, *weights)
        }
        if encoding.numbers:
            spec[NUMBERS] = tf.io.FixedLenFeature([encoding.numbers], tf.float32)
        if encoding.categories:
            spec[CATEGORIES] = tf.io.FixedLenFeature([encoding.categories], tf.int64)
        parsed = tf.io.parse_example(serialized, spec)
        rows = tf.shape(serialized)[0]
        return (
            parsed.get(NUMBERS, tf.zeros([rows, 0], tf.float32)),
            tf.cast(parsed.get(CATEGORIES, tf.zeros([rows, 0], tf.int64)), tf.int32),
            tf.stack([parsed[key] for key in labels], axis=1),
            tf.stack([parsed[key] for key in weights], axis=1),
        )


def read_encoding(transform_output: tft.TFTransformOutput, inputs: ModelInputs) -> Encoding:
    """Shape of the examples that Transform wrote for these inputs."""
    spec = transform_output.transformed_feature_spec()
    numbers = spec[NUMBERS].shape[0] if NUMBERS in spec else 0
    codes = code_count(transform_output, inputs)
    vocabulary = transform_output.vocabulary_by_name(VOCABULARY) if inputs.categorical else ()
    arms = arm_codes(vocabulary, inputs.categorical)
    return Encoding(numbers, len(inputs.categorical), codes, inputs.tasks, arms)
