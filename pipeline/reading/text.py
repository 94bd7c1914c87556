"""Values of a column as text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def as_text(array: pa.Array) -> pa.Array:
    """Text of a column; whole numbers are written without a decimal point."""
    if pa.types.is_string(array.type):
        return array
    if pa.types.is_floating(array.type):
        values = array.to_numpy(zero_copy_only=False)
        return pa.array([None if np.isnan(v) else f"{v:.15g}" for v in values], pa.string())
    return pc.cast(array, pa.string())
