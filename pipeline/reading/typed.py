"""Columns as the study file declares them: codes of missing values, numbers, ranges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.study.sections import Column

_SAS_EPOCH = date(1960, 1, 1)
_UNITS_OF_DAY = {"days": 1, "seconds": 86_400, "milliseconds": 86_400_000}
_CALENDAR = (date(1582, 1, 1).toordinal(), 7_305_000)
"""Days of SAS's calendar, 1582 to 20000, as `date.toordinal` counts them."""
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_NUMBER_TEXT = (
    r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
    r"|^[-+]?(?i:inf|infinity|nan|nan\([0-9a-z_]*\))$"
)
"""Texts that are read as a number, the words of floating point included, which are not finite."""
_ABSURD = 1e15
"""No clinical measurement is larger; beyond it float32 features lose all meaning."""


@dataclass(frozen=True)
class Numbers:
    """A column of numbers, and what in it is none.

    Attributes:
        values: float64, shape [n]; null where missing or no number.
        not_a_number: Booleans, shape [n]: text that is no number.
        not_finite: Booleans, shape [n]: infinite, or NaN that is not the file's missing value.
        out_of_range: Booleans, shape [n]: outside the declared range.
    """

    values: pa.Array
    not_a_number: NDArray[np.bool_]
    not_finite: NDArray[np.bool_]
    out_of_range: NDArray[np.bool_]

    @property
    def possible(self) -> pa.Array:
        """The values that can be true; float64, shape [n]; null for the others."""
        wrong = self.not_finite | self.out_of_range
        return pc.if_else(pa.array(wrong), pa.scalar(None, pa.float64()), self.values)


def numbers_of(array: pa.Array, declared: Column, decimal: str = ".") -> Numbers:
    """Reads a column as numbers.

    Args:
        array: Floats or text, shape [n].
        declared: What the study file says of the column.
        decimal: The decimal point in texts; the other of point and comma makes no number.
    """
    not_a_number = np.zeros(len(array), bool)
    if not pa.types.is_floating(array.type):
        array, not_a_number = _parsed(without_codes(array, declared), decimal)
    values = array.to_numpy(zero_copy_only=False).astype(np.float64)
    present = np.asarray(pc.is_valid(array).to_numpy(zero_copy_only=False), bool)
    values = np.where(present, values, np.nan)
    codes = [float(code) for code in declared.missing if is_number(code)]
    if codes:
        present &= ~np.isin(values, codes)
    low, high = declared.range or (-_ABSURD, _ABSURD)
    with np.errstate(invalid="ignore"):
        outside = present & ((values < low) | (values > high))
    return Numbers(
        pa.array(values, pa.float64(), mask=~present),
        not_a_number,
        present & ~np.isfinite(values),
        outside,
    )


def moments_of(numbers: pa.Array, declared: Column) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Dates or moments that are stored as numbers.

    Args:
        numbers: float64, shape [n]; null where missing.
        declared: What the study file says of the column; its type is date or datetime.

    Returns:
        pa.date32() or pa.timestamp("s"), shape [n], null where missing or beyond the calendar; and
        booleans that mark numbers beyond it.

    Examples:
        >>> moments_of(pa.array([0.0, 20000.0]), Column(type="date"))[0].to_pylist()
        [datetime.date(1960, 1, 1), datetime.date(2014, 10, 4)]
    """
    unit = declared.unit or ("days" if declared.type == "date" else "seconds")
    epoch = (declared.epoch or _SAS_EPOCH).toordinal()
    stored = numbers.to_numpy(zero_copy_only=False).astype(np.float64)
    days = stored / _UNITS_OF_DAY[unit] + epoch
    with np.errstate(invalid="ignore"):
        beyond = (days < _CALENDAR[0]) | (days >= _CALENDAR[1])
    missing = np.isnan(stored) | beyond
    to_unix = epoch - date(1970, 1, 1).toordinal()
    if declared.type == "date":
        whole = np.floor(stored / _UNITS_OF_DAY[unit]) + to_unix
        kind = pa.date32()
    else:
        # To the millisecond first: a time of day as a fraction of a day is seldom exact.
        whole = np.floor(np.round(stored * (86_400 / _UNITS_OF_DAY[unit]), 3)) + to_unix * 86_400
        kind = pa.timestamp("s")
    steps = np.where(missing, 0, whole).astype(np.int32 if kind == pa.date32() else np.int64)
    return pa.array(steps, mask=missing).cast(kind), np.asarray(beyond, bool)


def without_codes(array: pa.Array, declared: Column) -> pa.Array:
    """Text with null where it is one of the column's codes of a missing value.

    A code that is a number matches each text of that number: 1 matches "1", "1.0" and "01".

    Args:
        array: Shape [n]; what is no text is returned as it is.
        declared: What the study file says of the column.
    """
    if not declared.missing or not pa.types.is_string(array.type):
        return array
    codes = [code for code in declared.missing if isinstance(code, str)]
    numbers = {float(code) for code in declared.missing if not isinstance(code, str)}
    if numbers:
        texts = pc.unique(array).drop_null().to_pylist()
        codes += [text for text in texts if is_number(text) and float(text) in numbers]
    is_code = pc.is_in(array, pa.array(codes, pa.string()))
    return pc.if_else(is_code, pa.scalar(None, pa.string()), array)


def is_number(code: str | float) -> bool:
    """Whether a code of a missing value is a number, or the text of one."""
    return not isinstance(code, str) or _NUMBER.fullmatch(code) is not None


def _parsed(text: pa.Array, decimal: str) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Numbers of a text, and where it is none."""
    if decimal != ".":
        # A point would separate thousands, or the file has two decimal points: it can't be known.
        has_point = pc.fill_null(pc.match_substring(text, "."), False)
        pointed = np.asarray(has_point.to_numpy(zero_copy_only=False), bool)
        text = pc.if_else(has_point, pa.scalar(None, pa.string()), text)
        values, wrong = _parsed(pc.replace_substring(text, decimal, "."), ".")
        return values, wrong | pointed
    try:
        return pc.cast(text, pa.float64()), np.zeros(len(text), bool)
    except pa.ArrowInvalid:
        # The others are cast as they would be alone: no text's meaning depends on its neighbours.
        text = pc.ascii_trim_whitespace(text)
        is_number_text = pc.match_substring_regex(text, _NUMBER_TEXT)
        wrong = ~np.asarray(pc.fill_null(is_number_text, True).to_numpy(zero_copy_only=False), bool)
        numbers = pc.if_else(is_number_text, text, pa.scalar(None, pa.string()))
        return pc.cast(pc.ascii_ltrim(numbers, "+"), pa.float64()), wrong
