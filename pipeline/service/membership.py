"""In which groups a subject is, and whether it would have been in the trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.names import ARM, SITE, slice_key
from pipeline.reading.days import LATEST, date_range, dates_of
from pipeline.reading.evaluate import evaluate
from pipeline.reading.exits import left_by_landmark
from pipeline.reading.groups import site_names, slice_columns
from pipeline.reading.text import as_text
from pipeline.reading.unreadable import UNREADABLE
from pipeline.results.scoring import LEFT_BY_LANDMARK, OUTSIDE_POPULATION
from pipeline.service.subject_columns import (
    LANDMARK,
    POPULATION,
    SubjectColumn,
    column_of,
    landmark_columns,
)
from pipeline.skew.flags import Flag
from pipeline.study.study import Study


@dataclass(frozen=True)
class Given:
    """Values of a column of a request.

    Attributes:
        values: float64 or strings, null where missing, `[n]`.
        present: Whether the request has the column, also as a missing value; boolean `[n]`.
    """

    values: pa.Array
    present: NDArray[np.bool_]


@dataclass(frozen=True)
class Membership:
    """Groups of n subjects, and whether the trial would have had them.

    Attributes:
        slices: Value of each subject by slicing, `""` where it is not known, strings `[n]`.
        flags: Who is outside of the population, and who left by the landmark; booleans `[n]`.
        unknown: Of whom it is unknown whether they meet `population`, and whether they left by the
            landmark; booleans `[n]`.
    """

    slices: Mapping[str, NDArray[np.object_]]
    flags: tuple[tuple[Flag, NDArray[np.bool_]], ...]
    unknown: Mapping[str, NDArray[np.bool_]]


def membership(
    study: Study, columns: tuple[SubjectColumn, ...], given: Mapping[str, Given], n: int
) -> Membership:
    """Finds groups and membership as a batch scoring does, by the same functions.

    A column that a request does not have is unknown; one that it has without a value is missing, as
    in the data.

    Args:
        study: The study.
        columns: Columns of the subject dataset that these are found by.
        given: Columns of the request by name.
        n: Number of subjects.
    """
    table = pa.table(dict(_table_columns(columns, given, n)))
    present = {column.name: given[column.source].present for column in columns}
    outside, undecided = _outside(study, table, present, n)
    left, not_told = _left(study, table, present, n)
    return Membership(
        slices=_slices(study, table, given, present),
        flags=(((OUTSIDE_POPULATION, None), outside), ((LEFT_BY_LANDMARK, None), left)),
        unknown={POPULATION: undecided, LANDMARK: not_told},
    )


def _table_columns(
    columns: tuple[SubjectColumn, ...], given: Mapping[str, Given], n: int
) -> Iterator[tuple[str, pa.Array]]:
    """The subjects' own rows, as the readers of the data lay them out."""
    for column in columns:
        values = given[column.source].values
        if column.kind == "date":
            dates, _ = dates_of(values)
            yield column.name, pa.array(dates.earliest, from_pandas=True)
            yield column.name + LATEST, pa.array(dates.latest, from_pandas=True)
        elif column.kind == "number":
            yield column.name, _numbers(values)
        else:
            yield column.name, as_text(values)
    # A table without a column would have no rows.
    yield "", pa.nulls(n)


def _numbers(values: pa.Array) -> pa.Array:
    if not pa.types.is_string(values.type):
        return values
    return pa.array([_number(text) for text in values.to_pylist()], pa.float64())


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _slices(
    study: Study,
    table: pa.Table,
    given: Mapping[str, Given],
    present: Mapping[str, NDArray[np.bool_]],
) -> dict[str, NDArray[np.object_]]:
    groups: dict[str, pa.Array] = {}
    if ARM in given:
        groups[ARM] = given[ARM].values
    if study.site and study.site.column in table.column_names:
        groups[SITE] = site_names(study.site, table)
    found = slice_columns(study.slicing.by, table, groups)
    slices = {}
    for name, slicing in study.slicing.by.items():
        values = np.array(found[slice_key(name)].to_pylist(), object)
        column = column_of(study, slicing)
        slices[name] = values if column is None else np.where(present[column], values, "")
    return slices


def _outside(
    study: Study, table: pa.Table, present: Mapping[str, NDArray[np.bool_]], n: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who does not meet `population`, and of whom that is unknown: a column is not given."""
    if study.population is None:
        return np.zeros(n, bool), np.zeros(n, bool)
    # Whether a column that is not given has a value is not known either.
    for column in {*study.population.columns()}:
        table = table.append_column(f"{column}{UNREADABLE}", pa.array(~present[column]))
    met = evaluate(study.population, table)
    told = ~np.array(pc.is_null(met).to_numpy(), bool)
    told |= np.all([present[column] for column in study.population.columns()], axis=0)
    return told & ~np.array(pc.fill_null(met, False).to_numpy(), bool), ~told


def _left(
    study: Study, table: pa.Table, present: Mapping[str, NDArray[np.bool_]], n: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who left by the landmark, and of whom that is unknown."""
    columns = landmark_columns(study)
    if not columns:
        return np.zeros(n, bool), np.zeros(n, bool)
    told = np.all([present[column] for column in columns], axis=0)
    return left_by_landmark(study, table, _reference(study, table)) & told, ~told


def _reference(study: Study, table: pa.Table) -> NDArray[Any]:
    """First study day of each subject; from a partial date no day can be counted."""
    column = study.subject.reference_date
    if not study.subject.exit_date or column is None:
        return np.full(len(table), np.nan)
    dates = date_range(table, column)
    return np.where(dates.earliest == dates.latest, dates.earliest, np.nan)
