"""Which of two moments is later: of dates with a time of day, times of day, or numbers.

Days can't say what came first on one day. A moment can, as far as it is written: a time to the
minute spans its minute, and of two that may be the same none is later. Clocks that can't be
compared (one with an offset from UTC, one without) leave the order open.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.reading.iso_dates import seconds_of_text

MOMENT = "#moment"
"""Suffix of the column with the text of a date whose time of day matters as well."""

_TIME_OF_DAY = re.compile(r"(?:-----)?T?(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?", re.ASCII)
_ONLY_TIME = np.inf
"""Stands for the clock of a time of day without a date."""
_NO_MOMENT = (np.nan, np.nan, np.nan)


def moments_in(table: pa.Table, column: str) -> pa.ChunkedArray:
    """The column of a table that orders its rows in time.

    Args:
        table: Prepared rows.
        column: The column as the study file names it.

    Returns:
        Text, or float64 where the column holds numbers; shape [rows].
    """
    name = column + MOMENT
    return table[name if name in table.column_names else column]


def order_of(
    moments: pa.ChunkedArray, others: pa.ChunkedArray
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Compares moments one by one.

    Args:
        moments: Text or float64, shape [n].
        others: The same, shape [n].

    Returns:
        Booleans, shape [n]: where a moment is certainly later than the other, and where it is
        certainly earlier.

    Examples:
        >>> texts = pa.chunked_array([["2014-01-05T10:31", "2014-01-05T10:30", "10:29", "soon"]])
        >>> others = pa.chunked_array([["2014-01-05T10:30", "2014-01-05T10:30", "10:30", "10:30"]])
        >>> later, earlier = order_of(texts, others)
        >>> later.tolist(), earlier.tolist()
        ([True, False, False, False], [False, False, True, False])
    """
    first, second = _spans(moments), _spans(others)
    clocks = first[:, 2], second[:, 2]
    same = np.isnan(clocks[0]) & np.isnan(clocks[1])
    same |= np.isinf(clocks[0]) & np.isinf(clocks[1])
    same |= np.isfinite(clocks[0]) & np.isfinite(clocks[1])
    with np.errstate(invalid="ignore"):
        later = same & (first[:, 0] > second[:, 1])
        earlier = same & (first[:, 1] < second[:, 0])
    return later, earlier


def _spans(moments: pa.ChunkedArray) -> NDArray[np.float64]:
    """First and last second of each moment, and its clock; float64, shape [n, 3].

    Seconds of a moment with an offset are those of UTC, and its clock is 0; the clock is NaN
    without an offset and infinite without a date.
    """
    if pa.types.is_floating(moments.type):
        values = moments.to_numpy()
        return np.column_stack([values, values, np.full(len(values), np.nan)])
    encoded = moments.combine_chunks().dictionary_encode()
    spans = np.array([*map(_span, encoded.dictionary.to_pylist()), _NO_MOMENT], np.float64)
    codes = pc.fill_null(encoded.indices, len(spans) - 1).to_numpy(zero_copy_only=False)
    return spans[codes]


def _span(text: str) -> tuple[float, float, float]:
    time = _TIME_OF_DAY.fullmatch(text)
    if time:
        hour, minute, second = int(time[1]), int(time[2]), int(time[3] or 0)
        if hour > 23 or minute > 59 or second > 59:
            return _NO_MOMENT
        start = hour * 3600 + minute * 60 + second
        return start, start if time[3] else start + 59, _ONLY_TIME
    found = seconds_of_text(text)
    if found is None:
        return _NO_MOMENT
    first, last, offset = found
    return (first, last, np.nan) if offset is None else (first - offset, last - offset, 0)
