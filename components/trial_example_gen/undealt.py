"""Examples between the two passes: what is known of a bucket's subjects before they are dealt.

The first pass writes them to a file and tells the deal the kinds and hashes of the subjects; the
second pass reads the file once every subject is dealt.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from numpy.typing import NDArray

from components.trial_example_gen.counts import count_labels
from components.trial_example_gen.deal import NEGATIVE, POSITIVE, UNKNOWN, Deal, Kind, Strata
from components.trial_example_gen.encoding import close_examples, integers_entry
from components.trial_example_gen.examples import BuiltExamples
from components.trial_example_gen.masks import Labels
from pipeline.names import FOLDS, SPLITS

_FEATURES = "features"
_HASH = "hash"
_ARM = "arm"
_POSITIVE = "positive_"
_REASON = "reason_"


@dataclass(frozen=True)
class DealtExamples:
    """Examples of one bucket.

    Attributes:
        by_split: Serialized tf.Examples of each split.
        counts: Subjects, and known and masked labels, of each split and arm.
    """

    by_split: dict[str, list[bytes]]
    counts: Counter[tuple[str, ...]]


def strata_of(built: BuiltExamples) -> Strata:
    """The kinds of a bucket's subjects, and the hashes of each kind."""
    n = len(built.hashes)
    levels = [
        np.where(labels.known, np.where(labels.positive, POSITIVE, NEGATIVE), UNKNOWN)
        for labels in built.labels.values()
    ]
    arms, arm = _coded(built.arms, n)
    groups, group = _coded(built.groups, n)
    columns = np.column_stack([arm, built.held_out, group, *levels])
    found, kind = np.unique(columns, axis=0, return_inverse=True)
    return {
        Kind(arms[row[0]], bool(row[1]), groups[row[2]], tuple(row[3:])): np.sort(
            built.hashes[kind == number]
        )
        for number, row in enumerate(found.tolist())
    }


def write_undealt(folder: str, built: BuiltExamples) -> str:
    """Writes a bucket's examples to a new file of a folder, without compression.

    Returns:
        The file's address.
    """
    columns = {_FEATURES: built.features, _HASH: pa.array(built.hashes)}
    if built.arms is not None:
        columns[_ARM] = pa.array(built.arms).dictionary_encode()
    for task, labels in built.labels.items():
        columns[_POSITIVE + task] = pa.array(labels.positive)
        columns[_REASON + task] = pa.array(labels.reason.astype(np.int8))
    table = pa.table(columns)
    path = FileSystems.join(folder, uuid.uuid4().hex)
    with (
        FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file,
        pa.ipc.new_stream(file, table.schema) as stream,
    ):
        stream.write_table(table)
    return path


def deal_examples(path: str, deal: Deal) -> DealtExamples:
    """Reads what `write_undealt` wrote and divides the examples as they are dealt.

    Args:
        path: Address of the file.
        deal: Part or folds of every subject.
    """
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        table = pa.ipc.open_stream(file.read()).read_all().combine_chunks()
    dealt = deal.of(table[_HASH].to_numpy())
    features = table[_FEATURES].to_pylist()
    if deal.plan.out_of_fold:
        splits = np.full(len(table), "train")
        folds = [integers_entry(FOLDS, of_subject) for of_subject in dealt.tolist()]
        features = [found + of_subject for found, of_subject in zip(features, folds, strict=True)]
    else:
        splits = np.array(SPLITS)[dealt[:, 0]]
    examples = close_examples(features)
    arms = np.array(table[_ARM].to_pylist()) if _ARM in table.column_names else None
    labels = {
        name.removeprefix(_POSITIVE): Labels(
            table[name].to_numpy(),
            table[_REASON + name.removeprefix(_POSITIVE)].to_numpy(),
        )
        for name in table.column_names
        if name.startswith(_POSITIVE)
    }
    return DealtExamples(
        {split: [examples[i] for i in np.flatnonzero(splits == split)] for split in SPLITS},
        count_labels(splits, arms, labels),
    )


def _coded(names: NDArray[Any] | None, n: int) -> tuple[list[str], NDArray[np.int64]]:
    if names is None:
        return [""], np.zeros(n, np.int64)
    found, codes = np.unique(names, return_inverse=True)
    return found.tolist(), codes
