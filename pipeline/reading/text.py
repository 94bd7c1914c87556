"""Values of a column as text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


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
    """Text of a column; whole numbers are written without a decimal point."""
    if pa.types.is_string(array.type):
        return array
    if pa.types.is_floating(array.type):
        values = array.to_numpy(zero_copy_only=False)
        return pa.array([None if np.isnan(v) else f"{v:.15g}" for v in values], pa.string())
    return pc.cast(array, pa.string())
