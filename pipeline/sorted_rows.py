"""Looks values up in a sorted column."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def rows_of(column: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.int64]:
    """Row of each wanted value.

    Args:
        column: Distinct values, rising; `[rows]`.
        wanted: Values in any order; `[n]`.

    Returns:
        Rows, -1 where the column does not have the value; int64 `[n]`.

    Examples:
        >>> rows_of(np.array([10, 20, 30]), np.array([30, 15, 10])).tolist()
        [2, -1, 0]
    """
    if not len(column):
        return np.full(len(wanted), -1, np.int64)
    places = np.minimum(np.searchsorted(column, wanted), len(column) - 1)
    return np.where(column[places] == wanted, places, -1)
