"""Dates and study days, whole and partial.

A date is kept as the two days between which it lies, counted from 1970-01-01, as float64
with NaN for a missing one. A whole date has both ends equal; SDTM's partial dates and intervals
("2014-03", "2014-01-05/2014-01-20") span what they leave open. What must have happened by a moment
is judged by the later end, what may have happened by the earlier one: nothing is imputed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.reading.iso_dates import UNDATED, days_of_text

LATEST = "#latest"
"""Suffix of the column that holds the later end of a partial date."""


@dataclass(frozen=True)
class DayRange:
    """Days between which moments lie.

    Attributes:
        earliest: float64, shape [n]; NaN where missing.
        latest: float64, shape [n]; NaN where missing.
    """

    earliest: NDArray[Any]
    latest: NDArray[Any]


def dates_of(array: pa.Array, zone: ZoneInfo | None = None) -> tuple[DayRange, NDArray[Any]]:
    """Reads a column of dates.

    Args:
        array: date32, timestamp, or text as SDTM writes dates (`iso_dates`); shape [n].
        zone: Where the days of text with an offset are counted; None: where it was written.

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
    found = [days_of_text(text, zone) for text in encoded.dictionary.to_pylist()]
    codes = pc.fill_null(encoded.indices, len(found)).to_numpy(zero_copy_only=False)
    ends = np.array([*(days or UNDATED for days in found), UNDATED], np.float64)
    no_date = np.array([*(days is None for days in found), False], bool)
    return DayRange(ends[codes, 0], ends[codes, 1]), no_date[codes]


def date_range(table: pa.Table, column: str) -> DayRange:
    """The dates of a column as `RowPreparer` lays them out: two columns of float64."""
    return DayRange(table[column].to_numpy(), table[column + LATEST].to_numpy())


def study_days(dates: DayRange, reference: NDArray[Any], first_day: int) -> DayRange:
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


def date_of_day(day: NDArray[Any], reference: NDArray[Any], first_day: int) -> NDArray[np.float64]:
    """Dates of study days, the inverse of `study_days`.

    Args:
        day: The study days, shape [n]; NaN where missing.
        reference: Each subject's reference date, days since 1970-01-01; NaN where missing.
        first_day: Number of the study day of the reference date.

    Returns:
        Days since 1970-01-01, float64 `[n]`; NaN where one of them is missing.

    Examples:
        >>> date_of_day(np.array([-1.0, 1.0, 2.0]), np.full(3, 100.0), first_day=1).tolist()
        [99.0, 100.0, 101.0]
    """
    difference = np.where(day >= first_day, day - first_day, day)
    return np.asarray(np.floor(reference + difference), np.float64)


def _study_day(day: NDArray[Any], reference: NDArray[Any], first_day: int) -> NDArray[Any]:
    difference = day - reference
    return np.where(difference >= 0, difference + first_day, difference)
