"""The Beam graph: files to rows, rows to buckets of subjects, buckets to one set of sums."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from components.trial_summary.bucket import summarise_bucket
from components.trial_summary.plan import DatasetReads
from components.trial_summary.records import summarise
from components.trial_summary.sums import Sums
from pipeline.reading.buckets import SUBJECT, Bucketed, number_of_buckets, rows_of, to_buckets
from pipeline.reading.days import dates_of
from pipeline.reading.readers import Extent, read
from pipeline.reading.text import as_text
from pipeline.storage import write_whole
from pipeline.study import Study

SUMMARY_FILE = "summary.json"


@dataclass(frozen=True)
class SummaryJob:
    """What workers need to know; small, and the same for all of them.

    Attributes:
        study: The study.
        reads: What is read, by dataset.
    """

    study: Study
    reads: dict[str, DatasetReads]

    @property
    def buckets(self) -> int:
        """Number of buckets of subjects."""
        return number_of_buckets(sum(n for item in self.reads.values() for _, n in item.files))


def write_summary(root: beam.Pipeline, job: SummaryJob, folder: str) -> None:
    """Adds everything from the files to `summary.json` to a Beam pipeline.

    Args:
        root: The Beam pipeline.
        job: What to read.
        folder: Folder that gets the file.
    """
    parts = [(name, extent) for name, item in job.reads.items() for extent in item.extents()]
    _ = (
        root
        | "Parts" >> beam.Create(parts)
        | "Spread" >> beam.Reshuffle()
        | "ReadRows" >> beam.ParDo(_ReadRows(job))
        | "BySubject" >> beam.GroupByKey()
        | "SumUp" >> beam.Map(_sum_up, job)
        | "Add" >> beam.CombineGlobally(_AddSums())
        | "Write" >> beam.Map(_write, job.study, folder)
    )


@beam.typehints.with_output_types(tuple[int, Any])
class _ReadRows(beam.DoFn):
    """Reads one extent and sends its rows to their buckets."""

    def __init__(self, job: SummaryJob) -> None:
        self._job = job

    def process(self, part: tuple[str, Extent]) -> Iterator[Bucketed]:
        dataset, extent = part
        reads = self._job.reads[dataset]
        for first_row, batch in read(extent, reads.format, list(reads.columns)):
            table = _rows(reads, first_row, batch)
            yield from to_buckets(dataset, table, self._job.buckets)


def _rows(reads: DatasetReads, first_row: int, batch: pa.RecordBatch) -> pa.Table:
    """Rows with a subject key, dates as days; what TrialExampleGen rejects is missing here."""
    columns = {name: batch.column(name) for name in reads.columns}
    for name in reads.dates:
        columns[name] = pa.array(dates_of(columns[name])[0].earliest, pa.float64())
    if reads.subject is None:
        keys = pa.array([str(first_row + 1 + i) for i in range(batch.num_rows)])
    else:
        keys = as_text(batch.column(reads.subject))
    table = pa.table({SUBJECT: keys, **columns})
    known = np.asarray(keys.is_valid())
    return table.filter(pa.array(known))


def _sum_up(bucket: tuple[int, Iterable[tuple[str, bytes]]], job: SummaryJob) -> Sums:
    tables: dict[str, list[pa.Table]] = {}
    for dataset, payload in bucket[1]:
        tables.setdefault(dataset, []).append(rows_of(payload))
    whole = {dataset: pa.concat_tables(found) for dataset, found in tables.items()}
    qualifiers = job.reads[job.study.subject.dataset].qualifiers
    return summarise_bucket(job.study, whole, qualifiers)


def _write(sums: Sums, study: Study, folder: str) -> None:
    text = json.dumps(asdict(summarise(study, sums)), indent=1, allow_nan=False) + "\n"
    write_whole(f"{folder}/{SUMMARY_FILE}", text.encode())


class _AddSums(beam.CombineFn):
    """Adds sums of buckets of subjects."""

    def create_accumulator(self) -> Sums:
        return Sums()

    def add_input(self, total: Sums, part: Sums) -> Sums:
        total.merge(part)
        return total

    def merge_accumulators(self, totals: Iterable[Sums]) -> Sums:
        merged = Sums()
        for total in totals:
            merged.merge(total)
        return merged

    def extract_output(self, total: Sums) -> Any:
        return total
