"""The Beam graph: groups rows by subject, computes sums of buckets of subjects, merges them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from pydantic import RootModel

from components.trial_summary.bucket import sum_up
from components.trial_summary.records import summarise
from components.trial_summary.sums import Progress
from pipeline.reading.levels import FOUND, VALUES
from pipeline.reading.plan import ReadingPlan
from pipeline.reading.qualifiers import unknown_qualifiers
from pipeline.reading.read_rows import COUNTS, ROWS, CounterOfRows, joined, read_rows
from pipeline.results.absent_levels import absence_text, absent_levels
from pipeline.storage import write_whole
from pipeline.study.sections import Severity

SUMMARY_FILE = "summary.json"
PROBLEMS_FILE = "problems.json"


class SummaryProblems(RootModel[tuple[str, ...]]):
    """`problems.json`: what a person has to fix before the data can be used."""


def write_summary(
    root: beam.Pipeline, plan: ReadingPlan, folder: str, severity: Severity = "stop"
) -> None:
    """Adds the steps from the data files to `summary.json` to a Beam pipeline.

    If the data have a fault that the user must fix, `problems.json` is written instead: a list of
    messages.

    Args:
        root: The Beam pipeline.
        plan: The reading plan.
        folder: Folder that gets the file.
        severity: Of values that the section `summary` names and that no row has; `stop` makes them
            a fault where what the section asks for can't be had without them.
    """
    found = read_rows(root, plan)
    summed = found[ROWS] | "SumUp" >> beam.Map(_sum_up, plan)
    problems = found[COUNTS] | "Problems" >> beam.Map(_of_counts)
    _ = (
        (summed, problems)
        | "AllSums" >> beam.Flatten()
        | "Add" >> beam.CombineGlobally(_AddProgress())
        | "Write" >> beam.Map(_write, plan, folder, severity)
    )


def _sum_up(bucket: tuple[int, Iterable[tuple[str, bytes]]], plan: ReadingPlan) -> Progress:
    return sum_up(plan.study, joined(plan, bucket[1]))


def _of_counts(counts: CounterOfRows) -> Progress:
    levels = Counter({key: n for key, n in counts.items() if key[0] in (FOUND, VALUES)})
    return Progress(levels=levels, problems={key[1] for key in counts if key[0] == "problems"})


def _write(progress: Progress, plan: ReadingPlan, folder: str, severity: Severity) -> None:
    absent = () if severity == "ignore" else tuple(absent_levels(plan, progress.levels))
    problems = sorted(progress.problems)
    problems = problems or list(unknown_qualifiers(plan, progress.qualifiers))
    if severity == "stop":
        problems = problems or [absence_text(item) for item in absent if item.needed]
    if problems:
        content = SummaryProblems(tuple(problems)).model_dump_json()
        write_whole(f"{folder}/{PROBLEMS_FILE}", content.encode())
        return
    document = summarise(plan.study, progress)
    document = document.model_copy(update={"absent_levels": tuple(map(absence_text, absent))})
    write_whole(f"{folder}/{SUMMARY_FILE}", f"{document.model_dump_json(indent=1)}\n".encode())


class _AddProgress(beam.CombineFn):
    """Merges the sums of buckets of subjects."""

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
