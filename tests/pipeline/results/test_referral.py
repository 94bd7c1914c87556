"""What leaving the least certain subjects to people gains, on subjects made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.results.referral import referral_of
from tests.each import each

# Errors .1, .1, .5 and .5; the last two have the widest intervals.
SCORE = np.array([0.1, 0.9, 0.5, 0.5])
WIDTH = np.array([0.1, 0.2, 0.4, 0.3])
OUTCOME = np.array([False, True, False, True])


def test_the_widest_intervals_are_left_first() -> None:
    points = referral_of(SCORE, WIDTH, OUTCOME, None, smallest_group=1)

    assert [point.referred for point in points] == [0, 0.25, 0.5]
    assert [point.widest for point in points] == [0.4, 0.3, 0.2]
    assert [point.brier for point in points] == pytest.approx(
        [(0.01 * 2 + 0.25 * 2) / 4, (0.01 * 2 + 0.25) / 3, 0.01]
    )
    assert [point.observed_rate for point in points] == pytest.approx([1 / 2, 2 / 3, 1 / 2])


def test_subjects_count_by_their_weight() -> None:
    (everyone, *_) = referral_of(SCORE, WIDTH, OUTCOME, np.array([1.0, 1, 1, 3]), 1)

    assert everyone.brier == pytest.approx((0.01 * 2 + 0.25 * 4) / 6)
    assert everyone.subjects == 4


def test_no_point_and_no_step_has_fewer_subjects_than_the_smallest_group() -> None:
    rng = np.random.default_rng(0)
    points = referral_of(rng.random(205), rng.random(205), rng.random(205) < 0.5, None, 30)

    kept = [point.subjects for point in points]
    assert kept == [205, 175, 145, 115]
    assert all(point.brier > 0 for point in each(points))


def test_too_few_subjects_have_no_curve() -> None:
    assert referral_of(SCORE, WIDTH, OUTCOME, None, smallest_group=3) == ()
