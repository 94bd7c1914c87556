"""Where values are missing, of hand-made subjects."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from notebooks.data.missingness import missingness
from pipeline.html.numbers import Suppressed

_ARM = ["Active"] * 100 + ["Placebo"] * 100


def _first(*places: tuple[int, int]) -> NDArray[Any]:
    lacking = np.zeros(200, bool)
    for start, size in places:
        lacking[start : start + size] = True
    return lacking


def test_a_share_is_that_of_the_groups_subjects() -> None:
    found = missingness({"CRP": _first((0, 30), (100, 20))}, _ARM, smallest=10)
    assert found.groups == (("Active", 100), ("Placebo", 100))
    assert found.overall == {"CRP": 0.25}
    assert found.shares == {"CRP": (0.3, 0.2)}


def test_columns_that_no_subject_lacks_are_left_out() -> None:
    assert missingness({"AGE": _first()}, _ARM, smallest=10).shares == {}


def test_few_without_a_value_are_not_shown_and_do_not_follow_from_the_other_arm() -> None:
    # 43 in all: 40 in one arm would tell the 3 in the other.
    found = missingness({"CRP": _first((0, 40), (100, 3))}, _ARM, smallest=10)
    assert found.shares == {"CRP": (Suppressed(), Suppressed(10))}
    assert found.overall == {"CRP": 43 / 200}


def test_few_with_a_value_are_not_shown_either() -> None:
    found = missingness({"CRP": _first((0, 97), (100, 97))}, _ARM, smallest=10)
    assert found.overall == {"CRP": Suppressed()}
    assert found.shares == {"CRP": (Suppressed(), Suppressed())}


def test_an_arm_in_which_no_subject_lacks_a_value_is_shown_with_0() -> None:
    found = missingness({"CRP": _first((0, 40))}, _ARM, smallest=10)
    assert found.shares == {"CRP": (0.4, 0.0)}


def test_small_sites_are_suppressed_with_what_would_disclose_them() -> None:
    site = ["01"] * 150 + ["02"] * 45 + ["03"] * 5
    found = missingness({"CRP": _first((0, 60))}, site, smallest=10)
    assert found.groups == (("01", 150),)
    assert found.hidden == 2
