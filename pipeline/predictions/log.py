"""What a prediction log is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import pyarrow as pa

from pipeline.predictions.outcomes import RecordedCut
from pipeline.predictions.rows import Occasion


@dataclass(frozen=True)
class Batch:
    """Rows that are written together: all of them, or none.

    Attributes:
        occasion: What they have in common.
        name: What no other rows of the study have: a batch that is written again is the same one.
        day: Day of the newest row, UTC.
    """

    occasion: Occasion
    name: str
    day: date


class PredictionLog(Protocol):
    """Predictions and outcomes, kept somewhere.

    Their rows are those of `pipeline.predictions.rows.ROWS` and
    `pipeline.predictions.outcomes.OUTCOME_ROWS`.
    """

    def append(self, batch: Batch, tables: Iterable[pa.Table]) -> None:
        """Writes a batch, whole; one that is there already is not added again.

        Args:
            batch: What it is.
            tables: Its rows.

        Raises:
            UserError: The log refuses them, or does not answer; none of the rows is visible.
        """

    def read(self, study: str) -> Iterator[pa.Table]:
        """All predictions of a study.

        Raises:
            UserError: The log does not answer, or a part of it can't be read.
        """

    def append_outcomes(self, cut: RecordedCut, outcomes: pa.Table) -> bool:
        """Writes the outcomes of a data cut, whole; a cut that is there stays as it is.

        Args:
            cut: What it is.
            outcomes: Its rows; without any, nothing is written.

        Returns:
            Whether they were written.

        Raises:
            UserError: The log refuses them, or does not answer; none of the rows is visible.
        """

    def read_outcomes(self, study: str) -> Iterator[pa.Table]:
        """All outcomes of a study.

        Raises:
            UserError: The log does not answer, or a part of it can't be read.
        """

    def forget(self, study: str, pseudonyms: Collection[str]) -> int:
        """Removes the predictions and outcomes of subjects.

        Args:
            study: Name of the study.
            pseudonyms: Of the subjects.

        Returns:
            How many rows it had of them.

        Raises:
            UserError: The log does not answer, or refuses.
        """

    def expire(self, before: date) -> int:
        """Removes what was predicted, and the outcomes that were recorded, on earlier days.

        Args:
            before: The first day that stays, UTC.

        Returns:
            How many rows these were.

        Raises:
            UserError: The log does not answer, or refuses.
        """
