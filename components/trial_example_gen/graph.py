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

from components.trial_example_gen.arm_check import arm_samples, find_problems, looks_at_arm
from components.trial_example_gen.censoring import CensoringModel, EndCounts, fit_censoring
from components.trial_example_gen.counts import counts_document
from components.trial_example_gen.deal import (
    Deal,
    Kind,
    Strata,
    deal_all_to_test,
    deal_subjects,
)
from components.trial_example_gen.examples import build_examples
from components.trial_example_gen.inherited import InheritedDivision, Kept
from components.trial_example_gen.known import build_known
from components.trial_example_gen.records import write_in_one_step, write_records
from components.trial_example_gen.scored import build_scored
from components.trial_example_gen.undealt import deal_examples, strata_of, write_undealt
from pipeline.names import OUTCOMES, SCORING, TRAINING, RunKind
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
from pipeline.results.absent_levels import absent_codes, absent_levels
from pipeline.results.division import parts_content
from pipeline.results.evaluation_plan import PLAN_FILE
from pipeline.study.study import Study
from pipeline.subject_key import load_key

_UNDEALT = "undealt"
_STRATA = "strata"
_ENDS = "ends"
_ARMS = "arms"
_BUILDERS = {SCORING: build_scored, OUTCOMES: build_known}


@dataclass
class _Collected:
    """Subjects that are not dealt yet: hashes by kind, and those who keep what they were dealt."""

    strata: dict[Kind, list[NDArray[np.uint64]]]
    kept: list[Kept]


@dataclass(frozen=True)
class ExampleJob:
    """Parameters of the workers; small, and the same for all of them.

    Attributes:
        plan: The reading plan.
        key_reference: Where the subject key is (`env:NAME` or `file:PATH`).
        kind: What the run does.
        inherited: Folder of the division whose subjects keep their part or fold; None for none.
    """

    plan: ReadingPlan
    key_reference: str
    kind: RunKind = TRAINING
    inherited: str | None = None


class _BuildExamples(beam.DoFn):
    """Joins one bucket and turns it into examples, which wait in a file until they are dealt."""

    def __init__(self, job: ExampleJob, unfinished_folder: str) -> None:
        self._job = job
        self._unfinished_folder = unfinished_folder

    @cached_property
    def _key(self) -> bytes:
        return load_key(self._job.key_reference)

    @cached_property
    def _inherited(self) -> InheritedDivision | None:
        return None if self._job.inherited is None else InheritedDivision(self._job.inherited)

    def process(self, bucket: tuple[int, Iterable[tuple[str, bytes]]]) -> Iterator[Any]:
        plan = self._job.plan
        subjects = joined(plan, bucket[1])
        counts = subjects.counts
        built = None
        if subjects.keys:
            build = _BUILDERS.get(self._job.kind, build_examples)
            built = build(plan.study, subjects, self._key)
            # Adding counters with + would lose what was counted as 0.
            counts.update(built.counts)
            yield bucket[0], write_undealt(self._unfinished_folder, built)
            kept = self._inherited and self._inherited.kept(built.pseudonyms, built.hashes)
            yield beam.pvalue.TaggedOutput(_STRATA, (strata_of(built), kept))
            yield beam.pvalue.TaggedOutput(_ENDS, built.ends)
        if looks_at_arm(plan.study, self._job.kind):
            yield beam.pvalue.TaggedOutput(_ARMS, arm_samples(plan.study, subjects, built))
        yield from (
            beam.pvalue.TaggedOutput(REJECTS, reject.to_json()) for reject in subjects.rejects
        )
        yield beam.pvalue.TaggedOutput(COUNTS, counts)


class _DealSubjects(beam.CombineFn):
    """Collects the hashes of all subjects by kind, and deals the subjects out."""

    def __init__(self, study: Study, kind: RunKind) -> None:
        self._study = study
        self._kind = kind

    def create_accumulator(self) -> _Collected:
        return _Collected({}, [])

    def add_input(self, collected: _Collected, found: tuple[Strata, Kept | None]) -> _Collected:
        strata, kept = found
        for kind, hashes in strata.items():
            collected.strata.setdefault(kind, []).append(hashes)
        if kept is not None:
            collected.kept.append(kept)
        return collected

    def merge_accumulators(self, parts: Iterable[_Collected]) -> _Collected:
        merged = self.create_accumulator()
        for part in parts:
            for kind, hashes in part.strata.items():
                merged.strata.setdefault(kind, []).extend(hashes)
            merged.kept.extend(part.kept)
        return merged

    def compact(self, collected: _Collected) -> _Collected:
        kept = Kept.merged(collected.kept)
        return _Collected(
            {kind: [np.concatenate(hashes)] for kind, hashes in collected.strata.items()},
            [] if kept is None else [kept],
        )

    def extract_output(self, collected: _Collected) -> Deal:
        strata = {k: np.sort(np.concatenate(hashes)) for k, hashes in collected.strata.items()}
        study = self._study
        if self._kind != TRAINING:
            # Recorded outcomes are for the evaluation of models that are registered.
            return deal_all_to_test(strata, "score" if self._kind == SCORING else "validate")
        return deal_subjects(
            study.evaluation,
            study.split,
            list(study.tasks),
            strata,
            study.slicing.smallest_group,
            Kept.merged(collected.kept),
        )


class _WriteExamples(beam.DoFn):
    """Writes one bucket's examples to the splits that they are dealt to, and who is in which."""

    def __init__(
        self,
        split_folders: dict[str, str],
        dealt_folder: str | None,
        unfinished_folder: str,
        buckets: int,
    ) -> None:
        self._split_folders = split_folders
        self._dealt_folder = dealt_folder
        self._unfinished_folder = unfinished_folder
        self._buckets = buckets

    def process(
        self, undealt: tuple[int, str], deal: Deal, censoring: CensoringModel
    ) -> Iterator[CounterOfRows]:
        number, path = undealt
        dealt = deal_examples(path, deal, censoring)
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
        if self._dealt_folder and deal.plan.scheme == "split":
            # Out of fold the predictions say who is in which fold.
            write_in_one_step(
                f"{self._dealt_folder}/{number:05d}.parquet",
                self._unfinished_folder,
                [parts_content(dealt.subjects, dealt.parts)],
            )
        yield dealt.counts


class _AddCounts(beam.CombineFn):
    """Adds counters."""

    def create_accumulator(self) -> Counter[Any]:
        return Counter()

    def add_input(self, total: Counter[Any], counts: Counter[Any]) -> Counter[Any]:
        total.update(counts)
        return total

    def merge_accumulators(self, totals: Iterable[Counter[Any]]) -> Counter[Any]:
        merged: Counter[Any] = Counter()
        for total in totals:
            merged.update(total)
        return merged

    def extract_output(self, total: Counter[Any]) -> Counter[Any]:
        return total


def write_examples(
    root: beam.Pipeline,
    job: ExampleJob,
    split_folders: dict[str, str],
    unfinished_folder: str,
    rejects_folder: str,
    dealt_folder: str | None = None,
) -> None:
    """Adds the steps from the data files to the written artifacts to a Beam pipeline.

    Args:
        root: The Beam pipeline.
        job: What to read and derive.
        split_folders: Folder of each split's examples; they exist.
        unfinished_folder: Folder for files that are not yet whole.
        rejects_folder: Folder of the rejects and counts.
        dealt_folder: Folder for who is in which split; it exists. None writes it nowhere.
    """
    found = read_rows(root, job.plan)
    built = found[ROWS] | "BuildExamples" >> beam.ParDo(
        _BuildExamples(job, unfinished_folder)
    ).with_outputs(COUNTS, REJECTS, _STRATA, _ENDS, _ARMS, main=_UNDEALT)
    deal = built[_STRATA] | "DealSubjects" >> beam.CombineGlobally(
        _DealSubjects(job.plan.study, job.kind)
    )
    censoring = (
        built[_ENDS]
        | "AddEnds" >> beam.CombineGlobally(_AddCounts())
        | "FitCensoring" >> beam.Map(_fit_censoring, job)
    )
    counts_of_examples = built[_UNDEALT] | "WriteExamples" >> beam.ParDo(
        _WriteExamples(split_folders, dealt_folder, unfinished_folder, buckets_of(job.plan)),
        beam.pvalue.AsSingleton(deal),
        beam.pvalue.AsSingleton(censoring),
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
    disclosing = find_problems(built[_ARMS]) if looks_at_arm(job.plan.study, job.kind) else []
    _ = (
        (found[COUNTS], built[COUNTS], counts_of_examples, *disclosing)
        | "AllCounts" >> beam.Flatten()
        | "AddCounts" >> beam.CombineGlobally(_AddCounts())
        | "Document" >> beam.Map(_document, job.plan, beam.pvalue.AsSingleton(censoring))
        | "WriteCounts"
        >> beam.Map(_write_document, f"{rejects_folder}/counts.json", unfinished_folder)
    )


def _write_document(document: str, path: str, unfinished_folder: str) -> None:
    # Beam's sink would add ten steps to the graph for a single line.
    write_in_one_step(path, unfinished_folder, [document.encode(), b"\n"])


def _fit_censoring(ends: EndCounts, job: ExampleJob) -> CensoringModel:
    # Of subjects who are scored no follow-up is known.
    return CensoringModel({}, {}) if job.kind == SCORING else fit_censoring(job.plan.study, ends)


def _document(counts: CounterOfRows, plan: ReadingPlan, censoring: CensoringModel) -> str:
    absent = [*absent_levels(plan, counts), *absent_codes(plan, counts)]
    found = counts_document(counts, plan.datasets, absent, censoring.documents)
    return found.model_dump_json()
