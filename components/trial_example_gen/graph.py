"""The Beam graph: files to rows, rows to subjects, subjects to examples.

Rows are shuffled as Arrow record batches, in buckets of subjects: the bucket is a hash of
the subject key, so that all rows of a subject meet, whatever dataset they come from, and a
site of any size is spread over all buckets.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import apache_beam as beam

from components.trial_example_gen.examples import build_examples
from components.trial_example_gen.joined import SET_ASIDE, join_bucket
from components.trial_example_gen.records import write_records
from components.trial_example_gen.rejects import counts_document, row_counts
from components.trial_example_gen.rows import RowPreparer
from pipeline.errors import UserError
from pipeline.reading.buckets import ToBuckets, number_of_buckets, tables_of
from pipeline.reading.formats import Extent, read
from pipeline.reading.plan import DatasetPlan
from pipeline.study.study import Study
from pipeline.subject_key import load_key

REJECTS = "rejects"
COUNTS = "counts"

CounterOfRows = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class ExampleJob:
    """What workers need to know; small, and the same for all of them.

    Attributes:
        study: The study.
        plans: A plan of every dataset.
        key_reference: Where the subject key is (`env:NAME` or `file:PATH`).
    """

    study: Study
    plans: dict[str, DatasetPlan]
    key_reference: str

    @property
    def buckets(self) -> int:
        """Number of buckets of subjects: one for each 8 MB of input, so that one fits."""
        size = sum(bytes_ for plan in self.plans.values() for _, bytes_ in plan.files)
        return number_of_buckets(size)


@beam.typehints.with_output_types(Any)
class _ReadRows(beam.DoFn):
    """Reads one extent and sends its rows to their buckets."""

    def __init__(self, job: ExampleJob) -> None:
        self._job = job
        self._preparers: dict[str, RowPreparer] = {}

    def process(self, part: tuple[str, Extent]) -> Iterator[Any]:
        try:
            yield from self._read(*part)
        except UserError as error:
            # Runners turn an exception of a worker into text of their own: a mistake in the
            # data travels as what it is, and the executor raises it.
            yield beam.pvalue.TaggedOutput(COUNTS, Counter({("problems", str(error)): 1}))

    def _read(self, dataset: str, extent: Extent) -> Iterator[Any]:
        plan = self._job.plans[dataset]
        if dataset not in self._preparers:
            self._preparers[dataset] = RowPreparer(self._job.study, plan)
        preparer = self._preparers[dataset]
        names = [name for name, _ in plan.columns]
        counts: CounterOfRows = Counter()
        to_buckets = ToBuckets(self._job.buckets)
        for first_row, batch in read(extent, plan.format, names):
            rows = preparer.prepare(extent.path, first_row, batch)
            counts += row_counts(
                dataset, rows.rejects, rows_in=rows.rows_in, left_out=rows.left_out
            )
            yield from (beam.pvalue.TaggedOutput(REJECTS, r.to_json()) for r in rows.rejects)
            yield from to_buckets.add(dataset, rows.table)
            if dataset == self._job.study.subject.dataset and len(rows.set_aside):
                yield from to_buckets.add(SET_ASIDE, rows.set_aside)
        yield from to_buckets.rest()
        yield beam.pvalue.TaggedOutput(COUNTS, counts)


class _WriteExamples(beam.DoFn):
    """Joins one bucket, turns it into examples and writes them."""

    def __init__(
        self, job: ExampleJob, split_folders: dict[str, str], unfinished_folder: str
    ) -> None:
        self._job = job
        self._split_folders = split_folders
        self._unfinished_folder = unfinished_folder

    @cached_property
    def _key(self) -> bytes:
        return load_key(self._job.key_reference)

    def process(self, bucket: tuple[int, Iterable[tuple[str, bytes]]]) -> Iterator[Any]:
        study = self._job.study
        subjects = join_bucket(study, self._job.plans, tables_of(bucket[1]))
        counts = subjects.counts
        if subjects.keys:
            built = build_examples(study, subjects, self._key)
            # Adding counters with + would lose what was counted as 0.
            counts.update(built.counts)
            for split, examples in built.by_split.items():
                if examples:
                    write_records(
                        self._split_folders[split],
                        self._unfinished_folder,
                        bucket[0],
                        self._job.buckets,
                        examples,
                    )
        yield from (reject.to_json() for reject in subjects.rejects)
        yield beam.pvalue.TaggedOutput(COUNTS, counts)


class _AddCounts(beam.CombineFn):
    """Adds counters."""

    def create_accumulator(self) -> CounterOfRows:
        return Counter()

    def add_input(self, total: CounterOfRows, counts: CounterOfRows) -> CounterOfRows:
        total.update(counts)
        return total

    def merge_accumulators(self, totals: Iterable[CounterOfRows]) -> CounterOfRows:
        merged: CounterOfRows = Counter()
        for total in totals:
            merged.update(total)
        return merged

    def extract_output(self, total: CounterOfRows) -> CounterOfRows:
        return total


def write_examples(
    root: beam.Pipeline,
    job: ExampleJob,
    split_folders: dict[str, str],
    unfinished_folder: str,
    rejects_folder: str,
) -> None:
    """Adds everything from the files to the written artifacts to a Beam pipeline.

    Args:
        root: The Beam pipeline.
        job: What to read and derive.
        split_folders: Folder of each split's examples; they exist.
        unfinished_folder: Folder for files that are not yet whole.
        rejects_folder: Folder of the rejects and counts.
    """
    parts = [(name, extent) for name, plan in job.plans.items() for extent in plan.extents()]
    read_rows = (
        root
        | "Parts" >> beam.Create(parts)
        | "Spread" >> beam.Reshuffle()
        | "ReadRows" >> beam.ParDo(_ReadRows(job)).with_outputs(REJECTS, COUNTS, main="rows")
    )
    built = (
        read_rows.rows
        | "BySubject" >> beam.GroupByKey()
        | "WriteExamples"
        >> beam.ParDo(_WriteExamples(job, split_folders, unfinished_folder)).with_outputs(
            COUNTS, main=REJECTS
        )
    )
    _ = (
        (read_rows[REJECTS], built[REJECTS])
        | "AllRejects" >> beam.Flatten()
        | "WriteRejects" >> beam.io.WriteToText(f"{rejects_folder}/rejects", ".jsonl")
    )
    datasets = list(job.plans)
    _ = (
        (read_rows[COUNTS], built[COUNTS])
        | "AllCounts" >> beam.Flatten()
        | "AddCounts" >> beam.CombineGlobally(_AddCounts())
        | "Document" >> beam.Map(lambda counts: json.dumps(counts_document(counts, datasets)))
        | "WriteCounts"
        >> beam.io.WriteToText(f"{rejects_folder}/counts.json", shard_name_template="")
    )
