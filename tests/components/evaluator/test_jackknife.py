import pickle
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability import fn_api_runner
from tensorflow_model_analysis.evaluators import metrics_plots_and_validations_evaluator as tfma
from tensorflow_model_analysis.metrics import metric_types

from components.evaluator import jackknife

MEAN = metric_types.MetricKey("mean")
DOUBLE = metric_types.MetricKey("double")


class MeanFn(beam.CombineFn):
    """Changes the first accumulator that it merges, as Beam allows."""

    def create_accumulator(self) -> Any:
        return [0.0, 0]

    def add_input(self, accumulator: Any, element: Any) -> Any:
        for inputs in element[tfma._DEFAULT_COMBINER_INPUT_KEY]:
            accumulator[0] += float(inputs.labels.sum())
            accumulator[1] += len(inputs.labels)
        return accumulator

    def merge_accumulators(self, accumulators: Any) -> Any:
        first, *others = accumulators
        for other in others:
            first[0] += other[0]
            first[1] += other[1]
        return first

    def extract_output(self, accumulator: Any) -> Any:
        return {MEAN: accumulator[0] / accumulator[1] if accumulator[1] else float("nan")}


def doubled(key: Any, metrics: Any) -> Any:
    return key, metrics | {DOUBLE: 2 * metrics[MEAN]}


def row(number: Any, value: Any) -> Any:
    inputs = metric_types.StandardMetricInputs(
        labels=np.array([value]), features={"subject_hash": np.array([subject_hash(number)])}
    )
    return {tfma._DEFAULT_COMBINER_INPUT_KEY: [inputs]}


def subject_hash(number: Any) -> Any:
    return f"{number:08x}".encode()


def with_intervals(elements: Any, file: Any) -> Any:
    with beam.Pipeline(runner=fn_api_runner.FnApiRunner()) as pipeline:
        _ = (
            pipeline
            | beam.Create(elements)
            | jackknife.compute_with_confidence_intervals(MeanFn(), beam.MapTuple(doubled), 20)
            | beam.combiners.ToList()
            | beam.Map(lambda found: file.write_bytes(pickle.dumps(dict(found))))
        )
    return pickle.loads(file.read_bytes())


@pytest.fixture(scope="module")
def values() -> Any:
    return np.random.default_rng(5).normal(size=60)


@pytest.fixture(scope="module")
def found(values: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All 60 subjects overall, and the first 12, who leave groups empty, as a slice."""
    rows = [(number, row(number, value)) for number, value in enumerate(values)]
    return with_intervals(
        [((), element) for _, element in rows]
        + [((("sex", "F"),), element) for number, element in rows if number < 12],
        tmp_path_factory.mktemp("jackknife") / "found.pickle",
    )


@pytest.mark.parametrize(("key", "size"), [((), 60), ((("sex", "F"),), 12)])
def test_standard_errors_are_those_of_twenty_leave_one_out_samples(
    found: Any, values: Any, key: Any, size: Any
) -> None:
    groups = np.array([jackknife.group_of(subject_hash(number)) for number in range(size)])
    values = values[:size]
    samples = np.array([values[groups != group].mean() for group in range(20)])
    pseudo = 20 * values.mean() - 19 * samples

    interval = found[key][MEAN]
    assert interval.unsampled_value == pytest.approx(values.mean(), abs=1e-12)
    assert interval.sample_mean == pytest.approx(samples.mean(), abs=1e-12)
    assert interval.sample_standard_deviation == pytest.approx(
        pseudo.std(ddof=1) / np.sqrt(20), abs=1e-12
    )
    assert interval.sample_degrees_of_freedom == 19


def test_derived_metrics_get_intervals_too(found: Any) -> None:
    mean, double = found[()][MEAN], found[()][DOUBLE]

    assert double.sample_standard_deviation == pytest.approx(2 * mean.sample_standard_deviation)


def test_subjects_spread_over_all_groups_evenly() -> None:
    counts = np.bincount([jackknife.group_of(subject_hash(number)) for number in range(20_000)])

    assert len(counts) == 20
    assert abs(counts - 1000).max() < 150


def test_another_number_of_groups_is_refused() -> None:
    with pytest.raises(ValueError, match="20"):
        jackknife.compute_with_confidence_intervals(MeanFn(), beam.MapTuple(doubled), 10)
