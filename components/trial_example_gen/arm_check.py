"""The part of the graph that refuses columns which disclose a hidden arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import pyarrow as pa

from components.trial_example_gen.revealing import first_subjects, revealing
from pipeline.names import SCORING, RunKind
from pipeline.study.study import Study


class _FindRevealing(beam.CombineFn):
    """Collects subjects with their hidden arm, and finds the columns that disclose it."""

    def create_accumulator(self) -> list[pa.Table]:
        return []

    def add_input(self, samples: list[pa.Table], sample: pa.Table) -> list[pa.Table]:
        return [*samples, sample]

    def merge_accumulators(self, parts: Iterable[list[pa.Table]]) -> list[pa.Table]:
        return self.compact([sample for part in parts for sample in part])

    def compact(self, samples: list[pa.Table]) -> list[pa.Table]:
        return [first_subjects(samples)] if samples else []

    def extract_output(self, samples: list[pa.Table]) -> list[str]:
        return list(revealing(first_subjects(samples))) if samples else []


def looks_at_arm(study: Study, kind: RunKind) -> bool:
    """Whether columns that disclose a hidden arm are looked for: who is scored has none."""
    return study.hidden is not None and kind != SCORING


def find_problems(samples: Any) -> list[Any]:
    """Adds the check to a Beam pipeline.

    Args:
        samples: Of each bucket what `sample_of` gives.

    Returns:
        Counters of problems, for the counts of the examples.
    """
    return [
        samples
        | "FindRevealing" >> beam.CombineGlobally(_FindRevealing())
        | "ArmProblems"
        >> beam.Map(lambda found: Counter({("problems", problem): 1 for problem in found}))
    ]
