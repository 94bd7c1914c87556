"""Values of a column as text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reading.exact_numbers import LARGEST_WHOLE, number_text


def trimmed(texts: pa.Array) -> pa.Array:
    """Text as every format's reader hands it on: without outer blanks, null where nothing is left.

    Trailing blanks mean nothing in SAS, whose variables have a fixed width, and leading ones come
    from right-aligned numbers; so "Y " and " Y" are "Y", whichever file they were read from. Blanks
    are those of ASCII: space, tab, line ends, vertical tab and form feed.

    Args:
        texts: Strings, shape [n].

    Returns:
        Strings, shape [n].
    """
    clean = pc.ascii_trim_whitespace(texts)
    empty = pc.fill_null(pc.equal(pc.binary_length(clean), 0), False)
    if not pc.any(empty).as_py():
        return clean
    return pc.if_else(empty, pa.scalar(None, pa.string()), clean)


def as_text(array: pa.Array) -> pa.Array:
    """Text of a column, the same for one value in every format.

    Args:
        array: Text, numbers, dates or moments, shape [n].

    Returns:
        Strings, shape [n]; numbers without exponent or trailing zeros, dates and moments in ISO
        8601.

    Examples:
        >>> as_text(pa.array([701.0, 1.5, None])).to_pylist()
        ['701', '1.5', None]
    """
    kind = array.type
    if pa.types.is_string(kind):
        return array
    if pa.types.is_timestamp(kind):
        return pc.strftime(array, format="%Y-%m-%dT%H:%M:%S")
    if not pa.types.is_floating(kind):
        return pc.cast(array, pa.string())
    values = array.to_numpy(zero_copy_only=False)
    known = ~np.isnan(values)
    if (np.abs(values[known]) <= LARGEST_WHOLE).all() and (values[known] % 1 == 0).all():
        whole = np.where(known, values, 0).astype(np.int64)
        return pa.array(whole, mask=~known).cast(pa.string())
    return pa.array([None if np.isnan(v) else _float_text(v) for v in values.tolist()], pa.string())


def _float_text(value: float) -> str:
    return str(value) if np.isinf(value) else number_text(value)
