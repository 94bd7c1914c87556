"""Every form of date and time of section 4.4 of the SDTM Implementation Guide has its meaning."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading.iso_dates import days_of_text

EPOCH = date(1970, 1, 1).toordinal()
TOKYO = ZoneInfo("Asia/Tokyo")
STUDY_FILE_DOCS = Path(__file__).parents[3] / "docs/study-file.md"


def meaning(text: str, zone: ZoneInfo | None = None) -> tuple[str, str] | str:
    """First and last day, `undated` or `rejected`."""
    days = days_of_text(text, zone)
    if days is None:
        return "rejected"
    if math.isnan(days[0]):
        assert math.isnan(days[1])
        return "undated"
    first, last = (date.fromordinal(EPOCH + int(day)).isoformat() for day in days)
    return first, last


SPANS = {
    # Whole and partial dates.
    "2003-12-15": ("2003-12-15", "2003-12-15"),
    "2003-12": ("2003-12-01", "2003-12-31"),
    "2004-02": ("2004-02-01", "2004-02-29"),
    "2003": ("2003-01-01", "2003-12-31"),
    # Components that are missing on the left or in the middle.
    "2003---15": ("2003-01-15", "2003-12-15"),
    "2003---31": ("2003-01-31", "2003-12-31"),
    "2003-12--": ("2003-12-01", "2003-12-31"),
    "2003--": ("2003-01-01", "2003-12-31"),
    "2003----": ("2003-01-01", "2003-12-31"),
    "2003-12--T13:14": ("2003-12-01", "2003-12-31"),
    "2003---15T13:14": ("2003-01-15", "2003-12-15"),
    "2003----T07:15": ("2003-01-01", "2003-12-31"),
    # Times of day move no day.
    "2003-12-15T13": ("2003-12-15", "2003-12-15"),
    "2003-12-15T13:14": ("2003-12-15", "2003-12-15"),
    "2003-12-15T13:14:17": ("2003-12-15", "2003-12-15"),
    "2003-12-15T13:14:17.123": ("2003-12-15", "2003-12-15"),
    "2003-12-15T13:14:17,123": ("2003-12-15", "2003-12-15"),
    "2003-12-15T13.5": ("2003-12-15", "2003-12-15"),
    "2003-12-15T23:59:60": ("2003-12-15", "2003-12-15"),
    "2003-12-15 13:14:17": ("2003-12-15", "2003-12-15"),
    " 2003-12-15T13:14 ": ("2003-12-15", "2003-12-15"),
    "2003-12-15T-:15": ("2003-12-15", "2003-12-15"),
    "2003-12-15T13:-:17": ("2003-12-15", "2003-12-15"),
    "2003-12-15T-:-:17": ("2003-12-15", "2003-12-15"),
    "2003-12-15T-": ("2003-12-15", "2003-12-15"),
    "2003-12-15T24:00": ("2003-12-15", "2003-12-16"),
    "2003-12-15T24:00:00.0": ("2003-12-15", "2003-12-16"),
    # Offsets: the wall clock's own day.
    "2003-12-15T00:30Z": ("2003-12-15", "2003-12-15"),
    "2003-12-15T23:30-05:00": ("2003-12-15", "2003-12-15"),
    "2003-12-15T00:30:00.5+09:00": ("2003-12-15", "2003-12-15"),
    "2003-12-15T00:30+0530": ("2003-12-15", "2003-12-15"),
    "2003-12-15T00:30+09": ("2003-12-15", "2003-12-15"),
    # Intervals of uncertainty.
    "2014-01-05/2014-01-20": ("2014-01-05", "2014-01-20"),
    "2014-01-05/2014-01-05": ("2014-01-05", "2014-01-05"),
    "2003-12-15T10:00/2003-12-15T10:30": ("2003-12-15", "2003-12-15"),
    "2003-12-15T23:00/2003-12-16T01:00": ("2003-12-15", "2003-12-16"),
    "2003-12-15T10:00+09:00/2003-12-15T09:00+01:00": ("2003-12-15", "2003-12-15"),
    "2003-12/2004-01-10": ("2003-12-01", "2004-01-10"),
    "2003/2004": ("2003-01-01", "2004-12-31"),
    "2003-12-10/2003-12": ("2003-12-10", "2003-12-31"),
    "2003---15/2003-12-20": ("2003-01-15", "2003-12-20"),
    # Intervals with a duration.
    "2014-01-05/P1D": ("2014-01-05", "2014-01-06"),
    "2014-01-31/P1M": ("2014-01-31", "2014-02-28"),
    "2014-01-05/P2W": ("2014-01-05", "2014-01-19"),
    "2014-01-05T23:00/PT2H30M": ("2014-01-05", "2014-01-06"),
    "P1Y/2014-01-05": ("2013-01-05", "2014-01-05"),
}

UNDATED = (
    *("--12-15", "--12", "--02-29", "----15", "-----T07:15", "--12-15T07:15"),
    *("--12-15/2004-01-01", "2004-01-01/--12-15", "--12-15/P1D", "P1D/--12-15"),
)

REJECTED = (
    # No date at all.
    *("", "-", "-----", "soon", "UNK", "2003-12-15x", "x2003-12-15", "２００３-12-15"),
    # Not of the extended format.
    *("20031215", "2003-349", "2003-W50-1", "15-12-2003", "12/15/2003", "15DEC2003", "2003-1-5"),
    *("03-12-15", "2003-", "2003-12-", "2003---"),
    # Not in the calendar.
    *("2003-13-01", "2003-00-01", "2003-02-29", "2003-12-00", "2003---32", "0000-01-01"),
    *("--13-01", "--02-30", "--00"),
    # Behind T.
    *("2003-12-15T", "2003-12-15Tnoon", "2003-12-15T25", "2003-12-15T24:01", "2003-12-15T12:60"),
    *("2003-12-15T12:00:61", "2003-12-15T1", "2003-12-15T12:0", "2003-12-15T12:00:00.", "2003T12"),
    *("2003-12T12:00", "2003-12-15T12:00+24:00", "2003-12-15T12:00+09:60", "2003-12-15T12:00EST"),
    *("2003-12-15T12:00/", "2003-12-15T-.5", "2003-12-15t12:00"),
    # No interval.
    *("2014-01-20/2014-01-05", "2003-12-15T10:30/2003-12-15T10:00", "2014-02/2014-01"),
    *("2003-12-15T10:00+01:00/2003-12-15T17:00+09:00", "2014-01-05/", "/2014-01-05", "/", "2014/"),
    *("2014-01-05/20", "2014-01-05/2014-01-06/2014-01-07", "2014-01-05/soon", "2014-01-05/P"),
    *("2014-01-05/PT", "P1D", "P1D/P1D", "2014-01-05/P1H", "R2/2014-01-05/P1D"),
)


@pytest.mark.parametrize(("text", "days"), SPANS.items())
def test_a_form_of_the_guide_spans_the_days_that_it_may_mean(
    text: str, days: tuple[str, str]
) -> None:
    assert meaning(text) == days


@pytest.mark.parametrize("text", UNDATED)
def test_a_date_without_a_year_is_a_date_that_is_not_known(text: str) -> None:
    assert meaning(text) == "undated"


@pytest.mark.parametrize("text", REJECTED)
def test_what_the_guide_does_not_allow_is_rejected(text: str) -> None:
    assert meaning(text) == "rejected"


def test_the_docs_list_forms_with_the_meaning_that_they_have() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \| (undated|rejected|\d{4}-\d\d-\d\d)(?: to (\d{4}-\d\d-\d\d))? \|",
        STUDY_FILE_DOCS.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert len(rows) >= 20
    for text, first, last in rows:
        assert meaning(text) == (first if first.isalpha() else (first, last or first)), text


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2003-12-15T14:59Z", "2003-12-15"),
        ("2003-12-15T15:00Z", "2003-12-16"),
        ("2003-12-16T00:30+09:00", "2003-12-16"),
        ("2003-12-15T10:00-05:00", "2003-12-16"),
        # Without an offset the clock was local already.
        ("2003-12-15T23:30", "2003-12-15"),
        ("2003-12-15", "2003-12-15"),
    ],
)
def test_a_zone_of_the_study_file_turns_moments_with_an_offset(text: str, day: str) -> None:
    assert meaning(text, TOKYO) == (day, day)


def test_each_end_of_an_interval_is_turned_by_its_own_offset() -> None:
    text = "2003-12-15T14:00Z/2003-12-15T12:00-05:00"
    assert meaning(text, TOKYO) == ("2003-12-15", "2003-12-16")


moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))
PRECISIONS = (4, 7, 10, 13, 16, 19, 26)
"""Lengths of `2003`, `2003-12`, ... `2003-12-15T13:14:17.123456`."""


@given(moments, st.sampled_from(PRECISIONS))
def test_less_precision_never_excludes_the_day(moment: datetime, length: int) -> None:
    days = days_of_text(moment.isoformat(timespec="microseconds")[:length])
    assert days is not None
    assert days[0] <= moment.toordinal() - EPOCH <= days[1]
    if length >= 10:
        assert days[0] == days[1]


@given(moments, st.sets(st.integers(1, 2)), st.sets(st.integers(0, 2)))
def test_hiding_components_never_excludes_the_day(
    moment: datetime, hidden: set[int], hidden_times: set[int]
) -> None:
    dates = [f"{moment:%Y}", f"{moment:%m}", f"{moment:%d}"]
    times = [f"{moment:%H}", f"{moment:%M}", f"{moment:%S}"]
    text = "-".join("-" if i in hidden else part for i, part in enumerate(dates))
    text += "T" + ":".join("-" if i in hidden_times else part for i, part in enumerate(times))
    days = days_of_text(text)
    assert days is not None
    assert days[0] <= moment.toordinal() - EPOCH <= days[1]


@given(
    st.lists(moments, min_size=2, max_size=2),
    st.lists(st.sampled_from(PRECISIONS), min_size=2, max_size=2),
)
def test_an_interval_lasts_from_the_first_day_of_its_start_to_the_last_of_its_end(
    ends: list[datetime], lengths: list[int]
) -> None:
    start, end = (
        moment.isoformat(timespec="microseconds")[:length]
        for moment, length in zip(sorted(ends), lengths, strict=True)
    )
    first, last = days_of_text(start), days_of_text(end)
    assert first is not None
    assert last is not None
    assert days_of_text(f"{start}/{end}") == (first[0], last[1])


@given(moments, st.integers(-14 * 4, 14 * 4))
def test_an_offset_moves_no_day_and_a_zone_moves_it_as_the_clock_does(
    moment: datetime, quarters: int
) -> None:
    written = moment.replace(tzinfo=timezone(timedelta(minutes=15 * quarters)))
    own = float(moment.toordinal() - EPOCH)
    assert days_of_text(written.isoformat()) == (own, own)
    local = float(written.astimezone(TOKYO).toordinal() - EPOCH)
    assert days_of_text(written.isoformat(timespec="seconds"), TOKYO) == (local, local)
    in_utc = written.astimezone(UTC).isoformat().replace("+00:00", "Z")
    assert days_of_text(in_utc, TOKYO) == (local, local)


@given(
    st.text(st.characters(codec="utf-8"), max_size=30) | st.text("0123456789-/:TZP+. ", max_size=24)
)
def test_no_text_fails_otherwise_than_as_no_date(text: str) -> None:
    days = days_of_text(text)
    assert days is None or math.isnan(days[0]) or days[0] <= days[1]
