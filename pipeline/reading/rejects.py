"""Rejected rows: location and reason, never their values."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class RejectReason(StrEnum):
    """Why a row is rejected."""

    NO_SUBJECT = "no subject key"
    NOT_A_NUMBER = "text where a number is expected"
    NOT_FINITE = "a number that is not finite"
    OUT_OF_RANGE = "a number outside the range that can be true"
    NOT_A_DATE = "text where a date is expected"
    SECOND_ROW = "more than one row for a subject where one is due"
    UNKNOWN_SUBJECT = "a subject that the subject dataset does not have"
    SUBJECT_REJECTED = "a subject whose own row was rejected"
    BEFORE_BIRTH = "a date before the subject's birth"
    END_BEFORE_START = "an end before its start"
    NO_QUALIFIER_NAME = "a qualifier without a name"
    NO_SUCH_RECORD = "a qualifier that belongs to no record"
    NO_SUCH_IDVAR = "a qualifier whose IDVAR names no column that identifies a record"


@dataclass(frozen=True)
class Reject:
    """One rejected row.

    Attributes:
        dataset: The dataset's name in the study file.
        file: The file's name.
        row: Number of the data record in the file, from 1.
        column: The column at fault, where it is one.
        reason: Why.
    """

    dataset: str
    file: str
    row: int
    column: str | None
    reason: RejectReason

    def to_json(self) -> str:
        """One line of the rejects artifact."""
        return json.dumps(
            {
                "dataset": self.dataset,
                "file": self.file,
                "row": self.row,
                "column": self.column,
                "reason": str(self.reason),
            }
        )


class RowFilter:
    """Which rows of a table are still good; the first fault found of a row is its reason."""

    def __init__(self, dataset: str, files: NDArray[Any], rows: NDArray[Any]) -> None:
        self._dataset = dataset
        self._files = files
        self._rows = rows
        self._good = np.ones(len(rows), bool)
        self._faults: list[tuple[str, NDArray[np.bool_]]] = []
        self.rejects: list[Reject] = []

    @property
    def good(self) -> NDArray[np.bool_]:
        """Booleans, shape [rows]."""
        return self._good

    @property
    def faults(self) -> dict[str, NDArray[np.bool_]]:
        """By column that was checked, where it is at fault; booleans, shape [rows]."""
        faults: dict[str, NDArray[np.bool_]] = {}
        for column, faulty in self._faults:
            faults[column] = faults[column] | faulty if column in faults else faulty
        return faults

    def reject(self, faulty: NDArray[np.bool_], column: str | None, reason: RejectReason) -> None:
        """Rejects rows.

        Args:
            faulty: Booleans, shape [rows].
            column: The column at fault.
            reason: Why.
        """
        if column is not None:
            self._faults.append((column, faulty))
        new = np.flatnonzero(faulty & self._good)
        self.rejects += [
            Reject(self._dataset, str(self._files[i]), int(self._rows[i]), column, reason)
            for i in new
        ]
        self._good[new] = False


def row_counts(dataset: str, rejects: Iterable[Reject], **counts: int) -> Counter[tuple[str, ...]]:
    """Counts of a dataset's rows, keyed so that counters of many workers can be added.

    Args:
        dataset: The dataset's name.
        rejects: Rejected rows.
        **counts: `rows_in`, `used`, `excluded`.

    Returns:
        Counts by ("datasets", dataset, what) and ("reasons", dataset, reason).
    """
    counter: Counter[tuple[str, ...]] = Counter(
        {("datasets", dataset, what): n for what, n in counts.items() if n}
    )
    for reject in rejects:
        counter["datasets", dataset, "rejected"] += 1
        counter["reasons", dataset, str(reject.reason)] += 1
    return counter
