"""What TrialSummary reads: datasets, their files and columns."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import UserError
from pipeline.reading.evaluate import check_types
from pipeline.reading.files import file_format, files_of_dataset
from pipeline.reading.formats import ColumnType, Extent, FileFormat, column_types, extents
from pipeline.study.conditions import Condition
from pipeline.study.sections import Dataset
from pipeline.study.study import Study

Kind = Literal["text", "number", "date"]


@dataclass(frozen=True)
class DatasetReads:
    """One dataset.

    Attributes:
        name: Its name in the study file.
        format: How its files are read.
        files: Path and size in bytes of each.
        columns: Columns to read, and as what.
        subject: Column of the subject key; None where it is the row's number.
        wanted: Rows that meet one of these are of use; all are, where there is none.
        qualifiers: Columns that come from supplemental datasets, all of them text.
    """

    name: str
    format: FileFormat
    files: tuple[tuple[str, int], ...]
    columns: tuple[tuple[str, Kind], ...]
    subject: str | None
    wanted: tuple[Condition, ...] = ()
    qualifiers: tuple[str, ...] = ()

    def extents(self) -> Iterator[Extent]:
        """Parts that can be read independently."""
        for path, _ in self.files:
            yield from extents(path, self.format)


@dataclass(frozen=True)
class _Use:
    """A column that is used, as what (None: as the file holds it), and where it says so."""

    dataset: str
    column: str
    kind: Kind | None
    where: str


def expected_columns(study: Study) -> dict[str, tuple[str, ...]]:
    """Columns by dataset of which every row should have a value.

    They are the features of the subject dataset with the date of enrolment, organ class and
    severity of adverse events, and what was measured at visits.
    """
    subject = study.subject.dataset
    features = [f.column for f in study.resolved_features if f.dataset == subject]
    found = {subject: [*features, enrolment_column(study)]}
    events = study.summary.adverse_events
    if events:
        found.setdefault(events.dataset, []).extend([events.category, events.severity])
    for visits in study.summary.endpoints.values():
        found.setdefault(visits.dataset, []).append(visits.value)
    return {
        dataset: tuple(dict.fromkeys(column for column in columns if column))
        for dataset, columns in found.items()
    }


def enrolment_column(study: Study) -> str | None:
    """Column with the date of enrolment: the summary's, or the reference date."""
    return study.summary.enrolment or study.subject.reference_date


def enrolled_condition(study: Study) -> Condition | None:
    """Who was enrolled."""
    return study.summary.population or study.population


def plan_summary(study: Study, data_root: str) -> dict[str, DatasetReads]:
    """Plans what is read, and checks that it is there.

    Args:
        study: The study.
        data_root: Folder of its data.

    Returns:
        The subject dataset and those with many rows a subject, by name.

    Raises:
        UserError: A file or a column is not there, or holds what it can't be used as.
    """
    conditions = list(_conditions(study))
    uses = [*_uses(study), *_condition_uses(conditions)]
    # Without a column of its own the subject dataset still says who there is.
    names = dict.fromkeys([study.subject.dataset, *(use.dataset for use in uses)])
    reads: dict[str, DatasetReads] = {}
    for name in names:
        of_dataset = [use for use in uses if use.dataset == name]
        reads[name] = _plan_dataset(study, name, of_dataset, data_root)
        for supplement in study.supplements_of(name) if reads[name].qualifiers else ():
            where = f"datasets.{supplement}.supplements"
            pair = [_Use(supplement, column, "text", where) for column in ("QNAM", "QVAL")]
            reads[supplement] = _plan_dataset(study, supplement, pair, data_root)
    for where, dataset, condition in conditions:
        types = dict(reads[dataset].columns) | dict.fromkeys(reads[dataset].qualifiers, "text")
        check_types(condition, dict(types), where)
    return reads


def _uses(study: Study) -> Iterator[_Use]:
    subject = study.subject.dataset
    for dataset, columns in expected_columns(study).items():
        yield from (_Use(dataset, column, None, "features") for column in columns)
    for column in study.arm.columns if study.arm else ():
        yield _Use(subject, column, None, "arm.columns")
    if study.site:
        yield _Use(subject, study.site.column, None, "site.column")
    enrolment = enrolment_column(study)
    if enrolment:
        yield _Use(subject, enrolment, "date", "summary.enrolment")
    for what, column in study.summary.exposure.items():
        yield _Use(subject, column, "number", f"summary.exposure.{what}")
    yield from _row_uses(study)


def _row_uses(study: Study) -> Iterator[_Use]:
    summary = study.summary
    if summary.disposition:
        dataset = summary.disposition.dataset or study.subject.dataset
        yield _Use(dataset, summary.disposition.column, None, "summary.disposition.column")
    events = summary.adverse_events
    if events and events.category:
        yield _Use(events.dataset, events.category, None, "summary.adverse_events.category")
    if events and events.severity:
        yield _Use(events.dataset, events.severity, None, "summary.adverse_events.severity")
    for name, visits in summary.endpoints.items():
        where = f"summary.endpoints.{name}"
        yield _Use(visits.dataset, visits.value, "number", f"{where}.value")
        yield _Use(visits.dataset, visits.visit, None, f"{where}.visit")
        if visits.order:
            yield _Use(visits.dataset, visits.order, "number", f"{where}.order")


def _conditions(study: Study) -> Iterator[tuple[str, str, Condition]]:
    summary, subject = study.summary, study.subject.dataset
    place = "summary.population" if summary.population else "population"
    found = [
        (place, subject, enrolled_condition(study)),
        ("summary.safety", subject, summary.safety),
    ]
    if summary.disposition:
        dataset = summary.disposition.dataset or subject
        found.append(("summary.disposition.where", dataset, summary.disposition.where))
    if summary.adverse_events:
        events = summary.adverse_events
        found.append(("summary.adverse_events.where", events.dataset, events.where))
    for name, visits in summary.endpoints.items():
        found.append((f"summary.endpoints.{name}.where", visits.dataset, visits.where))
    for where, dataset, condition in found:
        if condition:
            yield where, dataset, condition


def _condition_uses(conditions: list[tuple[str, str, Condition]]) -> Iterator[_Use]:
    for where, dataset, condition in conditions:
        yield from (_Use(dataset, column, None, where) for column in condition.columns())


def _plan_dataset(study: Study, name: str, uses: list[_Use], data_root: str) -> DatasetReads:
    described = study.datasets[name]
    files = files_of_dataset(data_root, name, described)
    key = study.subject_column(name)
    reading = file_format(described)
    has_supplement = name == study.subject.dataset and bool(study.supplements_of(name))
    kinds: dict[str, Kind] = {}
    qualifiers: dict[str, None] = {}
    for path, _ in files:
        found = column_types(path, reading)
        if key and key not in found:
            raise _no_column(path, key, list(found), f"the subject key of dataset {name}")
        for use in uses:
            if use.column in found:
                wanted = _kind(described, path, use, found[use.column])
                kinds[use.column] = _narrower(kinds.get(use.column), wanted)
            elif has_supplement and use.kind != "number":
                qualifiers[use.column] = None
            else:
                raise _no_column(path, use.column, list(found), f"`{use.where}`")
    return DatasetReads(
        name=name,
        format=reading,
        files=files,
        columns=tuple(kinds.items()),
        subject=key,
        wanted=_wanted_rows(study, name),
        qualifiers=tuple(qualifiers),
    )


def _kind(described: Dataset, path: str, use: _Use, in_file: ColumnType) -> Kind:
    declared = described.columns[use.column].type if use.column in described.columns else None
    kind = declared or in_file
    held: Kind = "date" if kind == "datetime" else kind
    # Text may hold ISO 8601 dates: it is read as dates where a date is asked for.
    allowed = ("date", "text") if use.kind == "date" else (use.kind,)
    if use.kind and held not in allowed:
        raise UserError(
            f"{path}: column {use.column} holds {kind}, but `{use.where}` needs a {use.kind}. "
            f"Name another column, or declare datasets.{use.dataset}.columns.{use.column}.type."
        )
    return use.kind or held


def _narrower(one: Kind | None, other: Kind) -> Kind:
    """What a column with two uses is read as: text of a date is a date."""
    return "date" if "date" in (one, other) else other


def _no_column(path: str, column: str, found: list[str], needed: str) -> UserError:
    near = difflib.get_close_matches(column, found, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return UserError(
        f"{path}: no column {column}{hint}, which is {needed} in the study file. Name another "
        f"column, or leave it out. The file has: {', '.join(found[:40])}"
        f"{', ...' if len(found) > 40 else ''}."
    )


def _wanted_rows(study: Study, dataset: str) -> tuple[Condition, ...]:
    """Conditions one of which a row of use meets; none where every row is of use."""
    if dataset == study.subject.dataset or study.datasets[dataset].supplements:
        return ()
    summary = study.summary
    uses = [*summary.endpoints.values(), summary.adverse_events, summary.disposition]
    conditions = [use.where for use in uses if use and use.dataset == dataset]
    return () if None in conditions else tuple(c for c in conditions if c is not None)
