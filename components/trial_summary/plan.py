"""What TrialSummary reads: datasets, their files and columns."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.conditions import Condition
from pipeline.errors import UserError
from pipeline.reading.evaluate import check_types
from pipeline.reading.files import file_format, find_files
from pipeline.reading.readers import Extent, FileFormat, column_types, extents
from pipeline.study import Study


@dataclass(frozen=True)
class DatasetReads:
    """One dataset.

    Attributes:
        name: Its name in the study file.
        format: How its files are read.
        files: Path and size in bytes of each.
        columns: Columns to read.
        subject: Column of the subject key; None where it is the row's number.
        dates: Those of the columns that are dates.
        qualifiers: Columns that come from the supplemental dataset.
    """

    name: str
    format: FileFormat
    files: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    subject: str | None
    dates: frozenset[str]
    qualifiers: tuple[str, ...] = ()

    def extents(self) -> Iterator[Extent]:
        """Parts that can be read independently."""
        for path, _ in self.files:
            yield from extents(path, self.format)


def completeness_columns(study: Study) -> tuple[str, ...]:
    """Columns of the subject dataset that are features."""
    subject = study.subject.dataset
    features = study.resolved_features
    columns = (f.column for f in features if f.dataset == subject and f.aggregate is None)
    return tuple(dict.fromkeys(column for column in columns if column))


def plan_summary(study: Study, data_root: str) -> tuple[DatasetReads, ...]:
    """Plans what is read, and checks that it is there.

    Args:
        study: The study.
        data_root: Folder of its data.

    Returns:
        The subject dataset, then those with many rows a subject.

    Raises:
        UserError: A file or a column is not there, or a condition does not fit its column.
    """
    columns = _columns(study)
    enrolment = enrolment_column(study)
    subject = study.subject.dataset
    reads = []
    for name in list(columns):
        dates = frozenset({enrolment} if name == subject and enrolment else ())
        reads.append(_dataset(study, name, tuple(columns[name]), dates, data_root))
        supplement = supplement_of(study, name)
        if reads[-1].qualifiers and supplement:
            names = ("QNAM", "QVAL")
            reads.append(_dataset(study, supplement, names, frozenset(), data_root))
    _check_conditions(study, {item.name: item for item in reads})
    return tuple(reads)


def enrolment_column(study: Study) -> str | None:
    """Column with the date of enrolment: the summary's, or the reference date."""
    return study.summary.enrolment or study.subject.reference_date


def supplement_of(study: Study, dataset: str) -> str | None:
    """The dataset of supplemental qualifiers (SUPP--) of a dataset, if there is one."""
    found = (name for name, other in study.datasets.items() if other.supplements == dataset)
    return next(found, None)


def _columns(study: Study) -> dict[str, dict[str, None]]:
    """Columns by dataset, in order and without repetition."""
    subject = study.subject.dataset
    found: dict[str, dict[str, None]] = {subject: {}}

    def use(dataset: str, *columns: str | None) -> None:
        found.setdefault(dataset, {}).update(dict.fromkeys(c for c in columns if c))

    summary = study.summary
    use(subject, enrolment_column(study), *completeness_columns(study))
    use(subject, *(study.arm.columns if study.arm else ()))
    use(subject, study.site.column if study.site else None)
    use(subject, *_condition_columns(study.population))
    use(subject, summary.disposition.column if summary.disposition else None)
    use(subject, *summary.exposure.values())
    events = summary.adverse_events
    if events:
        use(events.dataset, events.category, events.severity, *_condition_columns(events.where))
    for visits in summary.endpoints.values():
        use(visits.dataset, visits.value, visits.visit, visits.order)
        use(visits.dataset, *_condition_columns(visits.where))
    return found


def _condition_columns(condition: Condition | None) -> tuple[str, ...]:
    return tuple(condition.columns()) if condition else ()


def _dataset(
    study: Study, name: str, columns: tuple[str, ...], dates: frozenset[str], data_root: str
) -> DatasetReads:
    described = study.datasets[name]
    files = find_files(data_root, described.file)
    if not files:
        raise UserError(
            f"Dataset {name}: no file {described.file} in {data_root}. Check the data folder and "
            f"`datasets.{name}.file` of the study file."
        )
    key = study.subject_column(name)
    wanted = tuple(dict.fromkeys([*columns, *([key] if key else [])]))
    reading = file_format(described)
    qualifiers: tuple[str, ...] = ()
    for path, _ in files:
        found = list(column_types(path, reading))
        if name == study.subject.dataset and supplement_of(study, name):
            qualifiers = tuple(column for column in wanted if column not in found)
        present = tuple(column for column in wanted if column not in qualifiers)
        _check_columns(name, path, present, found)
    present = tuple(column for column in wanted if column not in qualifiers)
    return DatasetReads(name, reading, files, present, key, dates, qualifiers)


def _check_columns(name: str, path: str, wanted: tuple[str, ...], found: list[str]) -> None:
    absent = [column for column in wanted if column not in found]
    if not absent:
        return
    hints = []
    for column in absent:
        near = difflib.get_close_matches(column, found, 1)
        hints.append(f"{column} (did you mean {near[0]}?)" if near else column)
    raise UserError(
        f"{path}: no column {', '.join(hints)}, which the study file's `summary` uses for dataset "
        f"{name}. Name another column, or leave that part of `summary` out."
    )


def _check_conditions(study: Study, reads: dict[str, DatasetReads]) -> None:
    events = study.summary.adverse_events
    conditions = [("population", study.subject.dataset, study.population)]
    if events:
        conditions.append(("summary.adverse_events.where", events.dataset, events.where))
    for name, visits in study.summary.endpoints.items():
        conditions.append((f"summary.endpoints.{name}.where", visits.dataset, visits.where))
    for where, dataset, condition in conditions:
        path = reads[dataset].files[0][0]
        types = column_types(path, reads[dataset].format)
        declared = study.datasets[dataset].columns
        kinds = {
            column: (declared[column].type if column in declared else None) or str(kind)
            for column, kind in types.items()
        }
        kinds |= dict.fromkeys(reads[dataset].qualifiers, "text")
        check_types(condition, kinds, where)
