"""Dates and moments that SAS, SPSS and Stata store as numbers, told by their display format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.reading.formats.base import ColumnType, StoredType, data_error, masked

_UNIX = date(1970, 1, 1)
_DAY = 86_400
_LIMITS = (-141_714, 6_585_682)
"""SAS dates lie between 1582-01-01 and 20000-12-31 (SAS Language Reference: Concepts), here counted
from 1970-01-01."""

Period = Literal["w", "m", "q", "h", "y"]


@dataclass(frozen=True)
class Count:
    """What a number counts.

    Attributes:
        kind: What it is read as: a date, a moment, or the text of a period.
        program: The program that counts so, for messages.
        epoch: The day from which it counts.
        per_day: How many units a day has.
        has_leap_seconds: Whether leap seconds count.
        period: Stata's unit that is longer than a day.
    """

    kind: ColumnType
    program: str
    epoch: date = date(1960, 1, 1)
    per_day: int = 1
    has_leap_seconds: bool = False
    period: Period | None = None


_SAS_DATE = re.compile(
    r"""(?:
        DATE | DAY | DOWNAME | MONNAME | MONTH | YEAR | NENGO | MINGUO | WEEKDAY | JULDAY
      | (?:DDMMYY|MMDDYY|YYMMDD)[BCDNPS]? | (?:MMYY|YYMM|YYQ|YYQR)[CDNPS]? | XYYMMDD
      | (?:E|B|IS)8601DA | JULIAN | PDJUL[GI] | MONYY | YYMON | QTRR? | YYQZ
      | WEEKDAT[EX] | WORDDAT[EX] | (?:YY)?WEEK[UVW] | HDATE | HEBDATE | EURDFD[DENT]
      | NLDATE[A-Z]*
    )""",
    re.VERBOSE,
)
_SAS_DATETIME = re.compile(
    r"""(?:
        DATETIME | DATEAMPM | MDYAMPM | DTDATE | DTMONYY | DTWKDATX | DTYEAR | DTYYQC
      | (?:E|B|IS)8601(?:DT|DN|DZ|DX|LX) | EURDFDT | NLDATM[A-Z]*
    )""",
    re.VERBOSE,
)
_SPSS_DATE = re.compile(r"[AEJS]?DATE|QYR|MOYR|WKYR")
_SPSS_DATETIME = re.compile(r"DATETIME|YMDHMS")
_STATA = re.compile(r"%-?(?:t(?P<unit>[A-Za-z])|(?P<day>d))(?P<layout>.*)")
_TIME_OF_DAY = re.compile(r"(?:[Hh]{2}|[Mm]{2}|[Ss]{2}|\.s{1,3}|[AaPp]\.?[Mm]\.?|[ :._,+-])+")
_WIDTH = re.compile(r"\d*(?:\.\d*)?$")

_SPSS_EPOCH = date(1582, 10, 14)
_STATA_COUNTS = {
    "d": Count("date", "Stata"),
    "c": Count("datetime", "Stata", per_day=_DAY * 1000),
    "C": Count("datetime", "Stata", per_day=_DAY * 1000, has_leap_seconds=True),
    **{unit: Count("text", "Stata", period=unit) for unit in ("w", "m", "q", "h", "y")},
}

_LEAPS = tuple(
    date(year, *((7, 1) if is_june else (12, 31))) + timedelta(0 if is_june else 1)
    for is_june, years in (
        (True, (1972, 1981, 1982, 1983, 1985, 1992, 1993, 1994, 1997, 2012, 2015)),
        (
            False,
            (1972, *range(1973, 1980), 1987, 1989, 1990, 1995, 1998, 2005, 2008, 2016),
        ),
    )
    for year in years
)
"""Days that begin behind a leap second (IERS Bulletin C)."""


def sas_count(display: str) -> Count | None:
    """What numbers of a SAS display format count; None: they are numbers.

    Examples:
        >>> sas_count("DATE9.").kind, sas_count("E8601DT19").kind, sas_count("8.2")
        ('date', 'datetime', None)
    """
    name = _WIDTH.sub("", display.upper())
    if _SAS_DATE.fullmatch(name):
        return Count("date", "SAS")
    return Count("datetime", "SAS", per_day=_DAY) if _SAS_DATETIME.fullmatch(name) else None


def spss_count(display: str) -> Count | None:
    """What numbers of an SPSS display format count, seconds since 1582; None: they are numbers."""
    name = _WIDTH.sub("", display.upper())
    if _SPSS_DATE.fullmatch(name):
        return Count("date", "SPSS", _SPSS_EPOCH, _DAY)
    is_moment = _SPSS_DATETIME.fullmatch(name)
    return Count("datetime", "SPSS", _SPSS_EPOCH, _DAY) if is_moment else None


def stata_count(display: str) -> Count | None:
    """What numbers of a Stata display format count; None: they are numbers, as a time of day is.

    Examples:
        >>> stata_count("%tdD_m_Y").kind, stata_count("%tm").period, stata_count("%9.0g")
        ('date', 'm', None)
    """
    found = _STATA.match(display)
    if found is None or (found["unit"] in ("c", "C") and _TIME_OF_DAY.fullmatch(found["layout"])):
        # A time of day is a number, as SAS's and SPSS's are.
        return None
    return _STATA_COUNTS.get(found["unit"] or "d")


def stata_type(display: str) -> StoredType:
    """How a column of Stata's numbers is stored, by its display format."""
    found = _STATA.match(display)
    if found and found["unit"] == "b":
        # A business calendar is a file of its own: nothing here says which day a number is.
        return "unreadable"
    count = stata_count(display)
    return count.kind if count else "number"


def dates_of(
    path: str,
    values: NDArray[Any],
    missing: NDArray[np.bool_],
    count: Count,
    place: tuple[int, str],
) -> pa.Array:
    """Turns numbers into what they count.

    Args:
        path: The file, for messages.
        values: float64, shape [n].
        missing: Booleans, shape [n].
        count: What the numbers count.
        place: 0-based number of the first record, and the column's name, for messages.

    Returns:
        pa.date32(), pa.timestamp("s") or, of a period, pa.string() with ISO 8601; shape [n].

    Raises:
        DataFileError: A number lies beyond the calendar.
    """
    present = np.where(missing, 0.0, values)
    if count.period:
        return _periods(path, present, missing, count.period, place)
    first, column = place
    days = present / count.per_day + (count.epoch - _UNIX).days
    low, high = _LIMITS
    beyond = ~missing & ~((days >= low) & (days < high + 1))
    if beyond.any():
        raise data_error(
            path,
            f"found a number beyond {count.program}'s {count.kind}s (years 1582 to 20000); correct "
            "the value or the variable's display format",
            row=first + int(beyond.argmax()) + 1,
            column=column,
        )
    to_unix = (count.epoch - _UNIX).days
    if count.kind == "date":
        whole = np.floor(present / count.per_day).astype(np.int64) + to_unix
        return masked(whole.astype(np.int32), missing, pa.date32())
    seconds = np.floor(present / (count.per_day // _DAY)).astype(np.int64) + to_unix * _DAY
    if count.has_leap_seconds:
        seconds = _without_leap_seconds(seconds)
    return masked(seconds, missing, pa.timestamp("s"))


def _without_leap_seconds(seconds: NDArray[Any]) -> NDArray[Any]:
    """Seconds since 1970 without leap seconds; a leap second is the second before it."""
    midnights = sorted((day - _UNIX).days * _DAY for day in _LEAPS)
    begins = np.array(midnights) + np.arange(len(midnights))
    return seconds - np.searchsorted(begins, seconds, side="right")


def _periods(
    path: str,
    values: NDArray[Any],
    missing: NDArray[np.bool_],
    period: Period,
    place: tuple[int, str],
) -> pa.Array:
    texts: list[str | None] = []
    known: dict[float, str] = {}
    for row, (value, is_missing) in enumerate(zip(values.tolist(), missing.tolist(), strict=True)):
        if is_missing:
            texts.append(None)
            continue
        try:
            if value not in known:
                known[value] = period_text(value, period)
        except (ValueError, OverflowError) as error:
            raise data_error(
                path,
                "found a number that is no period of Stata's years 1 to 9999; correct the value or "
                "the variable's display format",
                row=place[0] + row + 1,
                column=place[1],
            ) from error
        texts.append(known[value])
    return pa.array(texts, pa.string())


def period_text(value: float, period: Period) -> str:
    """A period of Stata in ISO 8601: a year, a month, or the interval of its days.

    Args:
        value: Periods since the first one of 1960; of years the year itself.
        period: Its unit: week (52 of a year, the last one longer), month, quarter, half-year, year.

    Raises:
        ValueError: It is no period of the years 1 to 9999.

    Examples:
        >>> period_text(648, "m"), period_text(216, "q"), period_text(2014, "y")
        ('2014-01', '2014-01-01/2014-03-31', '2014')
    """
    if not float(value).is_integer():
        raise ValueError("no whole number")
    if period == "y":
        return f"{date(int(value), 1, 1).year:04d}"
    of_year = {"w": 52, "m": 12, "q": 4, "h": 2}[period]
    years, number = divmod(int(value), of_year)
    year = 1960 + years
    if period == "w":
        start = date(year, 1, 1) + timedelta(7 * number)
        end = start + timedelta(6) if number < of_year - 1 else date(year, 12, 31)
        return f"{start.isoformat()}/{end.isoformat()}"
    months = 12 // of_year
    start = date(year, number * months + 1, 1)
    if period == "m":
        return start.isoformat()[:7]
    last = start.month + months - 1
    end = date(year, 12, 31) if last == 12 else date(year, last + 1, 1) - timedelta(1)
    return f"{start.isoformat()}/{end.isoformat()}"
