"""Dates and times of SDTM (`--DTC`): which days a text may mean.

The forms are those of ISO 8601's extended format that section 4.4 of the SDTM Implementation Guide
3.4 describes: whole and partial dates, components that are missing on the left or in the middle and
stand as a hyphen, times of day with fractions and offsets, and intervals of uncertainty. What is
not known is spanned, never imputed; `docs/study-file.md` has a table of the forms.

The day is the calendar day of the wall clock that the text was written by: an offset moves no day,
unless the study file names the zone in which days are counted.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400
_WHOLE_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_MOMENT = re.compile(
    r"""
    (?P<year>\d{4}|-) (?:-(?P<month>\d{2}|-) (?:-(?P<day>\d{2}|-)
        (?:[T ](?P<hour>\d{2}|-) (?::(?P<minute>\d{2}|-) (?::(?P<second>\d{2}|-))?)?
            (?P<fraction>(?<=\d)[.,]\d+)?
            (?P<offset>Z|[+-]\d{2}(?::?\d{2})?)?
        )?
    )?)?
    """,
    re.VERBOSE | re.ASCII,
)
_DURATION = re.compile(
    r"""
    P(?=.)(?: (?P<weeks>\d+)W
      | (?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?
        (?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:[.,]\d+)?S)?)?
    )
    """,
    re.VERBOSE | re.ASCII,
)

Days = tuple[float, float]
"""Earliest and latest day since 1970-01-01; NaN for both where a text says nothing of the year."""

UNDATED: Days = (math.nan, math.nan)


@dataclass(frozen=True)
class _Span:
    """Seconds of the wall clock since 1970-01-01 between which a moment lies.

    Attributes:
        earliest: First second.
        latest: Last second.
        offset: How far the clock is ahead of UTC, in seconds; None where the text does not say.
    """

    earliest: int
    latest: int
    offset: int | None = None


def days_of_text(text: str, zone: ZoneInfo | None = None) -> Days | None:
    """Reads a date, a date and time, or an interval in which a moment lies.

    Args:
        text: ISO 8601 in the extended format, as SDTM writes it.
        zone: Where days are counted; moments with an offset are turned to its wall clock. None
            leaves each moment on the day that is written.

    Returns:
        The days between which the moment lies; None where the text is no date.

    Examples:
        >>> days_of_text("1970-01-02T23:30-05:00")
        (1.0, 1.0)
        >>> days_of_text("1970-01-03/1970-02")
        (2.0, 58.0)
        >>> days_of_text("--12-15")
        (nan, nan)
        >>> days_of_text("soon") is None
        True
    """
    whole = _WHOLE_DATE.fullmatch(text)
    try:
        if whole:
            day = float(date(int(whole[1]), int(whole[2]), int(whole[3])).toordinal() - _EPOCH)
            return day, day
        first, last = _ends(text)
    except (ValueError, OverflowError, TypeError):
        return None
    if first is None or last is None:
        return UNDATED
    return _day(first.earliest, first.offset, zone), _day(last.latest, last.offset, zone)


def seconds_of_text(text: str) -> tuple[int, int, int | None] | None:
    """First and last second of the wall clock since 1970-01-01 between which a moment lies.

    Args:
        text: As of `days_of_text`.

    Returns:
        The seconds, and how far the clock is ahead of UTC in seconds, None where the text does not
        say; None where the text is no date, says nothing of the year, or has two clocks.

    Examples:
        >>> seconds_of_text("1970-01-01T00:10+01:00")
        (600, 659, 3600)
    """
    try:
        first, last = _ends(text)
    except (ValueError, OverflowError, TypeError):
        return None
    if first is None or last is None or first.offset != last.offset:
        return None
    return first.earliest, last.latest, first.offset


def _day(second: int, offset: int | None, zone: ZoneInfo | None) -> float:
    if zone is None or offset is None:
        return float(second // _DAY)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second - offset)
    return float(moment.astimezone(zone).date().toordinal() - _EPOCH)


def _ends(text: str) -> tuple[_Span | None, _Span | None]:
    return _interval(*text.strip().split("/"))


def _interval(start: str, end: str | None = None) -> tuple[_Span | None, _Span | None]:
    """Both ends of an interval, or one moment twice; None where the year is unknown.

    Raises:
        ValueError: It is neither.
    """
    if end is None:
        moment = _moment(start)
        return moment, moment
    if end.startswith("P"):
        first = _moment(start)
        return first, first and _moved(first, end, 1)
    if start.startswith("P"):
        last = _moment(end)
        return last and _moved(last, start, -1), last
    first, last = _moment(start), _moment(end)
    if first and last and _is_after(first, last):
        raise ValueError("the interval ends before it starts")
    return first, last


def _is_after(first: _Span, last: _Span) -> bool:
    """Whether a moment can't but lie after another."""
    if first.offset is None or last.offset is None:
        return first.earliest > last.latest
    return first.earliest - first.offset > last.latest - last.offset


def _moment(text: str) -> _Span | None:
    match = _MOMENT.fullmatch(text)
    if match is None or not any(character.isdigit() for character in text):
        raise ValueError("no date")
    given = match.groupdict()
    year, month, day = (_known(given[name]) for name in ("year", "month", "day"))
    early_time, late_time = _times(given)
    offset = _offset(given["offset"])
    if month is not None and not 1 <= month <= 12:
        raise ValueError("no month")
    if year is None:
        # A leap year: 29 February may be meant.
        _last_day(2000, month or 12, day)
        return None
    first = date(year, month or 1, day or 1)
    last = date(year, month or 12, _last_day(year, month or 12, day))
    return _Span(
        (first.toordinal() - _EPOCH) * _DAY + early_time,
        (last.toordinal() - _EPOCH) * _DAY + late_time,
        offset,
    )


def _known(component: str | None) -> int | None:
    return None if component in (None, "-") else int(str(component))


def _last_day(year: int, month: int, day: int | None) -> int:
    length = monthrange(year, month)[1]
    if day is None:
        return length
    if not 1 <= day <= length:
        raise ValueError("no day of the month")
    return day


def _times(given: dict[str, str | None]) -> tuple[int, int]:
    """First and last second of the day that a time of day may mean."""
    hour, minute, second = (_known(given[name]) for name in ("hour", "minute", "second"))
    if hour == 24:
        if minute or second or (given["fraction"] or "0").strip(".,0"):
            raise ValueError("nothing of a day lies behind 24:00")
        # The midnight at the end of the day is the one at which the next begins.
        return _DAY - 1, _DAY
    if (hour or 0) > 23 or (minute or 0) > 59 or (second or 0) > 60:
        raise ValueError("no time of day")
    # Second 60 is a leap second, which no day counts.
    second = None if second is None else min(second, 59)
    early = (hour or 0) * 3600 + (minute or 0) * 60 + (second or 0)
    late = (
        (23 if hour is None else hour) * 3600
        + (59 if minute is None else minute) * 60
        + (59 if second is None else second)
    )
    return early, late


def _offset(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("no offset from UTC")
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


def _moved(span: _Span, duration: str, direction: int) -> _Span:
    """The moment a duration later (`direction` 1) or earlier (-1)."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError("no duration")
    part = {name: int(value or 0) * direction for name, value in match.groupdict().items()}
    earliest, latest = (_moved_second(second, part) for second in (span.earliest, span.latest))
    return _Span(earliest, latest, span.offset)


def _moved_second(second: int, part: dict[str, int]) -> int:
    day = date.fromordinal(second // _DAY + _EPOCH)
    years, month = divmod(day.year * 12 + day.month - 1 + part["years"] * 12 + part["months"], 12)
    moved = date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))
    days = moved.toordinal() - _EPOCH + part["days"] + 7 * part["weeks"]
    seconds = part["hours"] * 3600 + part["minutes"] * 60 + part["seconds"]
    return days * _DAY + second % _DAY + seconds
