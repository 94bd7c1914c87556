"""Bins of features by what the training subjects had."""

from __future__ import annotations

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline.reading.examples import Categories, ExampleColumns
from pipeline.skew.bins import BINNED, binned_inputs, input_bins
from pipeline.skew.coarse_statistics import coarse_statistics
from pipeline.skew.training_values import SeenValues, seen_values

TENTHS = SeenValues(0, 100, bins=tuple((upper, 10.0) for upper in range(10, 101, 10)))


def bins_of_ages(ages: list[float], seen: SeenValues, smallest_group: int) -> list[str | None]:
    columns = ExampleColumns(len(ages), {"AGE": np.array(ages, np.float32)}, {})
    bins = input_bins({"AGE": seen}, ["AGE"], [], smallest_group)
    return [dict(row)["AGE"] for row in binned_inputs(columns, bins).to_pylist()]


def test_quantiles_are_joined_until_each_bin_has_enough_subjects() -> None:
    # 25 of 100 subjects: three tenths each, and the tenth that is left over joins the last bin.
    found = bins_of_ages([5, 25, 35, 55, 65, 95], TENTHS, smallest_group=25)
    assert found == ["1", "1", "2", "2", "3", "3"]


def test_a_number_beyond_the_training_data_has_a_bin_of_its_own_at_each_end() -> None:
    found = bins_of_ages([-1, 0, 100, 101], TENTHS, smallest_group=50)
    assert found == ["0", "1", "2", "3"]


def test_quantiles_of_one_value_make_no_empty_bin() -> None:
    seen = SeenValues(0, 9, bins=((0, 30), (0, 30), (9, 30)))
    assert bins_of_ages([0, 5, 9], seen, smallest_group=20) == ["1", "1", "1"]


def test_without_quantiles_all_numbers_of_the_training_data_are_one_bin() -> None:
    assert bins_of_ages([1, 3, 7], SeenValues(2, 6), smallest_group=20) == ["0", "1", "2"]
    assert bins_of_ages([1, float("nan")], SeenValues(), smallest_group=20) == ["1", None]


def test_a_category_keeps_its_name_where_a_training_subject_had_it() -> None:
    columns = ExampleColumns(
        4, {}, {"SEX": Categories(np.array([1, 0, -1, 1], np.int32), ("F", "Jane Doe"))}
    )
    bins = input_bins({"SEX": SeenValues(categories=frozenset("FM"))}, [], ["SEX"], 20)
    found = binned_inputs(columns, bins)
    assert [dict(row)["SEX"] for row in found.to_pylist()] == ["", "F", None, ""]


def test_each_subject_has_its_own_bins_of_all_features() -> None:
    columns = ExampleColumns(
        2,
        {"AGE": np.array([3, 60], np.float32), "BMI": np.array([np.nan, 50], np.float32)},
        {"SEX": Categories(np.array([0, 1], np.int32), ("F", "M"))},
    )
    seen = {"AGE": TENTHS, "BMI": TENTHS, "SEX": SeenValues(categories=frozenset("FM"))}
    found = binned_inputs(columns, input_bins(seen, ["AGE", "BMI"], ["SEX"], 50))
    assert found.type == BINNED
    assert [dict(row) for row in found.to_pylist()] == [
        {"AGE": "1", "BMI": None, "SEX": "F"},
        {"AGE": "2", "BMI": "2", "SEX": "M"},
    ]


def test_a_model_without_features_has_no_bins() -> None:
    found = binned_inputs(ExampleColumns(2, {}, {}), input_bins({}, [], [], 20))
    assert found.to_pylist() == [[], []]


def test_bins_are_those_of_the_statistics_that_the_registry_keeps() -> None:
    ages = np.repeat(np.arange(40, 80), 10).astype(np.float32)
    exact = statistics_pb2.DatasetFeatureStatistics(num_examples=len(ages))
    age = exact.features.add()
    age.path.step.append("AGE")
    age.num_stats.common_stats.num_non_missing = len(ages)
    columns = ExampleColumns(len(ages), {"AGE": ages}, {})
    kept = coarse_statistics(exact, columns, smallest_group=50).datasets[0]

    bins = input_bins(seen_values(kept, ["AGE"], []), ["AGE"], [], smallest_group=50)
    found = [dict(row)["AGE"] for row in binned_inputs(columns, bins).to_pylist()]
    sizes = {name: found.count(name) for name in set(found)}
    assert len(sizes) > 4
    assert {"0", str(len(sizes) + 1)}.isdisjoint(sizes), "no training subject is out of range"
    assert min(sizes.values()) >= 50


def test_quantiles_of_an_earlier_release_are_taken() -> None:
    statistics = statistics_pb2.DatasetFeatureStatistics(num_examples=20)
    age = statistics.features.add()
    age.path.step.append("AGE")
    age.num_stats.common_stats.num_non_missing = 20
    age.num_stats.min, age.num_stats.max = 1, 9
    kinds = statistics_pb2.Histogram
    for kind, upper in ((kinds.STANDARD, 4), (kinds.QUANTILES, 5)):
        histogram = age.num_stats.histograms.add(type=kind)
        histogram.buckets.add(low_value=1, high_value=upper, sample_count=10)
        histogram.buckets.add(low_value=upper, high_value=9, sample_count=10)
    assert seen_values(statistics, ["AGE"], [])["AGE"].bins == ((5, 10), (9, 10))
