"""Numbers with all their digits: a number may be a key, and two keys must stay two.

A number is float64 wherever that keeps its digits. Where it does not (whole numbers beyond 2**53,
decimal numbers of many digits) its batch is handed on as text, written in one way whatever the
format: without exponent, trailing zeros or sign of zero.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Number = int | float | Decimal | str

LARGEST_WHOLE = 2**53 - 1
"""Up to here every whole number has a float64 of its own."""
_DIGITS = 15
"""float64 holds every decimal number of so many digits."""
_EXACT_POWERS = 22
"""Powers of ten up to this one are exact in float64."""
_ALL_DIGITS = Context(prec=800)


def exact_numbers(values: pa.Array) -> pa.Array:
    """Numbers of a typed file as float64, or as text where float64 would lose digits.

    Args:
        values: Integers, floats or decimals, shape [n].

    Returns:
        pa.float64() or pa.string(), shape [n]; null where missing or NaN.

    Examples:
        >>> exact_numbers(pa.array([1, None])).to_pylist()
        [1.0, None]
        >>> exact_numbers(pa.array([1, 2**53 + 1])).to_pylist()
        ['1', '9007199254740993']
    """
    kind = values.type
    if pa.types.is_decimal(kind):
        return _exact_decimals(values)
    numbers = values.cast(pa.float64(), safe=False)
    if pa.types.is_floating(kind):
        is_nan = pc.is_nan(numbers)
        if not pc.any(is_nan).as_py():
            return numbers
        return pc.if_else(is_nan, pa.scalar(None, pa.float64()), numbers)
    if kind.bit_width < 64 or not len(values):
        return numbers
    ends = pc.min_max(values).as_py()
    if ends["min"] is None or -LARGEST_WHOLE <= ends["min"] <= ends["max"] <= LARGEST_WHOLE:
        return numbers
    whole = values.to_pylist()
    is_kept = all(number is None or keeps_digits(number) for number in whole)
    return numbers if is_kept else number_texts(whole)


def number_texts(numbers: list[Number | None]) -> pa.Array:
    """Numbers written in the one way; pa.string(), null for None."""
    texts = [None if number is None else number_text(number) for number in numbers]
    return pa.array(texts, pa.string())


def number_text(number: Number) -> str:
    """A number written in the one way.

    Args:
        number: The number, or its text.

    Returns:
        Its digits, without exponent, trailing zeros or sign of zero: of a float as few as
        distinguish it from all others, so that two subjects never have one key.

    Raises:
        ValueError: The text is no finite number.

    Examples:
        >>> [number_text(n) for n in (12.0, 2**53 + 1, Decimal("1.50"), "1e3", -0.0, 0.3)]
        ['12', '9007199254740993', '1.5', '1000', '0', '0.3']
    """
    try:
        exact = _decimal_of_float(number) if isinstance(number, float) else Decimal(number)
    except (InvalidOperation, OverflowError) as error:
        raise ValueError("no number") from error
    if not exact.is_finite():
        raise ValueError("no finite number")
    text = format(exact.normalize(_ALL_DIGITS), "f")
    return "0" if text == "-0" else text


def keeps_digits(number: int | Decimal | str) -> bool:
    """Whether float64 holds a number without losing a digit.

    Args:
        number: A finite number, or its text.

    Examples:
        >>> [keeps_digits(n) for n in (2**60, 2**60 + 1, "0.1", "0.12345678901234567")]
        [True, False, True, False]
    """
    try:
        return number_text(float(number)) == number_text(number)
    except (OverflowError, ValueError):
        return False


def _decimal_of_float(number: float) -> Decimal:
    # The shortest decimal number that no other float is nearer to.
    return Decimal(number if not math.isfinite(number) or number.is_integer() else repr(number))


def _exact_decimals(values: pa.Array) -> pa.Array:
    if not len(values):
        return values.cast(pa.float64())
    kind = values.type
    words = np.frombuffer(values.buffers()[1], np.int64).reshape(-1, kind.bit_width // 64)
    words = words[values.offset : values.offset + len(values)]
    # The other words of a small number are its sign.
    small = (words[:, 1:] == (words[:, :1] >> 63)).all(axis=1)
    small &= (words[:, 0] > -(10**_DIGITS)) & (words[:, 0] < 10**_DIGITS)
    small &= 0 <= kind.scale <= _EXACT_POWERS
    missing = np.asarray(values.is_null().to_numpy(zero_copy_only=False), bool)
    large = ~small & ~missing
    doubted = values.filter(pa.array(large))
    if not all(map(keeps_digits, doubted.to_pylist())):
        return number_texts(values.to_pylist())
    # Arrow multiplies by a power of ten, which is not exact; one division is rounded but once.
    numbers = words[:, 0] / 10.0 ** min(max(kind.scale, 0), _EXACT_POWERS)
    numbers[large] = [float(number) for number in doubted.to_pylist()]
    return pa.array(numbers, mask=missing)
