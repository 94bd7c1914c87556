"""The Beam graph: files to rows, rows to subjects, subjects to examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import apache_beam as beam

from components.trial_example_gen.counts import counts_document
from components.trial_example_gen.examples import build_examples
from components.trial_example_gen.levels import absent_codes, absent_levels
from components.trial_example_gen.records import write_records
from pipeline.reading.plan import ReadingPlan
from pipeline.reading.read_rows import (
    COUNTS,
    REJECTS,
    ROWS,
    CounterOfRows,
    buckets_of,
    joined,
    read_rows,
)
from pipeline.subject_key import load_key


@dataclass(frozen=True)
class ExampleJob:
    """Parameters of the workers; small, and the same for all of them.

    Attributes:
        plan: The reading plan.
        key_reference: Where the subject key is (`env:NAME` or `file:PATH`).
    """

    plan: ReadingPlan
    key_reference: str


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
        plan = self._job.plan
        subjects = joined(plan, bucket[1])
        counts = subjects.counts
        if subjects.keys:
            built = build_examples(plan.study, subjects, self._key)
            # Adding counters with + would lose what was counted as 0.
            counts.update(built.counts)
            for split, examples in built.by_split.items():
                if examples:
                    write_records(
                        self._split_folders[split],
                        self._unfinished_folder,
                        bucket[0],
                        buckets_of(plan),
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
    """Adds the steps from the data files to the written artifacts to a Beam pipeline.

    Args:
        root: The Beam pipeline.
        job: What to read and derive.
        split_folders: Folder of each split's examples; they exist.
        unfinished_folder: Folder for files that are not yet whole.
        rejects_folder: Folder of the rejects and counts.
    """
    found = read_rows(root, job.plan)
    built = found[ROWS] | "WriteExamples" >> beam.ParDo(
        _WriteExamples(job, split_folders, unfinished_folder)
    ).with_outputs(COUNTS, main=REJECTS)
    _ = (
        (found[REJECTS], built[REJECTS])
        | "AllRejects" >> beam.Flatten()
        | "WriteRejects" >> beam.io.WriteToText(f"{rejects_folder}/rejects", ".jsonl")
    )
    _ = (
        (found[COUNTS], built[COUNTS])
        | "AllCounts" >> beam.Flatten()
        | "AddCounts" >> beam.CombineGlobally(_AddCounts())
        | "Document" >> beam.Map(_document, job.plan)
        | "WriteCounts"
        >> beam.io.WriteToText(f"{rejects_folder}/counts.json", shard_name_template="")
    )


def _document(counts: CounterOfRows, plan: ReadingPlan) -> str:
    qualified = [
        (name, column) for name, item in plan.datasets.items() for column in item.qualifiers
    ]
    absent = [*absent_levels(plan.study, qualified, counts), *absent_codes(plan, counts)]
    return counts_document(counts, plan.datasets, absent).model_dump_json()
