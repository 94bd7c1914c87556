"""What the registry keeps of the training subjects: enough for later runs, nothing of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline.skew.coarse_statistics import REST, coarse_statistics, compared_with
from pipeline.skew.distances import drift_distances
from pipeline.skew.number_bins import number_bins
from pipeline.skew.training_values import SeenValues, seen_values
from tests.described_subjects import columns_of, described
from tests.each import each

SMALLEST = 20
KINDS = {"AGE": "number", "COUNT": "number", "SEX": "category", "RACE": "category"}


def trial(seed: int, size: int = 600, **changed: Any) -> pd.DataFrame:
    """Ages with a tail, counts that are mostly 0, sexes, and races of which some are rare."""
    random = np.random.default_rng(seed)
    races = ["A"] * (size - 15) + ["B"] * 7 + ["C"] * 5 + ["D"] * 2 + ["E"]
    usual = {
        "AGE": random.normal(60, 10, size),
        "COUNT": random.poisson(0.1, size).astype(float),
        "SEX": random.choice(["F", "M"], size),
        "RACE": races,
    }
    return pd.DataFrame({**usual, **changed})


def kept(frame: pd.DataFrame, smallest: int = SMALLEST) -> Any:
    return coarse_statistics(described(frame), columns_of(frame), smallest)


def seen(frame: pd.DataFrame) -> dict[str, SeenValues]:
    return seen_values(kept(frame).datasets[0], ["AGE", "COUNT"], ["SEX", "RACE"])


def as_tfdv_has_it(frame: pd.DataFrame) -> Any:
    """What an earlier release kept."""
    return statistics_pb2.DatasetFeatureStatisticsList(datasets=[described(frame)])


def distances(
    now: pd.DataFrame, training: pd.DataFrame, keep: Callable[[pd.DataFrame], Any] = kept
) -> dict[str, float]:
    before = keep(training)
    current = compared_with(before.datasets[0], as_tfdv_has_it(now), columns_of(now), SMALLEST)
    found = drift_distances(current, before, KINDS, 0.1)  # type: ignore[arg-type]
    return {f"{item.feature} {item.measure[:6]}": item.value or 0.0 for item in found}


def bins_of(frame: pd.DataFrame, name: str) -> list[int]:
    (feature,) = [item for item in kept(frame).datasets[0].features if item.path.step[0] == name]
    return [int(bucket.sample_count) for bucket in feature.num_stats.histograms[0].buckets]


def ranks_of(frame: pd.DataFrame, name: str) -> dict[str, int]:
    (feature,) = [item for item in kept(frame).datasets[0].features if item.path.step[0] == name]
    ranks = feature.string_stats.rank_histogram.buckets
    return {bucket.label: int(bucket.sample_count) for bucket in ranks}


@pytest.mark.parametrize("beyond", [110.25, 250.5, -40.75])
def test_limits_and_bins_do_not_depend_on_the_extreme_of_four_subjects(beyond: float) -> None:
    ages = trial(1)["AGE"].to_numpy()
    usual, other = ages.copy(), ages.copy()
    usual[:4], other[:4] = (20.5, beyond) if beyond < 0 else (105.5, beyond)

    one, two = (number_bins(values, SMALLEST) for values in (usual, other))

    assert (one.lower, one.upper) == (two.lower, two.upper)
    assert one.edges.tolist() == two.edges.tolist()
    assert one.counts.tolist() == two.counts.tolist()


@example([0.0] * 6 + [1e-7] + [128.0] * 6, 5)
@example([1e6] * 10 + [1e6 + 1e-3] * 10, 5)
@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=10, max_size=200),
    st.integers(5, 20),
)
@settings(max_examples=200, deadline=None)
def test_a_bin_has_the_smallest_group_or_no_subject(values: list[float], smallest: int) -> None:
    bins = number_bins(np.array(values), smallest)

    assert bins.counts.sum() == len(values)
    assert len(bins.edges) == len(bins.counts) + 1
    assert (np.diff(bins.edges) > 0).all()
    if len(bins.counts) > 1:
        assert all(not count or count >= min(smallest, len(values)) for count in bins.counts)


def test_most_training_subjects_are_within_the_limits() -> None:
    training = trial(1)
    age, count = seen(training)["AGE"], seen(training)["COUNT"]

    assert ((training["AGE"] < age.lower) | (training["AGE"] > age.upper)).sum() <= 4
    assert (count.lower, count.upper) == (0, 1)


def test_a_number_that_few_have_is_kept_without_limits_and_bins() -> None:
    few = np.full(600, np.nan)
    few[:9] = np.arange(9)

    assert number_bins(few, 5).counts.tolist() == []
    assert (number_bins(few, 5).lower, number_bins(few, 5).upper) == (-np.inf, np.inf)
    assert seen(trial(1, AGE=few))["AGE"] == SeenValues()


def test_categories_have_a_count_of_the_smallest_group_and_a_name_if_the_model_has() -> None:
    assert ranks_of(trial(1), "RACE") == {"A": 600, "B": 0, "C": 0, REST: 0}
    assert seen(trial(1))["RACE"].categories == {"A", "B", "C"}
    assert seen(trial(1))["RACE"].has_rare
    assert not seen(trial(1))["SEX"].has_rare


def test_a_rest_of_the_smallest_group_is_counted() -> None:
    races = ["A"] * 575 + ["B"] * 15 + [f"R{place}" for place in range(10)]

    assert ranks_of(trial(1, RACE=races), "RACE") == {"A": 575, "B": 0, REST: 25}


def test_categories_that_are_mostly_rare_make_no_value_unknown() -> None:
    codes = [f"C{place}" for place in range(300)] + ["A"] * 300

    assert seen(trial(1, RACE=codes))["RACE"].categories is None


@pytest.mark.parametrize("missing", [1, 3, 19])
def test_few_missing_values_are_half_of_the_smallest_group(missing: int) -> None:
    training = trial(1)
    training.loc[: missing - 1, "AGE"] = np.nan
    training.loc[: missing - 1, "SEX"] = None

    age, sex = (item for item in kept(training).datasets[0].features if _is(item, "AGE", "SEX"))
    assert age.num_stats.common_stats.num_missing == SMALLEST // 2
    assert sum(bins_of(training, "AGE")) == 600 - SMALLEST // 2
    assert sex.string_stats.common_stats.num_missing == SMALLEST // 2
    assert sum(ranks_of(training, "SEX").values()) == 600 - SMALLEST // 2


def _is(feature: Any, *names: str) -> bool:
    return feature.path.step[0] in names


def test_the_same_subjects_have_no_distance() -> None:
    training = trial(1)
    training.loc[:2, "AGE"] = np.nan
    training.loc[:2, "SEX"] = None

    assert set(distances(training, training).values()) == {0.0}


def test_others_of_the_same_population_are_near() -> None:
    assert max(distances(trial(2), trial(1)).values()) < 0.05


def test_statistics_of_an_earlier_release_are_compared_as_that_release_did() -> None:
    training = trial(1)

    assert max(distances(training, training, as_tfdv_has_it).values()) < 1e-6


def test_a_shift_is_as_far_as_it_was() -> None:
    older = trial(2, AGE=np.random.default_rng(2).normal(75, 10, 600))
    often = trial(2, COUNT=np.random.default_rng(2).poisson(1.0, 600).astype(float))
    women = trial(2, SEX=["F"] * 480 + ["M"] * 120)
    unknown = trial(2, RACE=["A"] * 400 + ["new"] * 200)

    assert distances(older, trial(1))["AGE Jensen"] > 0.15
    assert distances(often, trial(1))["COUNT Jensen"] > 0.15
    assert distances(women, trial(1))["SEX L-infi"] == pytest.approx(0.3, abs=0.05)
    assert distances(unknown, trial(1))["RACE L-infi"] == pytest.approx(1 / 3, abs=0.01)


def test_a_constant_that_changes_is_far() -> None:
    constant = trial(1, COUNT=np.zeros(600))

    assert distances(trial(1, COUNT=np.ones(600)), constant)["COUNT Jensen"] == pytest.approx(1)


def test_values_that_are_missing_more_often_are_a_distance_of_their_own() -> None:
    less = trial(2)
    less.loc[:239, "AGE"] = np.nan

    assert distances(less, trial(1))["AGE change"] == pytest.approx(0.4)


def test_what_case_mix_reads_is_exact() -> None:
    training = trial(1)
    features = {item.path.step[0]: item for item in kept(training).datasets[0].features}

    assert features["AGE"].num_stats.mean == pytest.approx(training["AGE"].mean())
    assert features["AGE"].num_stats.std_dev == pytest.approx(training["AGE"].std(ddof=0))
    assert all(not item.num_stats.median for item in each(features.values()))
