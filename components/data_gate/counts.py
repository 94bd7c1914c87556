"""The counts that TrialExampleGen writes beside the rows it set aside."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pipeline.documents import parse_document

Count = Annotated[int, Field(ge=0)]


class DatasetCounts(BaseModel):
    """Rows of a dataset.

    Attributes:
        rows_in: All rows read.
        used: Rows that the examples are made of.
        left_out: Rows that the study file leaves out (population, window).
        rejected: Rows set aside because something in them can't be true.
        reasons: Rejected rows by reason.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    rows_in: Count
    used: Count
    left_out: Count
    rejected: Count
    reasons: dict[str, Count] = {}


class LabelCounts(BaseModel):
    """Subjects of a split with a known label of a task, and those with a positive one."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    known: Count
    positives: Count


class Counts(BaseModel):
    """The content of `counts.json`.

    Attributes:
        datasets: By dataset.
        subjects: Subjects by split.
        tasks: Labels by task and split.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    datasets: dict[str, DatasetCounts]
    subjects: dict[str, Count]
    tasks: dict[str, dict[str, LabelCounts]]


def parse_counts(text: str, path: str) -> Counts:
    """Reads `counts.json`.

    Args:
        text: Its content.
        path: Where it lies, for the message.

    Raises:
        UserError: It is not what TrialExampleGen writes.
    """
    return parse_document(
        Counts, text, path, "the counts that TrialExampleGen writes", "Run TrialExampleGen again."
    )
