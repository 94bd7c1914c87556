"""The part of the graph that refuses columns which disclose a hidden arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa

from components.trial_example_gen.examples import BuiltExamples
from components.trial_example_gen.revealing import first_subjects, revealing, sample_of
from components.trial_example_gen.revealing_conditions import (
    OWN,
    revealing_conditions,
    samples_of,
)
from pipeline.names import OUTCOMES, SCORING, RunKind
from pipeline.reading.joined import JoinedSubjects
from pipeline.study.study import Study

Samples = dict[str, pa.Table]
"""Of subjects with their hidden arm, by what is looked at."""

_EXAMPLES = "examples"


class _FindRevealing(beam.CombineFn):
    """Collects subjects with their hidden arm, and finds the columns that disclose it."""

    def create_accumulator(self) -> list[Samples]:
        return []

    def add_input(self, samples: list[Samples], sample: Samples) -> list[Samples]:
        return [*samples, sample]

    def merge_accumulators(self, parts: Iterable[list[Samples]]) -> list[Samples]:
        return self.compact([sample for part in parts for sample in part])

    def compact(self, samples: list[Samples]) -> list[Samples]:
        keys = dict.fromkeys(key for sample in samples for key in sample)
        merged = {
            key: first_subjects([sample[key] for sample in samples if key in sample])
            for key in keys
        }
        return [merged] if merged else []

    def extract_output(self, samples: list[Samples]) -> list[str]:
        return [problem for found in self.compact(samples) for problem in _problems(found)]


def _problems(samples: Samples) -> Iterator[str]:
    examples = samples.pop(_EXAMPLES, None)
    if OWN in samples:
        yield from revealing_conditions(samples)
    if examples is not None:
        yield from revealing(examples)


def arm_samples(study: Study, subjects: JoinedSubjects, built: BuiltExamples | None) -> Samples:
    """What the check needs of a bucket.

    Args:
        study: The blinded study.
        subjects: The subjects.
        built: Their examples; None where population and window leave none of them.
    """
    samples: Samples = {}
    if subjects.all is not None:
        samples |= samples_of(study, subjects.all)
    if built is not None:
        samples[_EXAMPLES] = sample_of(study, subjects, built)
    return samples


def looks_at_arm(study: Study, kind: RunKind) -> bool:
    """Whether columns that disclose a hidden arm are looked for: it needs arms and features."""
    return study.hidden is not None and kind not in (SCORING, OUTCOMES)


def find_problems(samples: Any) -> list[Any]:
    """Adds the check to a Beam pipeline.

    Args:
        samples: Of each bucket what `arm_samples` gives.

    Returns:
        Counters of problems, for the counts of the examples.
    """
    return [
        samples
        | "FindRevealing" >> beam.CombineGlobally(_FindRevealing())
        | "ArmProblems"
        >> beam.Map(lambda found: Counter({("problems", problem): 1 for problem in found}))
    ]
