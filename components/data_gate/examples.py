"""Reads the columns of the train split that the leakage rule needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.util import tfxio_utils
from tfx.types.artifact import Artifact
from tfx_bsl.tfxio import dataset_options

from components.data_gate.config import GateConfig
from components.data_gate.rules import Columns
from pipeline.errors import UserError
from pipeline.names import label_key, weight_key

MOST_SUBJECTS = 200_000
_BATCH = 4096


def read_train_columns(
    examples: Artifact, config: GateConfig, most_subjects: int = MOST_SUBJECTS
) -> Columns:
    """Reads features, labels and weights of the train split, and nothing else.

    Args:
        examples: The examples, one tf.Example per subject.
        config: Which features and tasks there are.
        most_subjects: Subjects after this many are not read.

    Returns:
        The columns, one element per subject.

    Raises:
        UserError: The split has no subjects, or no labels of a task.
    """
    columns = _collect(_batches(examples, config), most_subjects)
    labels = [label_key(task) for task in config.tasks] + [weight_key(t) for t in config.tasks]
    for name in labels:
        if name not in columns or columns[name].null_count == len(columns[name]):
            raise UserError(
                f"{examples.uri}: the train split has no column {name}, so the data gate can't "
                "look for leakage. Make the examples anew with TrialExampleGen from this study "
                "file."
            )
    return Columns(
        numbers={
            name: _numbers(columns[name])
            for name, kind in config.features.items()
            if kind == "number"
        },
        categories={
            name: _codes(columns[name])
            for name, kind in config.features.items()
            if kind == "category"
        },
        labels={task: _numbers(columns[label_key(task)]) > 0 for task in config.tasks},
        known={task: _numbers(columns[weight_key(task)]) > 0 for task in config.tasks},
    )


def _batches(examples: Artifact, config: GateConfig) -> Iterator[pa.RecordBatch]:
    schema = schema_pb2.Schema()
    for name, kind in config.features.items():
        schema.feature.add(
            name=name, type=schema_pb2.FLOAT if kind == "number" else schema_pb2.BYTES
        )
    for task in config.tasks:
        schema.feature.add(name=label_key(task), type=schema_pb2.FLOAT)
        schema.feature.add(name=weight_key(task), type=schema_pb2.FLOAT)
    tfxio = tfxio_utils.get_split_tfxio(
        examples=[examples], split="train", telemetry_descriptors=["DataGate"], schema=schema
    )
    yield from tfxio.RecordBatches(
        dataset_options.RecordBatchesOptions(batch_size=_BATCH, num_epochs=1, shuffle=False)
    )


def _collect(batches: Iterable[pa.RecordBatch], most_subjects: int) -> dict[str, pa.Array]:
    chunks: dict[str, list[pa.Array]] = {}
    left = most_subjects
    for batch in batches:
        batch = batch.slice(0, left)
        left -= batch.num_rows
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            chunks.setdefault(name, []).append(_first_values(column))
        if left <= 0:
            break
    return {name: pa.concat_arrays(arrays) for name, arrays in chunks.items()}


def _first_values(column: pa.Array) -> pa.Array:
    """The first value of each list, null where there is none."""
    lengths = np.asarray(column.value_lengths().fill_null(0))
    first = np.cumsum(lengths) - lengths
    empty = lengths == 0
    return column.flatten().take(pa.array(np.where(empty, 0, first), mask=empty))


def _numbers(column: pa.Array) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _codes(column: pa.Array) -> NDArray[np.int64]:
    encoded = column.dictionary_encode()
    codes = encoded.indices.fill_null(len(encoded.dictionary))
    return np.asarray(codes, dtype=np.int64)
