"""How many rows, subjects and labels a run has: what `counts.json` holds.

The counts are exact and internal: apply disclosure control before showing them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import AliasChoices, Field

from pipeline.documents import Count, Document
from pipeline.results.censoring import CensoredTask


class MaskReason(StrEnum):
    """Why a label is unknown; where several apply, the first of this list is counted."""

    UNKNOWN_WHEN = "`unknown_when` is met"
    LEFT = "left the trial at or before the landmark"
    BEFORE = "event at or before the landmark"
    ON_LANDMARK = "event on the landmark's day"
    UNDATED = "undated event"
    UNCERTAIN_DAY = "a day that may lie within or outside"
    MISSING_VALUE = "missing value"
    REJECTED_ROW = "rejected row"
    NOT_FOLLOWED = "not followed to the horizon"
    NO_ROW = "no row in the window"


class DatasetCounts(Document):
    """Rows of a dataset; `rows_in` is the sum of `used`, `excluded` and `rejected`.

    Attributes:
        rows_in: All rows read.
        used: Rows that the examples are made of.
        excluded: Rows that the study file excludes (population, window); `left_out` in documents
            of 0.1.0.
        rejected: Rows that can't be used because a value is impossible.
        reasons: Rejected rows by reason.
    """

    rows_in: Count
    used: Count
    excluded: Count = Field(validation_alias=AliasChoices("excluded", "left_out"))
    rejected: Count
    reasons: dict[str, Count] = {}


class ArmLabelCounts(Document):
    """Labels of subjects; known and masked labels together are all subjects.

    Attributes:
        known: Subjects whose label is known.
        positives: Those of them with the outcome.
        masked: Subjects whose label is unknown, by reason (`MaskReason`); those of `rejected
            row` had a label if the row had been readable.
    """

    known: Count
    positives: Count
    masked: dict[str, Count] = {}


class LabelCounts(ArmLabelCounts):
    """Labels of one task in one split.

    Attributes:
        known: Subjects whose label is known.
        positives: Those of them with the outcome.
        masked: Subjects whose label is unknown, by reason.
        arms: The same by arm, `missing` for subjects without one; empty where the study file
            names no arm.
    """

    arms: dict[str, ArmLabelCounts] = {}


class AbsentLevels(Document):
    """Values that one place of the study file compares a column with and that no row has.

    Attributes:
        key: The place in the study file.
        dataset: The dataset.
        column: The column; empty for codes of a missing value in every column.
        levels: The values, as the study file names them.
        present: How many others of that place there are rows of.
        needed: Whether what the place asks for can't be had without them.
        found: Different values that the column has, counted up to 1,000.
    """

    key: str
    dataset: str
    column: str
    levels: tuple[str, ...]
    present: Count
    needed: bool
    found: Count


class Counts(Document):
    """`counts.json`.

    Attributes:
        datasets: By dataset.
        subjects: Subjects by split.
        tasks: Labels by task and split.
        features: Subjects whose feature is missing because of a rejected row, by feature.
        qualifiers: Values found of each supplemental qualifier, by `dataset.QNAM`.
        absent_levels: Values that the study file names and no row has.
        censoring: Follow-up of the tasks that have some, over all splits.
        problems: Faults that the user must fix before the data can be used; the run stops then.
    """

    datasets: dict[str, DatasetCounts]
    subjects: dict[str, Count]
    tasks: dict[str, dict[str, LabelCounts]]
    features: dict[str, Count] = {}
    qualifiers: dict[str, Count] = {}
    absent_levels: tuple[AbsentLevels, ...] = ()
    censoring: dict[str, CensoredTask] = {}
    problems: tuple[str, ...] = ()

    def published(self, smallest: int) -> Counts:
        """The counts that a published document may hold: those of unknown labels may be small.

        Args:
            smallest: Fewest subjects that a number is shown for.

        Examples:
            >>> masked = {"rejected row": 1}
            >>> labels = LabelCounts(known=9, positives=4, masked=masked)
            >>> tasks = {"death": {"train": labels}}
            >>> counts = Counts(datasets={}, subjects={"train": 10}, tasks=tasks)
            >>> published = counts.published(smallest=20)
            >>> published.tasks["death"]["train"].masked, published.subjects
            ({}, {'train': 10})
        """
        tasks = {
            task: {
                split: LabelCounts(known=labels.known, positives=labels.positives)
                for split, labels in splits.items()
            }
            for task, splits in self.tasks.items()
        }
        changes: dict[str, Any] = {
            "tasks": tasks,
            "features": {},
            "censoring": {t: found.published(smallest) for t, found in self.censoring.items()},
        }
        return self.model_copy(update=changes)
