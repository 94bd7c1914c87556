"""The Beam graph: the prediction log to sums by period, in which no subject is left.

Rows are dealt to partitions by subject, so that each has all rows of its subjects; a partition's
sums are computed as a whole, and those of all partitions are added up.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components.monitor.partition import Key, Plan, partition_tallies
from pipeline.monitoring.tallies import Tally, merged
from pipeline.names import SUBJECT_HASH
from pipeline.predictions.open_log import open_log
from pipeline.predictions.rows import PREDICTED_AT
from pipeline.storage import read, remove_folder, write_private

PARTITIONS = 32
"""Of the subjects; each is a piece of work, and in memory as a whole."""

_SUMS, _FILE = "sums", "sums.pickle"
"""A folder of its own, which only its owner can list."""

_PREDICTIONS, _OUTCOMES = "predictions", "outcomes"
_Part = tuple[str, pa.Table]


def add_up(root: beam.Pipeline, address: str, study: str, plan: Plan, folder: str) -> None:
    """Adds the steps from a prediction log to its sums to a Beam pipeline.

    Args:
        root: The Beam pipeline.
        address: Address of the log; its readers are the workers.
        study: Name of the study.
        plan: What is computed.
        folder: Folder that the sums are written to, for `read_sums`; workers reach it.
    """
    _ = (
        root
        | "Log" >> beam.Create([_PREDICTIONS, _OUTCOMES])
        | "Read" >> beam.FlatMap(_read, address, study)
        | "Subjects" >> beam.GroupByKey()
        | "SumUp" >> beam.FlatMap(_sum_up, plan)
        | "Add" >> beam.CombinePerKey(AddTallies())
        | "Collect" >> beam.combiners.ToList()
        | "Write" >> beam.Map(_write, folder)
    )


def read_sums(folder: str) -> dict[Key, Tally]:
    """Reads what `add_up` wrote; an empty log has no sums.

    Args:
        folder: Its folder, which only this run writes to.
    """
    content = read(f"{folder}/{_SUMS}/{_FILE}")
    sums = pickle.loads(content) if content else []
    return {Key.of_text(text): tally for text, tally in sums}


def remove_sums(folder: str) -> None:
    """Removes what `add_up` wrote.

    Args:
        folder: Its folder.
    """
    remove_folder(f"{folder}/{_SUMS}")


def _write(sums: list[tuple[str, Tally]], folder: str) -> None:
    write_private(f"{folder}/{_SUMS}/{_FILE}", pickle.dumps(sums))


def _read(what: str, address: str, study: str) -> Iterator[tuple[int, _Part]]:
    log = open_log(address)
    tables = log.read(study) if what == _PREDICTIONS else log.read_outcomes(study)
    for table in tables:
        for partition, part in dealt(table):
            yield partition, (what, part)


def dealt(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Deals rows to partitions: all of a subject, and all of a moment without one, to the same.

    Args:
        table: Rows of predictions or outcomes.
    """
    subjects = table[SUBJECT_HASH].to_pylist()
    moments = (
        table[PREDICTED_AT].cast(pa.int64()).to_pylist()
        if PREDICTED_AT in table.column_names
        else [0] * len(subjects)
    )
    numbers = np.array(
        [
            (moment if subject is None else zlib.crc32(subject.encode())) % PARTITIONS
            for subject, moment in zip(subjects, moments, strict=True)
        ],
        np.int64,
    )
    for number in np.unique(numbers):
        yield int(number), table.filter(pa.array(numbers == number)).combine_chunks()


def _sum_up(partition: tuple[int, Iterable[_Part]], plan: Plan) -> Iterator[tuple[str, Tally]]:
    parts: dict[str, list[pa.Table]] = {_PREDICTIONS: [], _OUTCOMES: []}
    for what, table in partition[1]:
        parts[what].append(table)
    for key, tally in partition_tallies(parts[_PREDICTIONS], parts[_OUTCOMES], plan):
        yield key.to_text(), tally


class AddTallies(beam.CombineFn):
    """Adds tallies of partitions up."""

    def create_accumulator(self) -> Tally:
        """Nothing yet."""
        return Tally()

    def add_input(self, total: Tally, part: Tally) -> Tally:
        """Adds one to those before."""
        return total.merge(part)

    def merge_accumulators(self, totals: Iterable[Tally]) -> Tally:
        """Adds totals up."""
        return merged(totals)

    def extract_output(self, total: Tally) -> Tally:
        """The sum."""
        return total
