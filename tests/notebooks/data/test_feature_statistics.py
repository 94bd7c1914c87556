"""TFDV's statistics without what belongs to single subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import statistics_pb2

from notebooks.data.feature_statistics import Bars, FeatureStatistics, bars, read_statistics
from pipeline.errors import UserError


def _number(counts: list[float], edges: list[float]) -> FeatureStatistics:
    total = round(sum(counts))
    return FeatureStatistics(
        "AGE", total, total, counts=np.array(counts), edges=np.array(edges, np.float64)
    )


def _category(**values: int) -> FeatureStatistics:
    ranked = tuple(sorted(values.items(), key=lambda item: -item[1]))
    return FeatureStatistics("RACE", sum(values.values()), sum(values.values()), values=ranked)


def _numbers(found: Bars | None) -> tuple[tuple[str, ...], list[NDArray[np.float64]]]:
    assert found is not None
    return found.names, [np.array(shares) for shares in found.shares]


def _read(
    folder: Path, dataset: statistics_pb2.DatasetFeatureStatistics
) -> dict[str, FeatureStatistics]:
    """Writes statistics as StatisticsGen does, and reads them."""
    (folder / "Split-train").mkdir()
    everything = statistics_pb2.DatasetFeatureStatisticsList(datasets=[dataset])
    path = folder / "Split-train" / "FeatureStats.pb"
    path.write_bytes(everything.SerializeToString())
    return read_statistics(str(folder), "train")


def test_bars_have_round_edges_open_at_both_ends() -> None:
    # 100 subjects between 18.3 and 98.3, evenly.
    names, (shares,) = _numbers(bars([_number([50, 50], [18.3, 58.3, 98.3])], smallest=1))
    assert names[0] == "<20"
    assert names[1] == "20 to <25"
    assert names[-1] == "≥95"
    assert shares[1] == pytest.approx(5 / 80)
    assert shares.sum() == pytest.approx(1)


def test_a_bar_of_few_subjects_is_joined_with_its_neighbour() -> None:
    names, (shares,) = _numbers(bars([_number([50, 50], [18.3, 58.3, 98.3])], smallest=12))
    # Each 5 years hold 6.25 of 100 subjects, the ends 2 and 4.
    assert names[0] == "<30"
    assert names[-1] == "≥80"
    assert shares.min() >= 0.12


def test_distributions_share_their_bars_which_are_large_enough_in_each() -> None:
    names, shares = _numbers(
        bars([_number([100, 100], [0, 5, 10]), _number([5, 195], [0, 5, 10])], smallest=10)
    )
    assert names[0] == "<5.5"
    assert [values[0] for values in shares] == pytest.approx([0.55, (5 + 19.5) / 200])


def test_whole_numbers_have_a_bar_each_where_there_are_enough(tmp_path: Path) -> None:
    dataset = statistics_pb2.DatasetFeatureStatistics(num_examples=100)
    feature = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
    feature.path.step.append("ae_count")
    numbers = feature.num_stats
    numbers.common_stats.num_non_missing = 100
    numbers.min, numbers.max = 0, 2
    standard = numbers.histograms.add(type=statistics_pb2.Histogram.STANDARD)
    for low, high, size in ((0, 0.67, 60), (0.67, 1.33, 30), (1.33, 2, 10)):
        standard.buckets.add(low_value=low, high_value=high, sample_count=size)
    halves = numbers.histograms.add(type=statistics_pb2.Histogram.QUANTILES)
    for low, high in ((0, 0), (0, 2)):
        halves.buckets.add(low_value=low, high_value=high, sample_count=50)
    found = _read(tmp_path, dataset)["ae_count"]
    names, (shares,) = _numbers(bars([found], smallest=5))
    assert names == ("<1", "1 to <2", "≥2")
    np.testing.assert_allclose(shares, [0.6, 0.3, 0.1])


def test_a_column_with_few_subjects_has_no_bars() -> None:
    assert bars([_number([5, 4], [0, 5, 10])], smallest=10) is None


def test_rare_categories_are_pooled() -> None:
    names, (shares,) = _numbers(bars([_category(WHITE=60, ASIAN=20, A=8, B=7, C=5)], smallest=10))
    assert names == ("ASIAN", "WHITE", "other")
    np.testing.assert_allclose(shares, [0.2, 0.6, 0.2])


def test_a_single_rare_category_does_not_follow_by_subtraction() -> None:
    names, (shares,) = _numbers(bars([_category(WHITE=60, ASIAN=32, A=8)], smallest=10))
    assert names == ("WHITE", "other")
    np.testing.assert_allclose(shares, [0.6, 0.4])


def test_a_category_is_pooled_where_any_distribution_has_few_of_it() -> None:
    names, shares = _numbers(
        bars([_category(WHITE=50, ASIAN=50), _category(WHITE=90, ASIAN=4, A=6)], smallest=10)
    )
    assert names == ("WHITE", "other")
    np.testing.assert_allclose(shares, [[0.5, 0.5], [0.9, 0.1]])


def test_statistics_are_those_that_tfx_writes(tmp_path: Path) -> None:
    dataset = statistics_pb2.DatasetFeatureStatistics(num_examples=200)
    number = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
    number.path.step.append("AGE")
    number.num_stats.common_stats.num_non_missing = 150
    number.num_stats.mean, number.num_stats.std_dev = 61.5, 9.5
    number.num_stats.min, number.num_stats.max = 18.5, 98
    for kind, middle, counts in (("STANDARD", 58, (50, 100)), ("QUANTILES", 63, (75, 75))):
        histogram = number.num_stats.histograms.add(
            type=statistics_pb2.Histogram.HistogramType.Value(kind)
        )
        histogram.buckets.add(low_value=18.5, high_value=middle, sample_count=counts[0])
        histogram.buckets.add(low_value=middle, high_value=98, sample_count=counts[1])
    text = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
    text.path.step.append("SEX")
    text.string_stats.common_stats.num_non_missing = 200
    text.string_stats.rank_histogram.buckets.add(label="F", sample_count=120)
    text.string_stats.rank_histogram.buckets.add(label="M", sample_count=80)
    found = _read(tmp_path, dataset)
    assert (found["AGE"].subjects, found["AGE"].present, found["AGE"].missing_share) == (
        200,
        150,
        0.25,
    )
    assert (found["AGE"].mean, found["AGE"].deviation) == (61.5, 9.5)
    assert found["AGE"].counts is not None
    assert found["AGE"].edges is not None
    below = np.interp([58, 63], found["AGE"].edges[1:], np.cumsum(found["AGE"].counts))
    assert below.tolist() == [50, 75]
    assert found["SEX"].values == (("F", 120), ("M", 80))


def test_missing_statistics_are_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Split-train/FeatureStats.pb.*Rerun the pipeline"):
        read_statistics(str(tmp_path), "train")
