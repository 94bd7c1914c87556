"""Rejected qualifiers: on the records that they may belong to, the qualifier is unknown.

A rejected qualifier (SUPP--) has a subject, but its record is unknown. Each
record of that subject may have its value, also in place of one that the record has. So none of them
has a value that is certain: the cell is emptied and marked as unreadable. Where neither label nor
feature asks for the qualifier, the records are used as before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.reading.buckets import SUBJECT
from pipeline.reading.evaluate import evaluate
from pipeline.reading.plan import DatasetPlan
from pipeline.reading.unreadable import UNREADABLE
from pipeline.study.conditions import Condition


def unreadable_qualifiers(
    plan: DatasetPlan, table: pa.Table, rejected: Sequence[pa.Table]
) -> dict[str, NDArray[np.bool_]]:
    """Which qualifiers of which records a rejected qualifier may have been.

    Args:
        plan: Plan of the parent.
        table: Its records.
        rejected: Rejected rows of its supplemental datasets. One without QVAL says nothing; one
            without QNAM may be any qualifier.

    Returns:
        Booleans by qualifier, shape [records]; only qualifiers of which there are some.
    """
    found: dict[str, NDArray[np.bool_]] = {}
    for qualifier in plan.qualifiers:
        lost = np.zeros(len(table), bool)
        for rows in rejected:
            is_it = pc.fill_null(pc.equal(rows["QNAM"], qualifier), True)
            of_subjects = rows[SUBJECT].filter(pc.and_(is_it, pc.is_valid(rows["QVAL"])))
            lost |= pc.is_in(table[SUBJECT], of_subjects).to_numpy()
        if lost.any():
            found[qualifier] = lost
    return found


def is_undecided(table: pa.Table, *conditions: Condition | None) -> NDArray[np.bool_]:
    """Where one of several conditions is unknown and asks for a cell that can't be read.

    Args:
        table: Rows, with or without marks of unreadable cells.
        conditions: The conditions.

    Returns:
        Booleans, shape [rows].
    """
    undecided = np.zeros(len(table), bool)
    for condition in filter(None, conditions):
        names = {f"{column}{UNREADABLE}" for column in condition.columns()}
        marks = [table[name] for name in sorted(names.intersection(table.column_names))]
        if marks:
            is_marked = np.zeros(len(table), bool)
            for mark in marks:
                is_marked |= pc.fill_null(mark, False).to_numpy()
            undecided |= is_marked & pc.is_null(evaluate(condition, table)).to_numpy()
    return undecided
