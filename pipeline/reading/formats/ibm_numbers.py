"""IBM hexadecimal floating point, in which SAS transport files hold numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.reading.exact_numbers import LARGEST_WHOLE, Number, number_texts
from pipeline.reading.formats import base

_BYTES = 8


def ibm_to_ieee(field: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Converts IBM hexadecimal floating point to IEEE 754.

    A number is (-1)^s * f * 16^(e - 64), f the fraction of up to 56 bits, e the seven bits
    behind the sign. SAS stores a missing value as its letter, `.` or `_` in front of zeros.

    Args:
        field: uint8, shape (n, length), length 2 to 8; shorter numbers lack their last bytes.

    Returns:
        The numbers as float64 and a bool mask of SAS's missing values, both of shape (n,).
    """
    padded = np.zeros((len(field), 8), dtype=np.uint8)
    padded[:, : field.shape[1]] = field
    bits = padded.view(">u8").ravel().astype(np.uint64)
    fraction = bits & np.uint64((1 << 56) - 1)
    exponent = ((bits >> np.uint64(56)) & np.uint64(0x7F)).astype(np.int32)
    magnitude = np.ldexp(fraction.astype(np.float64), 4 * (exponent - 64) - 56)
    values = np.where(padded[:, 0] & 0x80, -magnitude, magnitude)
    return values, (fraction == 0) & _MISSING_CODES[padded[:, 0]]


_MISSING_CODES = np.isin(np.arange(256), [*b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ"])


def exact_numbers(
    field: NDArray[Any], values: NDArray[Any], missing: NDArray[np.bool_]
) -> pa.Array:
    """Numbers as float64, or as text where float64 rounds a whole number of IBM's 56 bits.

    Args:
        field: What is stored; uint8, shape (n, length).
        values: The numbers as float64, shape (n,).
        missing: Booleans, shape (n,).

    Returns:
        pa.float64() or pa.string(), length n.
    """
    if not len(values) or -LARGEST_WHOLE <= values.min() <= values.max() <= LARGEST_WHOLE:
        return base.masked(values, missing, pa.float64())
    numbers: list[Number | None] = [
        None if gap else value for gap, value in zip(missing, values.tolist(), strict=True)
    ]
    lost = False
    for i in np.flatnonzero(np.abs(values) > LARGEST_WHOLE):
        stored = field[i].tobytes().ljust(_BYTES, b"\0")
        sixteens = (stored[0] & 0x7F) - 64 - 14
        if sixteens >= 0:
            whole = int.from_bytes(stored[1:], "big") * 16**sixteens
            lost |= whole != abs(int(values[i]))
            numbers[i] = -whole if stored[0] & 0x80 else whole
    return number_texts(numbers) if lost else base.masked(values, missing, pa.float64())
