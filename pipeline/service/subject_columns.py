"""Columns of the subject dataset that tell a subject's groups and whether it is of the trial."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline.names import ARM, SITE
from pipeline.reading.evaluate import compares_with_numbers
from pipeline.reading.groups import ARM_SEPARATOR
from pipeline.study.sections import Slicing
from pipeline.study.study import Study

POPULATION = "population"
LANDMARK = "landmark"


@dataclass(frozen=True)
class SubjectColumn:
    """A column of the subject dataset.

    Attributes:
        name: Its name in the dataset.
        kind: As what it is used.
        source: The column of a request that has it: one that the model reads, or one of its own.
        used_for: `population`, `landmark`, and `groups by <slicing>`.
    """

    name: str
    kind: Literal["number", "category", "date"]
    source: str
    used_for: tuple[str, ...]


def subject_columns(study: Study, read: Collection[str]) -> tuple[SubjectColumn, ...]:
    """The columns that slicings, `population` and the landmark of a study are of.

    Args:
        study: The study.
        read: Columns that the model reads.
    """
    uses = dict[str, list[str]]()
    for name, use in _uses(study):
        uses.setdefault(name, []).append(use)
    sources = dict(_read_as(study, read))
    dates = {slicing.date for slicing in study.slicing.by.values()}
    dates |= {study.subject.exit_date}
    if study.subject.exit_date:
        dates |= {study.subject.reference_date}
    return tuple(
        SubjectColumn(
            name=name,
            kind="date" if name in dates else "number" if _is_number(study, name) else "category",
            source=sources.get(name) or _own_name(study, name, read),
            used_for=tuple(dict.fromkeys(used)),
        )
        for name, used in uses.items()
    )


def column_of(study: Study, slicing: Slicing) -> str | None:
    """Column of the subject dataset that a slicing is of; None where it is of the arm."""
    if slicing.of == ARM:
        return None
    if slicing.of == SITE:
        return study.site.column if study.site else None
    return slicing.column or slicing.date


def columns_of_arm(study: Study, arm: str) -> dict[str, str] | None:
    """Columns of the model that say the same as an arm: the arm, and features of its columns.

    Args:
        study: The study.
        arm: Name of the arm.

    Returns:
        Values by column; None where the name can't be taken apart into those of its columns.
    """
    columns = study.arm.columns if study.arm else ()
    features = {
        feature.name: feature.column
        for feature in study.resolved_features
        if feature.dataset == study.subject.dataset
        and feature.aggregate is None
        and feature.column in columns
    }
    parts = arm.split(ARM_SEPARATOR) if len(columns) > 1 else [arm]
    if features and len(parts) != len(columns):
        return None
    values = dict(zip(columns, parts, strict=False))
    return {ARM: arm, **{name: values[str(column)] for name, column in features.items()}}


def _uses(study: Study) -> Iterator[tuple[str, str]]:
    for name, slicing in study.slicing.by.items():
        if column := column_of(study, slicing):
            yield column, f"groups by {name}"
    for column in study.population.columns() if study.population else ():
        yield column, POPULATION
    for column in landmark_columns(study):
        yield column, LANDMARK


def landmark_columns(study: Study) -> tuple[str, ...]:
    """Columns that say whether a subject left by the landmark; none where the study has none."""
    subject = study.subject
    if subject.exit_day:
        return (subject.exit_day,)
    if subject.exit_date and subject.reference_date:
        return (subject.exit_date, subject.reference_date)
    return ()


def _read_as(study: Study, read: Collection[str]) -> Iterator[tuple[str, str]]:
    """Columns of the subject dataset that the model reads as they are, and by which name."""
    if study.site and SITE in read:
        yield study.site.column, SITE
    if study.arm and len(study.arm.columns) == 1:
        yield study.arm.columns[0], ARM
    for feature in study.resolved_features:
        if feature.dataset == study.subject.dataset and feature.aggregate is None:
            yield str(feature.column), feature.name


def _own_name(study: Study, column: str, read: Collection[str]) -> str:
    """Name of a column that the model does not read; no feature's name has a point."""
    return f"{study.subject.dataset}.{column}" if column in read else column


def _is_number(study: Study, column: str) -> bool:
    declared = study.datasets[study.subject.dataset].columns.get(column)
    is_banded = any(s.column == column and s.bands for s in study.slicing.by.values())
    is_compared = study.population is not None and compares_with_numbers(study.population, column)
    is_day = column == study.subject.exit_day
    return is_banded or is_compared or is_day or bool(declared and declared.type == "number")
