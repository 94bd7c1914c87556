"""Groups of subjects by a period of the calendar."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading.days import DayRange
from pipeline.reading.periods import period_names
from pipeline.study.sections import Period

EPOCH = date(1970, 1, 1)
DATES = st.dates(date(1899, 1, 1), date(2150, 12, 31))


def names(period: Period, *ranges: tuple[date, date]) -> list[str | None]:
    days = np.array([[(end - EPOCH).days for end in ends] for ends in ranges], float)
    found: list[str | None] = period_names(DayRange(days[:, 0], days[:, 1]), period).to_pylist()
    return found


def expected(day: date, period: Period) -> str:
    parts = {
        "year": "",
        "half_year": "-H1" if day.month < 7 else "-H2",
        "quarter": f"-Q{(day.month + 2) // 3}",
        "month": f"-{day.month:02d}",
    }
    return f"{day.year}{parts[period]}"


@pytest.mark.parametrize("period", ["year", "half_year", "quarter", "month"])
@given(st.lists(DATES, min_size=1, max_size=8))
def test_every_day_is_in_the_period_that_a_calendar_says(period: Period, days: list[date]) -> None:
    found = names(period, *((day, day) for day in days))

    assert found == [expected(day, period) for day in days]


@pytest.mark.parametrize("period", ["year", "half_year", "quarter", "month"])
@given(first=DATES, length=st.integers(0, 500))
def test_a_partial_date_has_a_period_only_if_all_its_days_lie_in_it(
    period: Period, first: date, length: int
) -> None:
    last = first + timedelta(days=length)

    (found,) = names(period, (first, last))

    ends = {expected(first, period), expected(last, period)}
    assert found == (ends.pop() if len(ends) == 1 else None)


def test_a_missing_date_has_no_period() -> None:
    missing = np.array([np.nan, 0.0])
    assert period_names(DayRange(missing, missing), "year").to_pylist() == [None, "1970"]
