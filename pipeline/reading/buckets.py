"""Rows on their way through Beam: Arrow tables in buckets of subjects.

The bucket is a hash of the subject key, so that all rows of a subject meet, whatever dataset they
come from, and a site of any size is spread over all buckets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

SUBJECT = "#subject"
"""Column of the subject key."""

# A task manager of Flink may hold 100 of them for its Python workers (`Memory` of
# `pipeline.beam.local_flink.plan`).
_BUCKET_BYTES = 8 * 2**20
_MOST_BUCKETS = 4096
_ROWS_TOGETHER = 200_000
"""Divided among many buckets, the rows of one batch would be more header than rows."""
# Subject keys and parameter codes repeat: a third of the bytes to shuffle, and on the
# in-memory runner to hold, for a small part of the stage's time.
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")

Bucketed = tuple[int, tuple[str, bytes]]
"""Bucket, dataset, rows."""


def number_of_buckets(size: int) -> int:
    """One bucket for each 8 MB of input, so that one fits in memory.

    Args:
        size: Bytes of all files.
    """
    return int(np.clip(size // _BUCKET_BYTES + 1, 1, _MOST_BUCKETS))


class ToBuckets:
    """Divides rows by subject, many at a time."""

    def __init__(self, buckets: int) -> None:
        """Initializes without rows.

        Args:
            buckets: How many buckets there are.
        """
        self._buckets = buckets
        self._waiting: dict[str, list[pa.Table]] = {}

    def add(self, dataset: str, table: pa.Table) -> Iterator[Bucketed]:
        """Adds rows, and yields full buckets.

        Args:
            dataset: Name of their dataset.
            table: The rows, with the column `SUBJECT`.
        """
        waiting = self._waiting.setdefault(dataset, [])
        waiting.append(table)
        if sum(map(len, waiting)) >= _ROWS_TOGETHER:
            yield from self._divided(dataset, self._waiting.pop(dataset))

    def rest(self) -> Iterator[Bucketed]:
        """Yields the remaining rows."""
        while self._waiting:
            yield from self._divided(*self._waiting.popitem())

    def _divided(self, dataset: str, tables: list[pa.Table]) -> Iterator[Bucketed]:
        table = pa.concat_tables(tables).combine_chunks()
        if self._buckets == 1:
            yield 0, (dataset, _payload(table))
            return
        if not len(table):
            return
        codes, keys = pd.factorize(table[SUBJECT].to_numpy())
        bucket_of_key = pd.util.hash_array(keys.astype(object), categorize=False) % self._buckets
        bucket = bucket_of_key[codes].astype(np.int64)
        order = np.argsort(bucket, kind="stable")
        ordered = table.take(pa.array(order))
        found, starts = np.unique(bucket[order], return_index=True)
        ends = np.append(starts[1:], len(order))
        for number, start, end in zip(found.tolist(), starts.tolist(), ends.tolist(), strict=True):
            yield number, (dataset, _payload(ordered.slice(start, end - start)))


def tables_of(payloads: Iterable[tuple[str, bytes]]) -> dict[str, list[pa.Table]]:
    """Rows of one bucket, by dataset."""
    tables: dict[str, list[pa.Table]] = {}
    for dataset, payload in payloads:
        tables.setdefault(dataset, []).append(pa.ipc.open_stream(payload).read_all())
    return tables


def _payload(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_COMPRESSED) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
