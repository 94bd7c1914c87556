"""The Beam graph: files to rows, rows to buckets of subjects, buckets to one set of sums."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from components.trial_summary.bucket import sum_up
from components.trial_summary.plan import DatasetReads
from components.trial_summary.records import summarise
from components.trial_summary.rows import typed_rows
from components.trial_summary.sums import Progress
from pipeline.errors import UserError
from pipeline.reading.buckets import Bucketed, ToBuckets, number_of_buckets, tables_of
from pipeline.reading.formats import Extent, read
from pipeline.storage import write_whole
from pipeline.study.study import Study

SUMMARY_FILE = "summary.json"
PROBLEMS_FILE = "problems.json"

_PROBLEMS = "problems"


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

    Where the data have a fault that a person has to put right, `problems.json` is written in its
    place: a list of texts.

    Args:
        root: The Beam pipeline.
        job: What to read.
        folder: Folder that gets the file.
    """
    parts = [(name, extent) for name, item in job.reads.items() for extent in item.extents()]
    rows = (
        root
        | "Parts" >> beam.Create(parts)
        | "Spread" >> beam.Reshuffle()
        | "ReadRows" >> beam.ParDo(_ReadRows(job)).with_outputs(_PROBLEMS, main="rows")
    )
    summed = rows.rows | "BySubject" >> beam.GroupByKey() | "SumUp" >> beam.Map(_sum_up, job)
    _ = (
        (summed, rows[_PROBLEMS])
        | "AllSums" >> beam.Flatten()
        | "Add" >> beam.CombineGlobally(_AddProgress())
        | "Write" >> beam.Map(_write, job, folder)
    )


@beam.typehints.with_output_types(Any)
class _ReadRows(beam.DoFn):
    """Reads one extent and sends its rows to their buckets."""

    def __init__(self, job: SummaryJob) -> None:
        self._job = job

    def process(self, part: tuple[str, Extent]) -> Iterator[Any]:
        try:
            yield from self._read(*part)
        except UserError as error:
            # Runners turn an exception of a worker into text of their own: a mistake in the
            # data travels as what it is, and the executor raises it.
            yield beam.pvalue.TaggedOutput(_PROBLEMS, Progress(problems={str(error)}))

    def _read(self, dataset: str, extent: Extent) -> Iterator[Bucketed]:
        reads = self._job.reads[dataset]
        key = [reads.subject] if reads.subject else []
        names = list(dict.fromkeys([*(name for name, _ in reads.columns), *key]))
        to_buckets = ToBuckets(self._job.buckets)
        for first_row, batch in read(extent, reads.format, names):
            table = typed_rows(self._job.study, reads, extent.path, first_row, batch)
            yield from to_buckets.add(dataset, table)
        yield from to_buckets.rest()


def _sum_up(bucket: tuple[int, Iterable[tuple[str, bytes]]], job: SummaryJob) -> Progress:
    tables = tables_of(bucket[1])
    whole = {dataset: pa.concat_tables(found) for dataset, found in tables.items()}
    return sum_up(job.study, job.reads, whole)


def _write(progress: Progress, job: SummaryJob, folder: str) -> None:
    problems = [*sorted(progress.problems), *_unknown_qualifiers(progress, job)]
    name, content = (
        (PROBLEMS_FILE, problems)
        if problems
        else (SUMMARY_FILE, asdict(summarise(job.study, progress)))
    )
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    write_whole(f"{folder}/{name}", text.encode())


def _unknown_qualifiers(progress: Progress, job: SummaryJob) -> Iterator[str]:
    """Columns that neither the file nor its supplemental qualifiers know."""
    for name in job.reads[job.study.subject.dataset].qualifiers:
        if not progress.qualifiers[name]:
            yield (
                f"Dataset {job.study.subject.dataset}: there is no column {name}, and no row of "
                "its supplemental dataset has this QNAM. Check the spelling in the study file."
            )


class _AddProgress(beam.CombineFn):
    """Adds sums of buckets of subjects."""

    def create_accumulator(self) -> Progress:
        return Progress()

    def add_input(self, total: Progress, part: Progress) -> Progress:
        total.merge(part)
        return total

    def merge_accumulators(self, totals: Iterable[Progress]) -> Progress:
        merged = Progress()
        for total in totals:
            merged.merge(total)
        return merged

    def extract_output(self, total: Progress) -> Any:
        return total
