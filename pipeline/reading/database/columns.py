"""Values of a database's driver as Arrow columns, batch by batch, and their common type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pyarrow as pa

from pipeline.reading.exact_numbers import LARGEST_WHOLE, keeps_digits, number_text

Kind = Literal[
    "boolean", "whole", "decimal", "float", "date", "moment", "zoned", "time", "text", "unreadable"
]

_MOMENT = pa.timestamp("us")
_ZONED = pa.timestamp("us", "UTC")
_TIME = pa.time64("us")
_LARGEST_INT64 = 2**63 - 1
_MOST_DIGITS = 76
_OF_KIND: dict[Kind, pa.DataType] = {
    "boolean": pa.bool_(),
    "float": pa.float64(),
    "date": pa.date32(),
    "moment": _MOMENT,
    "zoned": _ZONED,
    "time": _TIME,
    "text": pa.string(),
}


class UnreadableError(Exception):
    """A value of a type that no tabular trial data has, or that would lose digits.

    Attributes:
        row: Its 0-based number in the batch.
        found: What was found, in words.
    """

    def __init__(self, row: int, found: str) -> None:
        super().__init__(found)
        self.row = row
        self.found = found


def batch_column(values: Sequence[Any]) -> pa.Array:
    """A column of a batch in the narrowest type that holds its values.

    Args:
        values: What the driver gives, None where NULL, shape [n].

    Returns:
        An array of length n: of booleans, numbers, dates, times or text; of nulls where there is
        no value, and of text where there are several kinds.

    Raises:
        UnreadableError: A value is of another type, such as bytes, lists or JSON.

    Examples:
        >>> batch_column([1, None]).type, batch_column([Decimal("1.50")]).type
        (DataType(int64), Decimal128Type(decimal128(38, 2)))
        >>> batch_column([True, "x"]).to_pylist()
        ['true', 'x']
    """
    kinds: set[Kind] = set()
    for row, value in enumerate(values):
        if value is not None:
            kind = _kind(value)
            if kind == "unreadable":
                raise UnreadableError(row, type(value).__name__)
            kinds.add(kind)
    if not kinds:
        return pa.nulls(len(values))
    if kinds <= {"whole", "decimal", "float"}:
        return _numbers(values, kinds)
    if kinds == {"date", "moment"}:
        return pa.array([_moment(value) for value in values], _MOMENT)
    if len(kinds) > 1:
        return pa.array([_text(value) for value in values], pa.string())
    [kind] = kinds
    if kind == "text":
        return pa.array([_text(value) for value in values], pa.string())
    return pa.array(values, _OF_KIND[kind])


def common_type(types: Iterable[pa.DataType]) -> pa.DataType:
    """The type of a whole column by those of its batches, as `batch_column` chooses them.

    Examples:
        >>> common_type([pa.null(), pa.int64(), pa.decimal128(38, 2)])
        Decimal128Type(decimal128(38, 2))
        >>> common_type([pa.date32(), pa.string()])
        DataType(string)
    """
    found = {type_ for type_ in types if not pa.types.is_null(type_)}
    if len(found) < 2:
        return next(iter(found), pa.null())
    if all(map(_is_number, found)):
        if pa.float64() in found:
            return pa.float64()
        decimals = [type_ for type_ in found if pa.types.is_decimal(type_)]
        scale = max(type_.scale for type_ in decimals)
        whole = max(19, *(type_.precision - type_.scale for type_ in decimals))
        return _decimal_type(whole, scale)
    return _MOMENT if found == {pa.date32(), _MOMENT} else pa.string()


def as_type(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """A column of a batch in the type of the whole column.

    Args:
        array: From `batch_column`.
        type_: From `common_type`.

    Raises:
        UnreadableError: A number would lose digits among numbers with fractions.
    """
    if array.type == type_:
        return array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), type_)
    if pa.types.is_string(type_):
        return pa.array([_text(value) for value in array.to_pylist()], pa.string())
    if pa.types.is_floating(type_):
        return _floats(array.to_pylist())
    try:
        return array.cast(type_)
    except pa.ArrowInvalid:
        raise UnreadableError(0, f"numbers of more than {_MOST_DIGITS} digits") from None


def _kind(value: Any) -> Kind:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "whole"
    if isinstance(value, float):
        return "float"
    if isinstance(value, Decimal):
        return "decimal" if value.is_finite() else "float"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return "moment"
        # Offsets of several zones have no column type: they stay beside each moment, in its text.
        return "zoned" if value.utcoffset() == timedelta(0) else "text"
    if isinstance(value, date):
        return "date"
    if isinstance(value, time):
        return "time" if value.tzinfo is None else "text"
    return "text" if isinstance(value, str | UUID) else "unreadable"


def _numbers(values: Sequence[Any], kinds: set[Kind]) -> pa.Array:
    if "float" in kinds:
        return _floats(values)
    present = [value for value in values if value is not None]
    if kinds == {"whole"} and all(abs(value) <= _LARGEST_INT64 for value in present):
        return pa.array(values, pa.int64())
    whole = scale = 0
    for row, value in enumerate(values):
        if value is not None:
            _, digits, exponent = Decimal(value).as_tuple()
            scale = max(scale, -int(exponent))
            whole = max(whole, len(digits) + int(exponent))
            if whole + scale > _MOST_DIGITS:
                raise UnreadableError(row, f"numbers of more than {_MOST_DIGITS} digits")
    decimals = [None if value is None else Decimal(value) for value in values]
    return pa.array(decimals, _decimal_type(whole, scale))


def _decimal_type(whole: int, scale: int) -> pa.DataType:
    if whole + scale <= 38:
        return pa.decimal128(38, scale)
    return pa.decimal256(_MOST_DIGITS, scale)


def _floats(values: Sequence[Any]) -> pa.Array:
    for row, value in enumerate(values):
        is_large = isinstance(value, int) and abs(value) > LARGEST_WHOLE
        if (is_large or (isinstance(value, Decimal) and value.is_finite())) and not keeps_digits(
            value
        ):
            raise UnreadableError(row, "a number of too many digits among numbers with fractions")
    return pa.array([None if value is None else float(value) for value in values], pa.float64())


def _is_number(type_: pa.DataType) -> bool:
    is_ = pa.types
    return bool(is_.is_integer(type_) or is_.is_decimal(type_) or is_.is_floating(type_))


def _moment(value: date | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time())


def _text(value: Any) -> str | None:
    """A value among others of another kind, as every format writes it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        if value != value:
            return None
        return number_text(value) if math.isfinite(value) else str(value).lower()
    if isinstance(value, datetime):
        if value.tzinfo is not None and value.utcoffset() == timedelta(0):
            return value.astimezone(UTC).isoformat()
        at_midnight = value.tzinfo is None and value.time() == time()
        return value.date().isoformat() if at_midnight else value.isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)
