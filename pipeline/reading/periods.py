"""Groups of subjects by a period of the calendar."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.reading.days import DayRange
from pipeline.study.sections import Period

_MONTHS: dict[Period, int] = {"year": 12, "half_year": 6, "quarter": 3, "month": 1}


def period_names(dates: DayRange, period: Period) -> pa.Array:
    """Name of the period that each date lies in; names sort as periods follow each other.

    Args:
        dates: The dates, shape [n].
        period: Length of a period.

    Returns:
        Texts, shape [n]; null for a missing date, and for a partial one that spans periods.

    Examples:
        >>> from pipeline.reading.days import dates_of
        >>> dates, _ = dates_of(pa.array(["2014-08-31", "2014-07", "2014", None]))
        >>> [period_names(dates, period).to_pylist() for period in ("year", "half_year")]
        [['2014', '2014', '2014', None], ['2014-H2', '2014-H2', None, None]]
        >>> [period_names(dates, period).to_pylist() for period in ("quarter", "month")]
        [['2014-Q3', '2014-Q3', None, None], ['2014-08', '2014-07', None, None]]
    """
    known = ~(np.isnan(dates.earliest) | np.isnan(dates.latest))
    first, last = (
        _months(np.where(known, days, 0)) // _MONTHS[period]
        for days in (dates.earliest, dates.latest)
    )
    known &= first == last
    numbers, place = np.unique(first, return_inverse=True)
    names = np.array([_name(int(number), period) for number in numbers], object)
    return pa.array(names[place], pa.string(), mask=~known)


def _months(days: NDArray[Any]) -> NDArray[np.int64]:
    """Months since January of the year 0."""
    since_1970 = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return since_1970 + 12 * 1970


def _name(number: int, period: Period) -> str:
    year, part = divmod(number * _MONTHS[period], 12)
    part = part // _MONTHS[period] + 1
    suffix = {"year": "", "half_year": f"-H{part}", "quarter": f"-Q{part}", "month": f"-{part:02d}"}
    return f"{year:04d}{suffix[period]}"
