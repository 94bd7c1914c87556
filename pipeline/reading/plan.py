"""Holds the study file against the data's headers, before any row is read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import UserError
from pipeline.reading.evaluate import check_types
from pipeline.reading.files import file_format, files_of_dataset
from pipeline.reading.formats import Extent, FileFormat, column_types, extents
from pipeline.study.conditions import Condition
from pipeline.study.sections import Dataset
from pipeline.study.study import Study

_RECORD_KEY = re.compile(r".*(SEQ|GRPID|REFID|SPID|LNKID|LNKGRP)|VISIT|VISITNUM")
"""Variables that IDVAR of a SUPP-- dataset may name (SDTM Implementation Guide 3.4, 8.4)."""


@dataclass(frozen=True)
class DatasetPlan:
    """What is read of one dataset, and how.

    Attributes:
        name: The dataset's name in the study file.
        format: How its files are written.
        files: Path and size in bytes of each file, in order.
        columns: Columns that are read, with the type that the study file wants of each.
        qualifiers: Columns that a supplemental dataset adds (QNAM), all text.
    """

    name: str
    format: FileFormat
    files: tuple[tuple[str, int], ...]
    columns: tuple[tuple[str, str], ...]
    qualifiers: tuple[str, ...]

    def extents(self) -> Iterator[Extent]:
        """The parts that workers read independently of each other."""
        for path, _ in self.files:
            yield from extents(path, self.format)


def plan_datasets(study: Study, data_root: str) -> dict[str, DatasetPlan]:
    """Finds every dataset's files and checks their columns and types.

    Args:
        study: The study.
        data_root: Folder that the study file's patterns are relative to.

    Returns:
        A plan for each dataset that the study file uses.

    Raises:
        UserError: A file or column is missing, or a condition, feature or date asks of a
            column what its type can't give.
    """
    plans = {
        name: _plan_dataset(study, name, dataset, data_root)
        for name, dataset in study.datasets.items()
    }
    _check_uses(study, plans)
    return plans


def _plan_dataset(study: Study, name: str, dataset: Dataset, data_root: str) -> DatasetPlan:
    files = files_of_dataset(data_root, name, dataset)
    described = file_format(dataset)
    has_supplement = bool(study.supplements_of(name))
    if study.subject.row_number and len(files) > 1:
        raise UserError(
            f"Dataset {name}: {dataset.file} matches {len(files)} files, but `subject.row_number` "
            "tells subjects apart in one file only. Name one file, or a column with the subject "
            "key (`subject.column`)."
        )
    used = study.columns_used(name)
    columns: dict[str, str] = {}
    qualifiers: tuple[str, ...] = ()
    for path, _ in files:
        found = column_types(path, described)
        absent = tuple(column for column in used if column not in found)
        if absent and not has_supplement:
            raise UserError(_missing_columns(name, path, used, absent, list(found)))
        qualifiers = absent
        present = [column for column in used if column in found]
        if has_supplement:
            present += [c for c in found if _RECORD_KEY.fullmatch(c) and c not in used]
        wanted = {column: _type(name, dataset, path, column, found[column]) for column in present}
        if columns and wanted != columns:
            raise UserError(
                f"{path}: its columns differ from those of {files[0][0]}; all files of dataset "
                f"{name} must have one layout."
            )
        columns = wanted
    return DatasetPlan(name, described, files, tuple(columns.items()), qualifiers)


def _type(name: str, dataset: Dataset, path: str, column: str, found: str) -> str:
    declared = dataset.columns[column].type if column in dataset.columns else None
    if declared == "number" and found in ("date", "datetime"):
        raise UserError(
            f"{path}: column {column} holds dates, but datasets.{name}.columns.{column}.type says "
            "number. Declare it as date, or leave `type` out."
        )
    return declared or found


def _missing_columns(
    name: str, path: str, named: Sequence[str], absent: tuple[str, ...], found: list[str]
) -> str:
    if not set(named) & set(found):
        # A file without a header has patients' values in its first line: it is not repeated.
        return (
            f"{path}: none of the {len(named)} columns that the study file uses for dataset "
            f"{name} is there, such as {absent[0]}. Expected a header with the columns' names in "
            "the first line, in the study file's format, delimiter and encoding: check that this "
            "is the right file."
        )
    hints = []
    for column in absent:
        near = difflib.get_close_matches(column, found, 1, cutoff=0.6)
        hints.append(f"{column} (did you mean {near[0]}?)" if near else column)
    return (
        f"{path}: no column {', '.join(hints)}, which the study file uses for dataset {name}. "
        f"The file has: {', '.join(found[:40])}{', ...' if len(found) > 40 else ''}."
    )


def _check_uses(study: Study, plans: dict[str, DatasetPlan]) -> None:
    types = {name: _types(plan) for name, plan in plans.items()}
    for where, dataset, condition in _conditions(study):
        check_types(condition, types[dataset], where)
    for where, dataset, column, kind in _typed_uses(study):
        if column:
            _expect(types[dataset], column, kind, where)


def _typed_uses(study: Study) -> Iterator[tuple[str, str, str | None, str]]:
    """Columns whose use asks for a type: place in the study file, dataset, column, type."""
    for feature in study.resolved_features:
        if feature.kind == "number":
            yield f"features.{feature.name}", feature.dataset, feature.column, "number"
    yield from _event_uses(study)
    for name, endpoint in study.analysis.time_to_event.items():
        place = endpoint.dataset or study.subject.dataset
        yield f"analysis.time_to_event.{name}.time", place, endpoint.time, "number"
    for name, dataset in study.datasets.items():
        for key in ("day", "end_day"):
            yield f"datasets.{name}.{key}", name, getattr(dataset, key), "number"
        for key in ("date", "end_date"):
            yield f"datasets.{name}.{key}", name, getattr(dataset, key), "date"
    yield from _subject_uses(study)


def _event_uses(study: Study) -> Iterator[tuple[str, str, str | None, str]]:
    for name, task in study.tasks.items():
        if task.event:
            yield f"tasks.{name}.event.day", task.event.dataset, task.event.day, "number"
            follow_up = task.event.follow_up
            if follow_up:
                where = f"tasks.{name}.event.follow_up"
                yield f"{where}.day", follow_up.dataset, follow_up.day, "number"
                yield f"{where}.date", follow_up.dataset, follow_up.date, "date"


def _subject_uses(study: Study) -> Iterator[tuple[str, str, str | None, str]]:
    subject = study.subject.dataset
    for key in ("reference_date", "birth_date", "exit_date"):
        yield f"subject.{key}", subject, getattr(study.subject, key), "date"
    yield "subject.exit_day", subject, study.subject.exit_day, "number"
    if study.window:
        yield "window.column", subject, study.window.column, "date"
    for name, group in study.slices.groups.items():
        if group.bands:
            yield f"slices.groups.{name}", subject, group.column, "number"


def _types(plan: DatasetPlan) -> dict[str, str]:
    return dict(plan.columns) | dict.fromkeys(plan.qualifiers, "text")


def _expect(types: dict[str, str], column: str, expected: str, where: str) -> None:
    # Text may hold ISO 8601 dates: it is read as dates wherever a date is asked for.
    allowed = ("date", "datetime", "text") if expected == "date" else (expected,)
    if types[column] not in allowed:
        raise UserError(
            f"{where}: column {column} holds {types[column]}, expected a {expected}. Name "
            "another column, or declare its type under the dataset's `columns`."
        )


def _conditions(study: Study) -> Iterator[tuple[str, str, Condition | None]]:
    subject = study.subject.dataset
    yield "population", subject, study.population
    for feature in study.resolved_features:
        yield f"features.{feature.name}.where", feature.dataset, feature.where
    for name, task in study.tasks.items():
        yield f"tasks.{name}.unknown_when", subject, task.unknown_when
        if task.event:
            yield f"tasks.{name}.event.where", task.event.dataset, task.event.where
            if task.event.follow_up:
                follow_up = task.event.follow_up
                yield f"tasks.{name}.event.follow_up", follow_up.dataset, follow_up.where
        if task.state:
            dataset = task.state.dataset or subject
            yield f"tasks.{name}.state.where", dataset, task.state.where
            yield f"tasks.{name}.state.positive", dataset, task.state.positive
    for name, endpoint in study.analysis.time_to_event.items():
        dataset = endpoint.dataset or subject
        yield f"analysis.time_to_event.{name}.where", dataset, endpoint.where
        yield f"analysis.time_to_event.{name}.event", dataset, endpoint.event
