"""A reproducible delete-a-group jackknife with a small Beam graph.

TFMA assigns rows to its twenty groups by an unseeded random generator, so intervals differ between
runs, and builds a chain of Beam transforms for each of the twenty samples: the graph is slow to
build and to run, and on Flink it needs more network buffers than a cluster has by default. Here the
group follows from the subject's hash, one keyed combine computes the accumulators of all groups,
and one function computes the samples of a slice from them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.evaluators import (
    confidence_intervals_util,
    jackknife,
    metrics_plots_and_validations_evaluator,
)
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.slicer import slicer_lib

from pipeline import names

GROUPS = 20
"""Number of groups as in TFMA, whose interval has the corresponding degrees of freedom."""

FULL_SAMPLE = metric_types.MetricKey(name="_full_sample")
"""Key suffix of metrics without an interval: computed from the full sample only."""

_SAMPLE = "_jackknife_sample"
_FULL_SAMPLE_ID = jackknife._FULL_SAMPLE_ID
_Inputs = metrics_plots_and_validations_evaluator._DEFAULT_COMBINER_INPUT_KEY


def group_of(subject_hash: bytes) -> int:
    """Jackknife group of a subject, 0 to 19; the same in every run and on every runner."""
    # CRC-32 distributes hashes of any alphabet evenly over the groups.
    return zlib.crc32(subject_hash) % GROUPS


@contextmanager
def grouped_by_subject() -> Iterator[None]:
    """Context in which pipelines that TFMA builds use this module's jackknife."""
    original = jackknife.ComputeWithConfidenceIntervals
    jackknife.ComputeWithConfidenceIntervals = compute_with_confidence_intervals
    try:
        yield
    finally:
        jackknife.ComputeWithConfidenceIntervals = original


def compute_with_confidence_intervals(
    computations_combine_fn: beam.CombineFn,
    derived_metrics_ptransform: beam.PTransform,
    num_jackknife_samples: int,
    skip_ci_metric_keys: Iterable[metric_types.MetricKey] | None = None,
    random_seed_for_testing: int | None = None,
) -> beam.PTransform:
    """Replaces TFMA's transform of this name; same input and result type.

    Each element must hold rows of one jackknife group only, such as single rows or the elements of
    `components.evaluator.extractors`.

    Args:
        computations_combine_fn: Combines extracts into metrics.
        derived_metrics_ptransform: Adds derived and difference metrics to each slice's.
        num_jackknife_samples: Number of groups; must be 20.
        skip_ci_metric_keys: Metrics without an interval.
        random_seed_for_testing: Ignored: the groups are not random.

    Returns:
        A transform from (slice key, extracts) to (slice key, metrics with intervals).

    Raises:
        ValueError: The number of groups is not 20.
    """
    del random_seed_for_testing
    if num_jackknife_samples != GROUPS:
        raise ValueError(f"expected {GROUPS} jackknife groups, not {num_jackknife_samples}")
    return _Jackknife(
        computations_combine_fn, derived_metrics_ptransform, frozenset(skip_ci_metric_keys or ())
    )


class _Jackknife(beam.PTransform):
    """Point estimates and twenty leave-one-group-out samples of every slice, then intervals.

    Cross-slice metrics are not supported: they would compare samples with each other.
    """

    def __init__(
        self,
        combine_fn: beam.CombineFn,
        derive: beam.PTransform,
        skipped: frozenset[metric_types.MetricKey],
    ) -> None:
        super().__init__()
        self._combine_fn = combine_fn
        self._derive = derive
        self._skipped = skipped

    def expand(self, sliced_extracts: beam.PCollection) -> beam.PCollection:
        return (
            sliced_extracts
            | "KeyByGroup" >> beam.MapTuple(_key_by_group)
            | "CombineGroups"
            >> beam.CombinePerKey(jackknife._AccumulateOnlyCombineFn(self._combine_fn))
            | "KeyBySlice"
            >> beam.MapTuple(lambda key, accumulator: (key[0], (key[1], accumulator)))
            | "CollectGroups" >> beam.GroupByKey()
            | "LeaveOneOut" >> beam.ParDo(_LeaveOneOut(self._combine_fn))
            | "AddDerivedMetrics" >> self._derive
            | "SeparateSample" >> beam.MapTuple(_separate_sample)
            | "CombineSamples"
            >> beam.CombinePerKey(jackknife._JackknifeSampleCombineFn(GROUPS, self._skipped))
        )


def _key_by_group(
    slice_key: slicer_lib.SliceKeyType, extracts: dict[str, Any]
) -> tuple[tuple[slicer_lib.SliceKeyType, int], dict[str, Any]]:
    hashes = np.ravel(extracts[_Inputs][0].get_features()[names.SUBJECT_HASH])
    return (slice_key, group_of(hashes[0])), extracts


class _LeaveOneOut(beam.DoFn):
    """Turns a slice's group accumulators into the metrics of the full and the reduced samples."""

    def __init__(self, combine_fn: beam.CombineFn) -> None:
        self._combine_fn = combine_fn

    def setup(self) -> None:
        self._combine_fn.setup()

    def teardown(self) -> None:
        self._combine_fn.teardown()

    def process(
        self, element: tuple[slicer_lib.SliceKeyType, Iterable[tuple[int, Any]]]
    ) -> Iterator[tuple[slicer_lib.SliceKeyType, metric_types.MetricsDict]]:
        slice_key, groups = element
        filled = dict(groups)
        # In the order of the group numbers, so that sums are reproducible.
        present = sorted(filled)
        before = self._running([filled[group] for group in present])
        after = self._running([filled[group] for group in reversed(present)])
        everyone = self._combine_fn.extract_output(before[-1])
        yield _sample(slice_key, _FULL_SAMPLE_ID, {**everyone, FULL_SAMPLE: True})
        for group in range(GROUPS):
            # Of a group without subjects in the slice the sample is everyone; their scores remember
            # what was measured.
            metrics = everyone
            if group in filled:
                place = present.index(group)
                rest = self._merged(before[place], after[len(present) - 1 - place])
                metrics = self._combine_fn.extract_output(rest)
            yield _sample(slice_key, group, metrics)

    def _running(self, accumulators: Sequence[Any]) -> list[Any]:
        """Accumulators of the first 0, 1, ... n groups."""
        running = [self._combine_fn.create_accumulator()]
        for accumulator in accumulators:
            running.append(self._merged(running[-1], accumulator))
        return running

    def _merged(self, *accumulators: Any) -> Any:
        # Combiners may modify the first accumulator that they merge, but no other.
        return self._combine_fn.merge_accumulators(
            [self._combine_fn.create_accumulator(), *accumulators]
        )


def _sample(
    slice_key: slicer_lib.SliceKeyType, sample: int, metrics: metric_types.MetricsDict
) -> tuple[slicer_lib.SliceKeyType, metric_types.MetricsDict]:
    return (*slice_key, (_SAMPLE, sample)), metrics


def _separate_sample(
    key: slicer_lib.SliceKeyType, metrics: metric_types.MetricsDict
) -> tuple[slicer_lib.SliceKeyType, confidence_intervals_util.SampleMetrics]:
    (_, sample) = key[-1]
    public = {name: value for name, value in metrics.items() if not name.name.startswith("_")}
    return key[:-1], confidence_intervals_util.SampleMetrics(metrics=public, sample_id=sample)
