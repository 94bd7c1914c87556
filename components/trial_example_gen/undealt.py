"""Examples between the two passes: what is known of a bucket's subjects before they are dealt.

The first pass writes them to a file and tells the deal the kinds and hashes of the subjects; the
second pass reads the file once every subject is dealt.
"""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from numpy.typing import NDArray

from components.trial_example_gen.censoring import CensoringModel, strata_by_slices
from components.trial_example_gen.counts import count_labels
from components.trial_example_gen.deal import NEGATIVE, POSITIVE, UNKNOWN, Deal, Kind, Strata
from components.trial_example_gen.encoding import encode_examples
from components.trial_example_gen.ends import Ends
from components.trial_example_gen.examples import BuiltExamples
from components.trial_example_gen.masks import Labels
from pipeline.names import FOLDS, SPLITS, SUBJECT_HASH, slice_key, weight_key

_COLUMN = "column_"
_HASH = "hash"
_ARM = "arm"
_POSITIVE = "positive_"
_REASON = "reason_"
_END_TIME = "end_time_"
_END_KIND = "end_kind_"


@dataclass(frozen=True)
class DealtExamples:
    """Examples of one bucket.

    Attributes:
        by_split: Serialized tf.Examples of each split, binary.
        counts: Subjects, and known and masked labels, of each split and arm.
        subjects: Pseudonyms of the subjects.
        parts: Number of each subject's split, `[subjects]`.
    """

    by_split: dict[str, pa.Array]
    counts: Counter[tuple[str, ...]]
    subjects: list[bytes]
    parts: NDArray[np.int16]


def strata_of(built: BuiltExamples) -> Strata:
    """The kinds of a bucket's subjects, and the hashes of each kind."""
    n = len(built.hashes)
    arms, arm = _coded(built.arms, n)
    groups, group = _coded(built.groups, n)
    levels = [
        np.where(labels.known, np.where(labels.positive, POSITIVE, NEGATIVE), UNKNOWN)
        for labels in built.labels.values()
    ]
    columns = [arm, built.held_out.astype(np.int64), group, *levels]
    kind = np.zeros(n, np.int64)
    for column in columns:
        # Numbered again after each column: many columns would make large numbers.
        kind = pd.factorize(kind * (column.max(initial=0) + 1) + column)[0]
    order = np.lexsort((built.hashes, kind))
    first = order[np.r_[True, np.diff(kind[order]) > 0]]
    hashes = np.split(built.hashes[order], np.flatnonzero(np.diff(kind[order])) + 1)
    rows = np.column_stack([column[first] for column in columns]).tolist()
    return {
        Kind(arms[row[0]], bool(row[1]), groups[row[2]], tuple(row[3:])): of_kind
        for row, of_kind in zip(rows, hashes, strict=True)
    }


def write_undealt(folder: str, built: BuiltExamples) -> str:
    """Writes a bucket's examples to a new file of a folder, without compression.

    Returns:
        The file's address.
    """
    columns = {_COLUMN + name: _small(column) for name, column in built.columns.items()}
    columns[_HASH] = pa.array(built.hashes)
    if built.arms is not None:
        columns[_ARM] = pa.array(built.arms).dictionary_encode()
    for task, labels in built.labels.items():
        columns[_POSITIVE + task] = pa.array(labels.positive)
        columns[_REASON + task] = pa.array(labels.reason.astype(np.int8))
        if labels.ends is not None:
            columns[_END_TIME + task] = pa.array(labels.ends.time)
            columns[_END_KIND + task] = pa.array(labels.ends.kind)
    batch = pa.RecordBatch.from_pydict(columns)
    path = FileSystems.join(folder, uuid.uuid4().hex)
    with (
        FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file,
        pa.ipc.new_stream(file, batch.schema) as stream,
    ):
        stream.write_batch(batch)
    return path


def deal_examples(path: str, deal: Deal, censoring: CensoringModel) -> DealtExamples:
    """Reads what `write_undealt` wrote, weighs and divides the examples as they are dealt.

    Args:
        path: Address of the file.
        deal: Part or folds of every subject.
        censoring: Weights of known labels.
    """
    batch, dealt, splits = _read_by_split(path, deal)
    columns = {
        name.removeprefix(_COLUMN): column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if name.startswith(_COLUMN)
    }
    columns |= _weights(batch, censoring)
    if deal.plan.out_of_fold:
        columns[FOLDS] = pa.FixedSizeListArray.from_arrays(dealt.ravel(), dealt.shape[1])
    examples = encode_examples(columns)
    ends = np.searchsorted(splits, np.arange(len(SPLITS) + 1)).tolist()
    labels = {
        name.removeprefix(_POSITIVE): Labels(
            batch[name].to_numpy(zero_copy_only=False),
            batch[_REASON + name.removeprefix(_POSITIVE)].to_numpy(),
        )
        for name in batch.schema.names
        if name.startswith(_POSITIVE)
    }
    arms = np.array(batch[_ARM].to_pylist()) if _ARM in batch.schema.names else None
    return DealtExamples(
        {
            split: examples.slice(start, end - start)
            for split, (start, end) in zip(SPLITS, itertools.pairwise(ends), strict=True)
        },
        count_labels(np.array(SPLITS)[splits], arms, labels),
        columns[SUBJECT_HASH].to_pylist(),
        splits,
    )


def _weights(batch: pa.RecordBatch, censoring: CensoringModel) -> dict[str, pa.Array]:
    """Columns of the weights of tasks whose follow-up may end before the horizon."""
    arms = batch[_ARM].to_pylist() if _ARM in batch.schema.names else None
    columns = {}
    for task, weights in censoring.weights.items():
        slices = [batch[_COLUMN + slice_key(by)].to_pylist() for by in weights.by]
        strata = strata_by_slices(arms, slices, batch.num_rows)
        ends = Ends(batch[_END_TIME + task].to_numpy(), batch[_END_KIND + task].to_numpy())
        found = weights.of(strata, ends)
        columns[weight_key(task)] = pa.array(found.astype(np.float32))
    return columns


def _read_by_split(
    path: str, deal: Deal
) -> tuple[pa.RecordBatch, NDArray[np.int16], NDArray[np.int16]]:
    """A bucket's rows, those of one split beside each other, otherwise in the file's order.

    Returns:
        The rows, the row of `Deal.dealt` of each and the number of its split.
    """
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        batch = pa.ipc.open_stream(file.read()).read_next_batch()
    dealt = deal.of(batch[_HASH].to_numpy())
    splits = _splits(dealt, deal)
    order = np.argsort(splits, kind="stable")
    return pc.take(batch, pa.array(order)), dealt[order], splits[order]


def _splits(dealt: NDArray[np.int16], deal: Deal) -> NDArray[np.int16]:
    """Number of each subject's split, `[subjects]`."""
    if deal.plan.out_of_fold:
        return np.full(len(dealt), SPLITS.index("train"), np.int16)
    return dealt[:, 0]


def _small(column: pa.Array) -> pa.Array:
    """A column as it takes little room in a file and little time to encode."""
    if pa.types.is_floating(column.type):
        return column.cast(pa.float32(), safe=False)
    return column.dictionary_encode()


def _coded(names: NDArray[Any] | None, n: int) -> tuple[list[str], NDArray[np.int64]]:
    if names is None:
        return [""], np.zeros(n, np.int64)
    found, codes = np.unique(names, return_inverse=True)
    return found.tolist(), codes
