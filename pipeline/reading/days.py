"""Dates and study days, whole and partial.

A date is kept as the two days between which it lies, counted from 1970-01-01, as float64
with NaN for a missing one. A whole date has both ends equal; ISO 8601's partial dates of
SDTM ("2014", "2014-03") span their year or month. What must have happened by a moment is
judged by the later end, what may have happened by the earlier one: nothing is imputed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LATEST = "#latest"
"""Suffix of the column that holds the later end of a partial date."""

_ISO = r"^(?P<y>\d{4})(-(?P<m>\d{2}|-)(-(?P<d>\d{2}|-))?)?(T.*)?$"
_ISO_PATTERN = re.compile(_ISO)


@dataclass(frozen=True)
class DayRange:
    """Days between which moments lie.

    Attributes:
        earliest: float64, shape [n]; NaN where missing.
        latest: float64, shape [n]; NaN where missing.
    """

    earliest: np.ndarray
    latest: np.ndarray


def dates_of(array: pa.Array) -> tuple[DayRange, np.ndarray]:
    """Reads a column of dates.

    Args:
        array: date32, timestamp, or ISO 8601 text (whole or partial); shape [n].

    Returns:
        The dates, and booleans that mark text which is no date.

    Examples:
        A partial date spans its month; what is no date is marked.

        >>> dates, wrong = dates_of(pa.array(["1970-01-02", "1970-02", None, "soon"]))
        >>> dates.earliest.tolist(), dates.latest.tolist()
        ([1.0, 31.0, nan, nan], [1.0, 58.0, nan, nan])
        >>> wrong.tolist()
        [False, False, False, True]
    """
    if not pa.types.is_string(array.type):
        days = pc.cast(array, pa.date32(), safe=False).cast(pa.int32())
        found = pc.cast(days, pa.float64()).to_numpy(zero_copy_only=False)
        return DayRange(found, found.copy()), np.zeros(len(array), bool)
    encoded = array.dictionary_encode()
    ends = [_iso_ends(text) for text in encoded.dictionary.to_pylist()]
    table = np.array([*ends, (np.nan, np.nan)], np.float64).reshape(-1, 2)
    codes = pc.fill_null(encoded.indices, len(ends)).to_numpy(zero_copy_only=False)
    earliest, latest = table[codes, 0], table[codes, 1]
    wrong = np.isnan(earliest) & pc.is_valid(array).to_numpy(zero_copy_only=False)
    return DayRange(earliest, latest), wrong


def study_days(dates: DayRange, reference: np.ndarray, first_day: int) -> DayRange:
    """Counts study days from the reference date.

    With `first_day` 1 there is no day 0: the day before the reference date is -1 (SDTM
    Implementation Guide 3.4, section 4.4.4). With 0 days are plain differences.

    Args:
        dates: The dates, shape [n].
        reference: Each row's reference date, float64, shape [n]; NaN where missing.
        first_day: Number of the study day of the reference date.

    Returns:
        The study days, shape [n].

    Examples:
        The day before, the reference date, and the day after.

        >>> dates, _ = dates_of(pa.array(["2014-01-01", "2014-01-02", "2014-01-03"]))
        >>> reference = np.full(3, dates.earliest[1])
        >>> study_days(dates, reference, first_day=1).latest.tolist()
        [-1.0, 1.0, 2.0]
        >>> study_days(dates, reference, first_day=0).latest.tolist()
        [-1.0, 0.0, 1.0]
    """
    return DayRange(
        _study_day(dates.earliest, reference, first_day),
        _study_day(dates.latest, reference, first_day),
    )


def _study_day(day: np.ndarray, reference: np.ndarray, first_day: int) -> np.ndarray:
    difference = day - reference
    return np.where(difference >= 0, difference + first_day, difference)


def _iso_ends(text: str) -> tuple[Any, Any]:
    match = _ISO_PATTERN.match(text)
    if match is None:
        return (np.nan, np.nan)
    year, month, day = (match["y"], match["m"], match["d"])
    month = None if month in (None, "-") else month
    day = None if day in (None, "-") or month is None else day
    whole = "-".join(part for part in (year, month, day) if part)
    try:
        start = np.datetime64(whole)
        end = start + 1
        return (
            float(start.astype("datetime64[D]").astype(int)),
            float(end.astype("datetime64[D]").astype(int)) - 1,
        )
    except ValueError:
        return (np.nan, np.nan)
