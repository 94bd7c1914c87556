"""The Beam graph: files to rows, rows to subjects, subjects to examples.

Subjects are dealt to splits or folds when the labels of all of them are known: a first pass over
the buckets makes the examples, a second one writes them to where they belong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray

from components.trial_example_gen.counts import counts_document
from components.trial_example_gen.deal import (
    Deal,
    Kind,
    Strata,
    deal_all_to_test,
    deal_subjects,
)
from components.trial_example_gen.examples import build_examples
from components.trial_example_gen.levels import absent_codes, absent_levels
from components.trial_example_gen.records import write_in_one_step, write_records
from components.trial_example_gen.undealt import deal_examples, strata_of, write_undealt
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
from pipeline.results.evaluation_plan import PLAN_FILE
from pipeline.study.study import Study
from pipeline.subject_key import load_key

_UNDEALT = "undealt"
_STRATA = "strata"

_Collected = dict[Kind, list[NDArray[np.uint64]]]


@dataclass(frozen=True)
class ExampleJob:
    """Parameters of the workers; small, and the same for all of them.

    Attributes:
        plan: The reading plan.
        key_reference: Where the subject key is (`env:NAME` or `file:PATH`).
        validates: Whether a registered model is validated on all subjects.
    """

    plan: ReadingPlan
    key_reference: str
    validates: bool = False


class _BuildExamples(beam.DoFn):
    """Joins one bucket and turns it into examples, which wait in a file until they are dealt."""

    def __init__(self, job: ExampleJob, unfinished_folder: str) -> None:
        self._job = job
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
            yield bucket[0], write_undealt(self._unfinished_folder, built)
            yield beam.pvalue.TaggedOutput(_STRATA, strata_of(built))
        yield from (
            beam.pvalue.TaggedOutput(REJECTS, reject.to_json()) for reject in subjects.rejects
        )
        yield beam.pvalue.TaggedOutput(COUNTS, counts)


class _DealSubjects(beam.CombineFn):
    """Collects the hashes of all subjects by kind, and deals the subjects out."""

    def __init__(self, study: Study, validates: bool) -> None:
        self._study = study
        self._validates = validates

    def create_accumulator(self) -> _Collected:
        return {}

    def add_input(self, collected: _Collected, strata: Strata) -> _Collected:
        for kind, hashes in strata.items():
            collected.setdefault(kind, []).append(hashes)
        return collected

    def merge_accumulators(self, parts: Iterable[_Collected]) -> _Collected:
        merged: _Collected = {}
        for part in parts:
            for kind, hashes in part.items():
                merged.setdefault(kind, []).extend(hashes)
        return merged

    def compact(self, collected: _Collected) -> _Collected:
        return {kind: [np.concatenate(hashes)] for kind, hashes in collected.items()}

    def extract_output(self, collected: _Collected) -> Deal:
        strata = {kind: np.sort(np.concatenate(hashes)) for kind, hashes in collected.items()}
        study = self._study
        if self._validates:
            return deal_all_to_test(strata)
        smallest = study.slicing.smallest_group
        return deal_subjects(study.evaluation, study.split, list(study.tasks), strata, smallest)


class _WriteExamples(beam.DoFn):
    """Writes one bucket's examples to the splits that they are dealt to."""

    def __init__(self, split_folders: dict[str, str], unfinished_folder: str, buckets: int) -> None:
        self._split_folders = split_folders
        self._unfinished_folder = unfinished_folder
        self._buckets = buckets

    def process(self, undealt: tuple[int, str], deal: Deal) -> Iterator[CounterOfRows]:
        number, path = undealt
        dealt = deal_examples(path, deal)
        for split, examples in dealt.by_split.items():
            # Splits that the scheme leaves empty have files to be read.
            if len(examples) or split not in deal.plan.splits:
                write_records(
                    self._split_folders[split],
                    self._unfinished_folder,
                    number,
                    self._buckets,
                    examples,
                )
        yield dealt.counts


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
    built = found[ROWS] | "BuildExamples" >> beam.ParDo(
        _BuildExamples(job, unfinished_folder)
    ).with_outputs(COUNTS, REJECTS, _STRATA, main=_UNDEALT)
    deal = built[_STRATA] | "DealSubjects" >> beam.CombineGlobally(
        _DealSubjects(job.plan.study, job.validates)
    )
    counts_of_examples = built[_UNDEALT] | "WriteExamples" >> beam.ParDo(
        _WriteExamples(split_folders, unfinished_folder, buckets_of(job.plan)),
        beam.pvalue.AsSingleton(deal),
    )
    _ = (
        deal
        | "Plan" >> beam.Map(lambda found: found.plan.model_dump_json())
        | "WritePlan"
        >> beam.Map(_write_document, f"{rejects_folder}/{PLAN_FILE}", unfinished_folder)
    )
    _ = (
        (found[REJECTS], built[REJECTS])
        | "AllRejects" >> beam.Flatten()
        | "WriteRejects" >> beam.io.WriteToText(f"{rejects_folder}/rejects", ".jsonl")
    )
    _ = (
        (found[COUNTS], built[COUNTS], counts_of_examples)
        | "AllCounts" >> beam.Flatten()
        | "AddCounts" >> beam.CombineGlobally(_AddCounts())
        | "Document" >> beam.Map(_document, job.plan)
        | "WriteCounts"
        >> beam.Map(_write_document, f"{rejects_folder}/counts.json", unfinished_folder)
    )


def _write_document(document: str, path: str, unfinished_folder: str) -> None:
    # Beam's sink would add ten steps to the graph for a single line.
    write_in_one_step(path, unfinished_folder, [document.encode(), b"\n"])


def _document(counts: CounterOfRows, plan: ReadingPlan) -> str:
    qualified = [
        (name, column) for name, item in plan.datasets.items() for column in item.qualifiers
    ]
    absent = [*absent_levels(plan.study, qualified, counts), *absent_codes(plan, counts)]
    return counts_document(counts, plan.datasets, absent).model_dump_json()
