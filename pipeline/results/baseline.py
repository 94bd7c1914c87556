"""Baseline characteristics of the arms: a part of `analysis.json`."""

from __future__ import annotations

from typing import Literal

from pipeline.documents import Count, Document


class NumberSummary(Document):
    """A characteristic that is a number, in one group.

    Attributes:
        level: The group.
        subjects: Subjects with a value; null where suppressed.
        missing: Subjects without; null where suppressed.
        mean: Mean; null, like what follows, where the group is suppressed. It is rounded where only
            the number of subjects is.
        sd: Standard deviation.
        lower_quartile: Mean of the few values around the quartile; of fewer than 15 values that of
            all.
        median: Mean of the few values in the middle; likewise.
        upper_quartile: Mean of the few values around the quartile; likewise.
    """

    level: str
    subjects: Count | None
    missing: Count | None
    mean: float | None
    sd: float | None
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


class ValueCount(Document):
    """How many subjects of a group have a value.

    Attributes:
        level: The group.
        value: The value; `missing` where there is none.
        subjects: Number of subjects; null where suppressed.
        share: Share of the group's subjects; null where suppressed.
    """

    level: str
    value: str
    subjects: Count | None
    share: float | None


class Difference(Document):
    """Standardised difference of a group to the control; null where it can't be shown.

    Attributes:
        level: The group.
        value: The difference.
    """

    level: str
    value: float | None


class Characteristic(Document):
    """A row of the table of baseline characteristics.

    Attributes:
        name: The feature.
        kind: Whether `numbers` or `counts` is filled.
        factor: The factor whose levels are the columns.
        numbers: One for each level.
        counts: One for each level and value.
        differences: Difference to the control, one for each other level.
    """

    name: str
    kind: Literal["number", "category"]
    factor: str
    numbers: tuple[NumberSummary, ...] = ()
    counts: tuple[ValueCount, ...] = ()
    differences: tuple[Difference, ...] = ()
