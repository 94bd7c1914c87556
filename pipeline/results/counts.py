"""How many rows and subjects a run has: what `counts.json` holds."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from pipeline.documents import Count, Document


class DatasetCounts(Document):
    """Rows of a dataset.

    Attributes:
        rows_in: All rows read.
        used: Rows that the examples are made of.
        excluded: Rows that the study file excludes (population, window); `left_out` in documents
            of 0.1.0.
        rejected: Rows that can't be used because something in them can't be true.
        reasons: Rejected rows by reason.
    """

    rows_in: Count
    used: Count
    excluded: Count = Field(validation_alias=AliasChoices("excluded", "left_out"))
    rejected: Count
    reasons: dict[str, Count] = {}


class LabelCounts(Document):
    """Subjects of a split with a known label of a task, and those with a positive one.

    Attributes:
        known: Subjects whose label is known.
        positives: Those of them with the outcome.
    """

    known: Count
    positives: Count


class Counts(Document):
    """`counts.json`.

    Attributes:
        datasets: By dataset.
        subjects: Subjects by split.
        tasks: Labels by task and split.
        qualifiers: Values found of each supplemental qualifier, by `dataset.QNAM`.
        problems: What a person has to fix before the data can be used; the run stops then.
    """

    datasets: dict[str, DatasetCounts]
    subjects: dict[str, Count]
    tasks: dict[str, dict[str, LabelCounts]]
    qualifiers: dict[str, Count] = {}
    problems: tuple[str, ...] = ()
