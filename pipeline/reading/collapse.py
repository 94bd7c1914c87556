"""Rows of a subject that agree in all that is read of them: a long file as one row per subject.

A file with a row per visit often repeats in each of them what holds of the subject: sex, age, arm.
With `collapse: true` such a file can be the subject dataset, beside being read a row per visit as
another dataset.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.reading.buckets import SUBJECT
from pipeline.reading.rows import FILE, ROW, file_ranks


def repeats_of_earlier_rows(table: pa.Table) -> NDArray[np.bool_]:
    """Rows that repeat an earlier row of their subject.

    Args:
        table: Prepared rows of one dataset, with file and row number.

    Returns:
        Booleans, shape [rows]; earlier means by file name, then by row number. A missing value is
        a value of its own here: a row that lacks what another one has does not agree with it.
    """
    read = [SUBJECT, *(name for name in table.column_names if name not in (SUBJECT, FILE, ROW))]
    codes = np.zeros(len(table), np.int64)
    for name in read:
        column = table[name].combine_chunks().dictionary_encode(null_encoding="encode")
        levels = max(len(column.dictionary), 1)
        codes = np.unique(codes * levels + column.indices.to_numpy(), return_inverse=True)[1]
    order = np.lexsort((table[ROW].to_numpy(), file_ranks(table)))
    _, first = np.unique(codes[order], return_index=True)
    repeats = np.ones(len(table), bool)
    repeats[order[first]] = False
    return repeats
