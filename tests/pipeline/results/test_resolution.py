"""Numbers of groups are not finer than one of their subjects."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pipeline.results.resolution import (
    COUNT_BASE,
    at_resolution,
    fewest_counted,
    resolution,
    rounded_count,
)

SIZES = st.integers(5, 20_000)


@given(SIZES)
def test_a_step_is_that_of_one_subject_or_a_little_more(subjects: int) -> None:
    assert 1 / subjects <= resolution(subjects) < 2.5 / subjects


@given(SIZES, st.data())
def test_a_share_does_not_tell_its_denominator(subjects: int, data: st.DataObject) -> None:
    """Each denominator that rounds to the same number has a fraction that is shown alike."""
    events = data.draw(st.integers(0, subjects))
    rounded = rounded_count(subjects)
    fewest = fewest_counted(rounded)
    shown = at_resolution(events / subjects, fewest)
    step = resolution(fewest)

    for other in range(fewest, rounded + COUNT_BASE // 2 + 1):
        nearest = round(shown * other) / other
        assert abs(nearest - shown) <= step / 2 + 1e-9


def test_a_rounded_count_is_less_than_half_a_step_away() -> None:
    assert all(abs(rounded_count(n) - n) <= COUNT_BASE // 2 for n in range(1_000))
    assert all(rounded_count(n) % COUNT_BASE == 0 for n in range(1_000))


def test_what_is_no_number_stays_none() -> None:
    assert math.isnan(at_resolution(math.nan, 20))
    assert at_resolution(math.inf, 20) == math.inf
