"""What is read of the data, and as what: the one plan of every stage that reads them.

A stage names its uses of columns (`Study.references()`, filtered by role); files, types, dates,
qualifiers, wanted rows and what rejects a row follow here, before any row is read, and are the same
for all stages:

- **Whether a row is rejected** is decided by the columns that the examples are made from, in every
  stage. A subject whose own row TrialExampleGen rejects is no subject of TrialSummary either, and a
  rejected adverse event is not counted. What the summary alone reads (`summary` of the study file)
  rejects no row, so that it changes nothing of the training: a value that can't be is missing.
- **Qualifiers** are the columns that a file lacks and its SUPP-- datasets may have.

TrialExampleGen and TrialSummary each read the files themselves, after the fingerprint read their
bytes; they do not share one pass. The fingerprint is the key of TFX's cache and has to be known
before anything runs. The other two are components with caches of their own, on Kubeflow in
containers of their own: a changed `summary` must not make new examples, nor train again. To share
the rows one stage would have to hand the typed rows of all datasets to the other as an artifact,
which is a second copy of the subjects' data at rest, written and read at the cost of reading the
files; and the two read different columns of partly different files. `docs/measurements.md` has what
each of the three passes takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from pipeline.errors import UserError
from pipeline.names import OUTCOMES, SCORING, RunKind
from pipeline.reading.column_uses import (
    counts_dates,
    expect_type,
    helpful_columns,
    kinds_of,
    named_columns,
)
from pipeline.reading.date_uses import check_dates
from pipeline.reading.evaluate import check_types, compares_with_numbers
from pipeline.reading.files import file_format, files_of_dataset
from pipeline.reading.formats import (
    ColumnType,
    Extent,
    FileFormat,
    StoredType,
    extents,
    stored_types,
)
from pipeline.reading.landmark_order import check_orders
from pipeline.reading.missing_columns import missing_columns
from pipeline.reading.stored import resolve_type
from pipeline.reading.uses import (
    OF_USE,
    example_uses,
    hidden_uses,
    outcome_uses,
    scoring_uses,
    summary_uses,
)
from pipeline.study.conditions import Condition
from pipeline.study.levels import NamedLevels, named_levels, summary_levels
from pipeline.study.references import (
    RECORD_KEY,
    Kind,
    Reference,
    conditions,
)
from pipeline.study.sections import Dataset, Window
from pipeline.study.study import Study

_DOMAIN_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]")
_SEQUENCE = re.compile(r"([A-Z][A-Z0-9])SEQ")
_SUPPLEMENT = re.compile(r"supp([a-z][a-z0-9])", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnPlan:
    """What is read of one column.

    Attributes:
        name: The column.
        type: What its file holds, or the study file declares.
        kind: What it is read as; a date becomes the two days between which it lies.
        rejects: Whether a value that can't be rejects its row; otherwise it is missing.
        dates_are_numbers: Whether it holds dates as numbers, counted as the study file
            declares.
        has_moments: Whether the text of a date is kept beside it, for its time of day.
    """

    name: str
    type: ColumnType
    kind: Kind
    rejects: bool
    dates_are_numbers: bool = False
    has_moments: bool = False

    @property
    def is_dated(self) -> bool:
        """Whether it is read as dates.

        Examples:
            >>> ColumnPlan("DTHDTC", "text", "date", rejects=True).is_dated
            True
        """
        return self.kind == "date"


@dataclass(frozen=True)
class DatasetPlan:
    """What is read of one dataset, and how.

    Attributes:
        name: The dataset's name in the study file.
        format: How its files are written.
        files: Path and size in bytes of each file, in order.
        columns: Columns that are read.
        qualifiers: Columns that a supplemental dataset adds (QNAM), all text.
        record_keys: Columns by which a qualifier's IDVAR may name a record.
        domains: Domains (SDTM) that the dataset may be of, in capitals, as far as its name and its
            columns show.
        is_domain_declared: Whether the study file says the domain.
        wanted: Conditions of which a row must meet one, or may meet one, to be of use; None: every
            row is.
        levels: Values that the study file names of its columns, and that rows should have.
    """

    name: str
    format: FileFormat
    files: tuple[tuple[str, int], ...]
    columns: tuple[ColumnPlan, ...]
    qualifiers: tuple[str, ...] = ()
    record_keys: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    is_domain_declared: bool = False
    wanted: tuple[Condition, ...] | None = None
    levels: tuple[NamedLevels, ...] = ()

    @property
    def names(self) -> list[str]:
        """The columns to read, in order."""
        return [column.name for column in self.columns]

    @property
    def types(self) -> dict[str, str]:
        """Type of each column, the qualifiers' included."""
        types: dict[str, str] = {column.name: column.type for column in self.columns}
        return types | dict.fromkeys(self.qualifiers, "text")

    @property
    def checked_dates(self) -> list[str]:
        """Columns of dates that may reject a row, in alphabetical order."""
        return sorted(c.name for c in self.columns if c.kind == "date" and c.rejects)

    def extents(self) -> Iterator[Extent]:
        """The parts that workers read independently of each other."""
        for path, _ in self.files:
            yield from extents(path, self.format)


@dataclass(frozen=True)
class ReadingPlan:
    """What one stage reads.

    Attributes:
        study: The study.
        datasets: A plan of each dataset that is read.
        population: Condition of the population; all subjects, if None.
        window: When subjects must have come in, if that matters.
    """

    study: Study
    datasets: dict[str, DatasetPlan]
    population: Condition | None = None
    window: Window | None = None

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(size for plan in self.datasets.values() for _, size in plan.files)


@dataclass
class _Headers:
    """The files of datasets and their columns, each file's header read once."""

    data_root: str
    snapshot: str
    found: dict[tuple[str, FileFormat], dict[str, StoredType]] = field(default_factory=dict)

    def of(self, path: str, described: FileFormat) -> dict[str, StoredType]:
        if (path, described) not in self.found:
            self.found[path, described] = stored_types(path, described)
        return self.found[path, described]

    def files(self, name: str, dataset: Dataset) -> tuple[tuple[str, int], ...]:
        return files_of_dataset(self.data_root, name, dataset, self.snapshot)


def plan_examples(study: Study, data_root: str, snapshot: str = "") -> ReadingPlan:
    """Plans what TrialExampleGen reads.

    Args:
        study: The study.
        data_root: Folder that the study file's patterns are relative to.
        snapshot: Folder of the snapshot of the study's database, if it has one.

    Returns:
        The plan, with every dataset of the study.

    Raises:
        UserError: A file or column is missing, or a condition, feature or date asks of a
            column what its type can't give.
    """
    return _plan_examples(study, _Headers(data_root, snapshot))


def plan_summary(study: Study, data_root: str, snapshot: str = "") -> ReadingPlan:
    """Plans what TrialSummary reads; see `plan_examples`.

    Returns:
        The plan, with the subject dataset and those that `summary` names.
    """
    return _plan_summary(study, _Headers(data_root, snapshot))


def plan_scoring(study: Study, data_root: str, snapshot: str = "") -> ReadingPlan:
    """Plans what is read of subjects to be scored; see `plan_examples`.

    Nothing that decides an outcome is read, so neither its columns nor its datasets need to be
    there. Columns that are not features but of use (the end of a subject's observation, groups by
    which the model answers prediction sets) are read where there are some.

    Returns:
        The plan, with the subject dataset and those that features are made from. It has neither
        population nor window: who would not have been in the trial is flagged, not left out.
    """
    headers = _Headers(data_root, snapshot)
    uses = scoring_uses(study)
    name = study.subject.dataset
    dataset = study.datasets[name]
    files = headers.files(name, dataset)
    found = headers.of(files[0][0], file_format(dataset))
    uses += [
        use
        for use in study.references()
        if use.role in OF_USE and use.column in found and use not in uses
    ]
    planner = _Planner(study, headers, uses, (), deciding=uses)
    plans = planner.plans()
    planner.check(plans)
    return ReadingPlan(study, plans)


def plan_outcomes(study: Study, data_root: str, snapshot: str = "") -> ReadingPlan:
    """Plans what is read of a later data cut for the outcomes; see `plan_examples`.

    Returns:
        The plan, with the subject dataset and those that labels and their weights are made from. It
        has no window: subjects come in after that of the training.
    """
    uses = outcome_uses(study)
    planner = _Planner(study, _Headers(data_root, snapshot), uses, (), deciding=uses)
    plans = planner.plans()
    planner.check(plans)
    return ReadingPlan(study, plans, study.population)


def checked_datasets(
    study: Study, data_root: str, kind: RunKind, snapshot: str = ""
) -> tuple[str, ...]:
    """Checks what a run reads, before anything runs.

    Args:
        study: The study.
        data_root: Folder of its data.
        kind: What the run does.
        snapshot: Folder of the snapshot of its database, if it has one.

    Returns:
        Names of the datasets that it reads.

    Raises:
        UserError: As `plan_examples`.
    """
    if kind == SCORING:
        return tuple(plan_scoring(study, data_root, snapshot).datasets)
    if kind == OUTCOMES:
        return tuple(plan_outcomes(study, data_root, snapshot).datasets)
    check_data(study, data_root, snapshot)
    return tuple(study.datasets)


def check_data(study: Study, data_root: str, snapshot: str = "") -> None:
    """Checks files, columns and types for all stages, before anything runs.

    Args:
        study: The study.
        data_root: Folder of its data.
        snapshot: Folder of the snapshot of its database, if it has one.

    Raises:
        UserError: As `plan_examples`.
    """
    headers = _Headers(data_root, snapshot)
    _plan_examples(study, headers)
    _plan_summary(study, headers)


def _plan_examples(study: Study, headers: _Headers) -> ReadingPlan:
    uses = [*example_uses(study), *hidden_uses(study)]
    planner = _Planner(study, headers, uses, named_levels(study))
    plans = {name: planner.plan(name) for name in study.datasets}
    planner.check(plans)
    return ReadingPlan(study, plans, study.population, study.window)


def _plan_summary(study: Study, headers: _Headers) -> ReadingPlan:
    planner = _Planner(study, headers, summary_uses(study), summary_levels(study))
    plans = planner.plans()
    planner.check(plans)
    return ReadingPlan(study, plans, study.summary.population or study.population)


class _Planner:
    """Plans the datasets of one stage."""

    def __init__(
        self,
        study: Study,
        headers: _Headers,
        uses: Sequence[Reference],
        levels: Iterable[NamedLevels],
        deciding: Sequence[Reference] | None = None,
    ) -> None:
        self.uses = uses
        self._levels = tuple(levels)
        self._study = study
        self._headers = headers
        self._deciding = example_uses(study) if deciding is None else deciding

    def plans(self) -> dict[str, DatasetPlan]:
        """Plans of the datasets that are used, and of those that complete them."""
        study = self._study
        # Without a column of its own the subject dataset still says who there is.
        names = dict.fromkeys([study.subject.dataset, *(use.dataset for use in self.uses)])
        plans: dict[str, DatasetPlan] = {}
        for name in names:
            plans[name] = self.plan(name)
            for supplement in study.supplements_of(name) if plans[name].qualifiers else ():
                plans[supplement] = self.plan(supplement)
        return plans

    def plan(self, name: str) -> DatasetPlan:
        """Plans one dataset."""
        dataset = self._study.datasets[name]
        described = file_format(dataset)
        files = self._headers.files(name, dataset)
        if self._study.subject.row_number and len(files) > 1:
            raise UserError(
                f"Dataset {name}: {dataset.file} matches {len(files)} files, but "
                "`subject.row_number` distinguishes subjects in one file only. Name one file, or a "
                "column with the subject key (`subject.column`)."
            )
        columns = self._columns(name, dataset, [path for path, _ in files])
        found = [column.name for column in columns]
        return DatasetPlan(
            name=name,
            format=described,
            files=files,
            columns=columns,
            qualifiers=tuple(c for c in named_columns(self.uses, name) if c not in found),
            record_keys=self._record_keys(name, found),
            domains=self._domains(name, dataset, found),
            is_domain_declared=dataset.domain is not None,
            wanted=self._wanted(name),
            levels=tuple(named for named in self._levels if named.dataset == name),
        )

    def check(self, plans: dict[str, DatasetPlan]) -> None:
        """Refuses what the columns' types can't give."""
        types = {name: plan.types for name, plan in plans.items()}
        dated = {(name, c.name) for name, plan in plans.items() for c in plan.columns if c.is_dated}
        for where, dataset, condition in conditions(self.uses):
            # Text that is read as dates is no text for a condition.
            read = {c: "date" if (dataset, c) in dated else t for c, t in types[dataset].items()}
            check_types(condition, read, where)
        for use in self.uses:
            if use.column:
                expect_type(types[use.dataset][use.column], use)
                check_dates(use, (use.dataset, use.column) in dated, plans[use.dataset].qualifiers)
        paths = {name: plan.files[0][0] for name, plan in plans.items()}
        check_orders(self._study, self.uses, types, paths)

    def _columns(self, name: str, dataset: Dataset, paths: list[str]) -> tuple[ColumnPlan, ...]:
        stored = {path: self._stored(name, dataset, path) for path in paths}
        first = stored[paths[0]]
        for path, columns in stored.items():
            if set(columns) != set(first):
                raise UserError(
                    f"{path}: its columns differ from those of {paths[0]}; all files of dataset "
                    f"{name} must have one layout."
                )
        return tuple(
            self._column(name, dataset, column, {path: stored[path][column] for path in paths})
            for column in first
        )

    def _stored(self, name: str, dataset: Dataset, path: str) -> dict[str, StoredType]:
        """How a file holds the columns that are read of it."""
        found = self._headers.of(path, file_format(dataset))
        uses = [use for use in (*self._deciding, *self.uses) if use.dataset == name and use.column]
        used = named_columns(uses, name)
        has_supplement = bool(self._study.supplements_of(name))
        absent = [column for column in used if column not in found]
        if absent and not has_supplement:
            raise UserError(missing_columns(name, path, uses, list(found)))
        used = [column for column in used if column in found]
        used += [c for c in helpful_columns(dataset, has_supplement, found) if c not in used]
        return {column: found[column] for column in used}

    def _column(
        self, name: str, dataset: Dataset, column: str, stored: dict[str, StoredType]
    ) -> ColumnPlan:
        deciding = kinds_of(self._deciding, name, column)
        kinds = {*deciding, *kinds_of(self.uses, name, column)}
        type_ = resolve_type(name, dataset, column, stored) or self._asked(name, column)
        kind: Kind = "text"
        if "text" not in kinds:
            # Text may hold ISO 8601 dates: it is read as dates wherever a date is asked for.
            kind = "date" if "date" in kinds else "number" if type_ == "number" else "text"
        rejects = "date" in deciding if kind == "date" else kind == "number" and bool(deciding)
        return ColumnPlan(
            column,
            type_,
            kind,
            rejects,
            dates_are_numbers=counts_dates(dataset, column, stored),
            has_moments=kind == "date" and "moment" in kinds,
        )

    def _asked(self, name: str, column: str) -> ColumnType:
        """What the uses of a column ask it to be, of which the files hold no value."""
        uses = [
            use
            for use in (*self._deciding, *self.uses)
            if (use.dataset, use.column) == (name, column)
        ]
        for kind in ("number", "date"):
            if any(use.kind == kind for use in uses):
                return kind
        compared = (use.condition for use in uses if use.condition)
        numeric = any(compares_with_numbers(condition, column) for condition in compared)
        return "number" if numeric else "text"

    def _record_keys(self, name: str, found: Iterable[str]) -> frozenset[str]:
        deciding = named_columns(self._deciding, name)
        return frozenset(c for c in found if c in deciding or RECORD_KEY.fullmatch(c))

    def _domains(self, name: str, dataset: Dataset, found: Iterable[str]) -> frozenset[str]:
        if dataset.domain:
            return frozenset({dataset.domain.upper()})
        called = [name, PurePath(dataset.file).stem]
        codes = [text for text in called if _DOMAIN_CODE.fullmatch(text)]
        codes += [match[1] for column in found if (match := _SEQUENCE.fullmatch(column))]
        for supplement in self._study.supplements_of(name):
            if match := _SUPPLEMENT.fullmatch(supplement):
                codes.append(match[1])
        if name == self._study.subject.dataset:
            codes.append("DM")
        return frozenset(code.upper() for code in codes)

    def _wanted(self, name: str) -> tuple[Condition, ...] | None:
        described = self._study.datasets[name]
        if described.rows == "one_per_subject" or self._study.supplements_of(name):
            # A condition of a supplemented dataset may ask for a qualifier, which comes later.
            return None
        if described.supplements:
            qualifiers = named_columns(self.uses, described.supplements)
            return (Condition(column="QNAM", is_in=tuple(qualifiers)),)
        rows = [use.condition for use in self.uses if use.dataset == name and use.column is None]
        wanted = [condition for condition in rows if condition is not None]
        return tuple(wanted) if len(wanted) == len(rows) else None
