"""Numbers that count time, by the display formats of SAS, SPSS and Stata."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading.days import dates_of as days_of
from pipeline.reading.formats import DataFileError
from pipeline.reading.formats.counted_dates import (
    Count,
    Period,
    dates_of,
    period_text,
    sas_count,
    spss_count,
    stata_count,
    stata_type,
)

MOMENT = datetime(2014, 10, 4, 10, 30, 15)


def one(count: Count | None, value: float) -> object:
    assert count is not None
    array = dates_of("x", np.array([value]), np.array([False]), count, (0, "V"))
    return array.to_pylist()[0]


@pytest.mark.parametrize(
    ("count", "value"),
    [
        (sas_count("DATETIME20."), 20_000 * 86_400 + 37_815),
        (spss_count("DATETIME20"), 157_775 * 86_400 + 37_815),
        (spss_count("YMDHMS19.2"), 157_775 * 86_400 + 37_815.75),
        (stata_count("%tc"), (20_000 * 86_400 + 37_815) * 1000),
        (stata_count("%-tcDD/NN/CCYY_HH:MM:SS"), (20_000 * 86_400 + 37_815) * 1000 + 999),
        # 25 leap seconds lie between 1960 and October 2014.
        (stata_count("%tC"), (20_000 * 86_400 + 37_815 + 25) * 1000),
    ],
)
def test_each_program_counts_moments_in_its_own_unit(count: Count, value: float) -> None:
    assert one(count, value) == MOMENT


@pytest.mark.parametrize(
    ("count", "value"),
    [
        (sas_count("DATE9."), 20_000),
        (spss_count("ADATE10"), 157_775 * 86_400),
        (spss_count("MOYR8"), 157_775 * 86_400 + 86_399),
        (stata_count("%td"), 20_000),
        (stata_count("%tdD_m_Y"), 20_000),
        (stata_count("%d"), 20_000.5),
    ],
)
def test_each_program_counts_days_in_its_own_unit(count: Count, value: float) -> None:
    assert one(count, value) == MOMENT.date()


@pytest.mark.parametrize(
    "count",
    [
        sas_count("TIME8."),
        sas_count("BEST12."),
        sas_count(""),
        spss_count("TIME8"),
        spss_count("WKDAY9"),
        spss_count("F8.2"),
        stata_count("%tcHH:MM:SS"),
        stata_count("%9.0g"),
        stata_count("%tg"),
    ],
)
def test_times_of_day_and_other_numbers_are_numbers(count: Count | None) -> None:
    assert count is None


def test_a_leap_second_belongs_to_the_day_that_it_ends() -> None:
    day = (date(1972, 7, 1) - date(1960, 1, 1)).days * 86_400_000

    count = stata_count("%tC")

    assert one(count, day - 1000) == datetime(1972, 6, 30, 23, 59, 59)
    assert one(count, day) == datetime(1972, 6, 30, 23, 59, 59)
    assert one(count, day + 1000) == datetime(1972, 7, 1)


def test_a_number_beyond_the_calendar_names_row_and_column() -> None:
    values = np.array([0.0, np.nan, 1e12])
    with pytest.raises(DataFileError, match=r"x, row 13, column V: found a number beyond Stata's"):
        dates_of("x", values, np.isnan(values), Count("date", "Stata"), (10, "V"))


@pytest.mark.parametrize("value", [0.5, 1e6, -1e9])
def test_what_is_no_month_names_row_and_column(value: float) -> None:
    with pytest.raises(DataFileError, match="x, row 2, column V: found a number that is no period"):
        dates_of(
            "x",
            np.array([0.0, value]),
            np.array([False, False]),
            Count("text", "Stata", period="m"),
            (0, "V"),
        )


def test_a_business_calendar_can_not_be_read() -> None:
    assert stata_type("%tbnyse") == "unreadable"


@given(st.integers(1, 9998).map(lambda year: date(year, 1, 1)), st.sampled_from("wmqh"))
def test_the_periods_of_a_year_cover_each_of_its_days_once(start: date, unit: Period) -> None:
    of_year = {"w": 52, "m": 12, "q": 4, "h": 2}[unit]
    first = (start.year - 1960) * of_year
    texts = [period_text(first + number, unit) for number in range(of_year)]

    found, wrong = days_of(pa.array(texts), None)

    assert wrong.sum() == 0
    ends = [int(day) for day in found.latest]
    begin = (start - date(1970, 1, 1)).days
    assert len(ends) == of_year
    assert [int(day) for day in found.earliest] == [begin, *(day + 1 for day in ends[:-1])]
    assert date(1970, 1, 1) + timedelta(ends[-1] + 1) == date(start.year + 1, 1, 1)
