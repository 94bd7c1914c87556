"""Distances from training, and how far chance goes."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.monitoring.drift import change_of_share, distance_of_bins, share_beyond

TRAINING = dict(zip("abcdefgh", [100.0] * 8, strict=True))


def counted(rng: np.random.Generator, subjects: int) -> dict[str, float]:
    return dict(zip(TRAINING, rng.multinomial(subjects, [1 / 8] * 8).tolist(), strict=True))


def test_the_distance_is_0_of_equal_and_1_of_disjoint_distributions() -> None:
    same = distance_of_bins({"a": 10, "b": 30}, {"a": 100, "b": 300}, 1)
    other = distance_of_bins({"a": 50}, {"b": 50}, 1)

    assert same
    assert other
    assert (same.distance, other.distance) == (pytest.approx(0), pytest.approx(1))
    assert (same.beyond, other.beyond) == (False, True)


def test_chance_goes_beyond_any_of_many_boundaries_in_at_most_one_of_twenty_periods() -> None:
    rng = np.random.default_rng(5)
    looks, periods = 5, 100
    fired = 0
    for _ in range(periods):
        training = [counted(rng, 800) for _ in range(looks)]
        found = [distance_of_bins(counted(rng, 300), of, looks) for of in training]
        fired += any(item is not None and item.beyond for item in found)
    assert fired <= 11


def test_a_share_is_compared_beside_that_of_training() -> None:
    found = change_of_share(30, 100, 0.1, 1_000, 1)
    few = change_of_share(12, 100, 0.1, 1_000, 1)

    assert found
    assert few
    assert found.distance == pytest.approx(0.2)
    assert (found.beyond, few.beyond) == (True, False)


def test_a_share_below_that_of_training_is_not_beyond_it() -> None:
    below, above = share_beyond(0, 100, 0.1, 1_000, 1), share_beyond(40, 100, 0.1, 1_000, 1)

    assert below
    assert above
    assert (below.beyond, above.beyond) == (False, True)


def test_without_subjects_nothing_is_compared() -> None:
    assert distance_of_bins({}, TRAINING, 1) is None
    assert change_of_share(0, 0, 0.1, 1_000, 1) is None
