"""Contributions of features, added up by source, and what is shown of them."""

from __future__ import annotations

import numpy as np
import pytest

from notebooks.results.attributions import attribute, boxes, strongest_pairs
from notebooks.results.feature_sources import Source

_SOURCES = (Source("age", ("AGE",)), Source("ALT", ("ALT_last", "ALT_change")))
_FEATURES = ("ALT_last", "AGE", "ALT_change")


def test_contributions_of_a_sources_columns_are_added_up() -> None:
    contributions = np.array([[[1.0], [10.0], [-0.25]], [[0.0], [20.0], [0.5]]])

    found = attribute(contributions, np.zeros((2, 3, 3, 1)), _FEATURES, _SOURCES)

    assert found.values[:, :, 0].tolist() == [[10.0, 0.75], [20.0, 0.5]]


def test_a_pair_is_the_mean_size_of_what_the_columns_of_both_do_together() -> None:
    interactions = np.zeros((2, 3, 3, 1))
    interactions[0, 1, 0] = interactions[0, 0, 1] = 0.5
    interactions[0, 1, 2] = interactions[0, 2, 1] = 0.25
    interactions[1, 1, 0] = interactions[1, 0, 1] = -0.25

    found = attribute(np.zeros((2, 3, 1)), interactions, _FEATURES, _SOURCES)

    assert found.pairs[0, 1, 0] == found.pairs[1, 0, 0] == 0.5


def test_the_strongest_pairs_come_first_and_weak_ones_are_none() -> None:
    pairs = np.array([[0.0, 0.1, 0.5], [0.1, 0.0, 0.001], [0.5, 0.001, 0.0]])

    assert strongest_pairs(pairs, most=5, smallest=0.01) == [(0, 2), (0, 1)]
    assert strongest_pairs(pairs, most=1, smallest=0.01) == [(0, 2)]


def test_a_box_shows_no_value_of_a_single_subject() -> None:
    values = np.arange(100.0) ** 2
    (box,) = boxes(values, ["all"] * 100, smallest=20)
    shown = {box.lower_quartile, box.median, box.upper_quartile, box.mean}
    assert not shown & set(values.tolist())
    # The five values around place 24.75: places 23 to 27.
    assert box.lower_quartile == pytest.approx(np.mean([23**2, 24**2, 25**2, 26**2, 27**2]))


def test_groups_under_the_smallest_size_have_no_box_nor_has_what_would_disclose_them() -> None:
    groups = ["F"] * 50 + ["M"] * 31 + ["U"] * 19
    shown = [box.group for box in boxes(np.arange(100.0), groups, smallest=20)]
    # 100 - 50 - 31 would tell how many are U: one of the others goes as well.
    assert shown == ["F"]


def test_too_few_subjects_have_no_box_at_all() -> None:
    assert boxes(np.arange(10.0), ["F"] * 10, smallest=20) == []
