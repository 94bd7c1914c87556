"""Reads raw examples from TFRecord files into arrays, as Transform's graph transforms them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import tensorflow as tf
import tensorflow_transform as tft

from pipeline.errors import UserError
from trainer.arms import arm_codes
from trainer.arrays import Arrays, concatenate
from trainer.features import NUMBERS, ModelInputs
from trainer.model import Encoding
from trainer.preprocessing import code_count, read_vocabulary
from trainer.records import feature_spec, outcome_spec, read_records, stacked
from trainer.transformation import Transformation

MAX_BYTES_IN_MEMORY = 2 * 1024**3
"""Bytes of transformed values in memory: a million subjects with 60 numbers are 0.3 GB. A larger
split is trained in blocks, and an epoch is a block."""

_PARSE_ROWS = 8192
_BYTES_PER_VALUE = 4


@dataclasses.dataclass(frozen=True)
class TransformedExamples:
    """The subjects of one split, transformed as they are read.

    Attributes:
        patterns: Glob patterns of TrialExampleGen's files.
        transformation: Transform's graph.
        encoding: Shape of a transformed example.
        max_bytes: Size of a block.
    """

    patterns: tuple[str, ...]
    transformation: Transformation
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
                f"{', '.join(self.patterns)}: no example found, expected at least "
                "one subject. Check the split's share and the population filter."
            )
        yield concatenate(batches)

    @property
    def is_empty(self) -> bool:
        """Whether the files have no subject."""
        return next(read_records(self.patterns).as_numpy_iterator(), None) is None

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
        records = read_records(self.patterns).batch(rows)
        parsed = records.map(parse, num_parallel_calls=2).prefetch(2)
        for parts in parsed.as_numpy_iterator():
            yield Arrays(*parts)

    def _parse(self, serialized: tf.Tensor) -> tuple[tf.Tensor, ...]:
        inputs = self.transformation.inputs
        parsed = tf.io.parse_example(serialized, feature_spec(inputs) | outcome_spec(inputs))
        numbers, codes = self.transformation.apply(tuple(parsed[it] for it in inputs.features))
        return (
            numbers,
            codes,
            stacked(parsed, inputs.label_columns),
            stacked(parsed, inputs.weight_columns),
        )


def read_encoding(transform_output: tft.TFTransformOutput, inputs: ModelInputs) -> Encoding:
    """Shape of the examples that Transform's graph makes of these inputs."""
    spec = transform_output.transformed_feature_spec()
    numbers = spec[NUMBERS].shape[0] if NUMBERS in spec else 0
    codes = code_count(transform_output, inputs)
    arms = arm_codes(read_vocabulary(transform_output, inputs), inputs.categorical)
    return Encoding(numbers, len(inputs.categorical), codes, inputs.tasks, arms)
