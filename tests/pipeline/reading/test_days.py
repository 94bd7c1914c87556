"""Dates, partial dates and study days."""

from __future__ import annotations

import math
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading.days import DayRange, dates_of, study_days

EPOCH = date(1970, 1, 1)


def read_dates(*texts: str | None) -> tuple[list[tuple[date, date] | None], list[bool]]:
    ranges, wrong = dates_of(pa.array(texts, pa.string()))
    ends = [
        None if math.isnan(low) else (whole_date(low), whole_date(high))
        for low, high in zip(ranges.earliest, ranges.latest, strict=True)
    ]
    return ends, wrong.tolist()


def whole_date(day: float) -> date:
    return date.fromordinal(EPOCH.toordinal() + int(day))


def days_from(reference: str, *texts: str, first_day: int) -> list[float]:
    dates, _ = dates_of(pa.array(texts, pa.string()))
    start = (date.fromisoformat(reference) - EPOCH).days
    days = study_days(dates, np.full(len(texts), float(start)), first_day)
    assert days.earliest.tolist() == days.latest.tolist()
    found: list[float] = days.earliest.tolist()
    return found


def test_there_is_no_study_day_0() -> None:
    texts = ("2014-01-01", "2014-01-02", "2014-01-03")
    assert days_from("2014-01-02", *texts, first_day=1) == [-1.0, 1.0, 2.0]


def test_a_trial_can_begin_with_day_0() -> None:
    texts = ("2014-01-01", "2014-01-02", "2014-01-03")
    assert days_from("2014-01-02", *texts, first_day=0) == [-1.0, 0.0, 1.0]


def test_days_count_over_a_leap_day() -> None:
    assert days_from("2016-02-28", "2016-02-29", "2016-03-01", first_day=1) == [2.0, 3.0]


def test_without_a_reference_date_there_is_no_study_day() -> None:
    days = study_days(DayRange(np.array([5.0]), np.array([5.0])), np.array([np.nan]), 1)
    assert np.isnan(days.earliest).all()
    assert np.isnan(days.latest).all()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2014-03-05", date(2014, 3, 5), date(2014, 3, 5)),
        ("2014-03-05T23:59", date(2014, 3, 5), date(2014, 3, 5)),
        ("2014-03", date(2014, 3, 1), date(2014, 3, 31)),
        ("2016-02", date(2016, 2, 1), date(2016, 2, 29)),
        ("2014", date(2014, 1, 1), date(2014, 12, 31)),
        ("2014-03--", date(2014, 3, 1), date(2014, 3, 31)),
        ("2014---05", date(2014, 1, 5), date(2014, 12, 5)),
    ],
)
def test_a_date_lies_between_the_ends_of_what_is_known_of_it(
    text: str, first: date, last: date
) -> None:
    assert read_dates(text) == ([(first, last)], [False])


@pytest.mark.parametrize(
    "text",
    ["yesterday", "05-03-2014", "03/05/2014", "2014-13-01", "2014-02-30", "14-03-05", "2014-3-5"],
)
def test_text_that_is_no_date_is_marked(text: str) -> None:
    assert read_dates(text) == ([None], [True])


def test_a_missing_date_is_no_fault() -> None:
    assert read_dates(None, "2014-03-05")[1] == [False, False]


def test_dates_and_moments_of_typed_files_are_whole_days() -> None:
    dates, _ = dates_of(pa.array([date(2014, 3, 5), None], pa.date32()))
    moments, _ = dates_of(pa.array([datetime(2014, 3, 5, 23, 59), None], pa.timestamp("s")))
    expected = float((date(2014, 3, 5) - EPOCH).days)
    for found in (dates, moments):
        assert found.earliest[0] == found.latest[0] == expected
        assert np.isnan(found.earliest[1])


@given(st.dates(min_value=date(1600, 1, 1), max_value=date(2200, 1, 1)))
def test_a_date_lies_within_its_own_month_and_year(day: date) -> None:
    text = day.isoformat()
    ranges, wrong = dates_of(pa.array([text, text[:7], text[:4]], pa.string()))
    assert not wrong.any()
    assert (ranges.earliest <= ranges.earliest[0]).all()
    assert (ranges.latest >= ranges.latest[0]).all()
    assert whole_date(ranges.earliest[0]) == day
