"""Joins the rows of all datasets by subject, for one bucket of subjects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.reading.buckets import SUBJECT
from pipeline.reading.collapse import repeats_of_earlier_rows
from pipeline.reading.days import LATEST, DayRange, study_days
from pipeline.reading.evaluate import is_true
from pipeline.reading.lost_qualifiers import is_undecided, unreadable_qualifiers
from pipeline.reading.moments import MOMENT
from pipeline.reading.plan import DatasetPlan, ReadingPlan
from pipeline.reading.qualifiers import add_qualifiers, of_domain, reject_qualifiers
from pipeline.reading.rejects import Reject, RejectReason, RowFilter, row_counts
from pipeline.reading.rows import FILE, ROW, file_ranks
from pipeline.reading.unreadable import emptied, separated, without_marks
from pipeline.study.conditions import Condition
from pipeline.study.sections import Dataset
from pipeline.tfx_release import concat_tables


@dataclass(frozen=True)
class JoinedRows:
    """The good rows of one dataset, in the order of subject, day, file and row.

    Attributes:
        table: The rows.
        subject: Position of each row's subject, int64, shape [rows].
        day: Study day of each row; NaN where unknown, minus infinity for the rows of an
            undated dataset that is known by the landmark.
    """

    table: pa.Table
    subject: NDArray[Any]
    day: DayRange

    def filter(self, mask: NDArray[np.bool_]) -> JoinedRows:
        """The rows where `mask` is true."""
        return JoinedRows(
            self.table.filter(pa.array(mask)),
            self.subject[mask],
            DayRange(self.day.earliest[mask], self.day.latest[mask]),
        )


@dataclass(frozen=True)
class AllSubjects:
    """Subjects of a bucket, in the trial or not, as the check of a hidden arm needs them.

    Attributes:
        own: Their own rows, one for each.
        inside: Whether population and window leave the subject, shape [subjects].
        rows: Rows of the other datasets, as far as they were read.
    """

    own: pa.Table
    inside: NDArray[np.bool_]
    rows: dict[str, pa.Table]


@dataclass(frozen=True)
class JoinedSubjects:
    """All subjects of a bucket that are in the trial, with their rows.

    Attributes:
        keys: Identifier of each subject, in rising order.
        reference: Reference date of each, days since 1970-01-01; NaN where missing.
        rows: The rows of every dataset, the subject dataset's own included. A qualifier that a
            rejected row of a SUPP-- dataset may belong to is null and marked as unreadable.
        rejected_rows: The rejected rows of these subjects, of the datasets that have any: what
            can be read of them, and null for what can't.
        as_read: `rows` of the datasets of which a qualifier is unreadable, with the qualifiers as
            if no row of the SUPP-- dataset had been rejected.
        rejects: Rows rejected while joining.
        counts: Row counts of the bucket.
        all: All subjects, while the arm is hidden; otherwise None.
    """

    keys: list[str]
    reference: NDArray[Any]
    rows: dict[str, JoinedRows]
    rejected_rows: dict[str, JoinedRows] = field(default_factory=dict)
    as_read: dict[str, JoinedRows] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    all: AllSubjects | None = None

    def undecided_rows(self, dataset: str, *conditions: Condition | None) -> JoinedRows | None:
        """Used rows of which a rejected qualifier leaves one of some conditions unknown, if any."""
        if dataset not in self.as_read:
            return None
        rows = self.rows[dataset]
        found = rows.filter(is_undecided(rows.table, *conditions))
        return found if len(found.table) else None

    def lost_rows(self, dataset: str, *conditions: Condition | None) -> JoinedRows | None:
        """Rows that may decide otherwise than the used ones say, if any.

        Args:
            dataset: The dataset.
            conditions: What decides.

        Returns:
            Its rejected rows, then the `undecided_rows`.
        """
        rejected = self.rejected_rows.get(dataset)
        undecided = self.undecided_rows(dataset, *conditions)
        if rejected is None or undecided is None:
            return rejected or undecided
        return JoinedRows(
            concat_tables([rejected.table, undecided.table]).combine_chunks(),
            np.r_[rejected.subject, undecided.subject],
            DayRange(
                np.r_[rejected.day.earliest, undecided.day.earliest],
                np.r_[rejected.day.latest, undecided.day.latest],
            ),
        )


def join_bucket(plan: ReadingPlan, tables: dict[str, list[pa.Table]]) -> JoinedSubjects:
    """Joins all rows of one bucket of subjects.

    Args:
        plan: What was read.
        tables: Prepared rows of the bucket, by dataset; under `rejected_name` of a dataset its
            rejected rows.

    Returns:
        The subjects and their rows.
    """
    merged = {name: _merge(parts) for name, parts in tables.items()}
    return _Join(plan, merged).run()


class _Join:
    def __init__(self, plan: ReadingPlan, tables: dict[str, pa.Table]) -> None:
        self._plan = plan
        self._study = plan.study
        self._tables, self._rejected_tables = separated(tables)
        self._lost: dict[str, list[pa.Table]] = {}
        self._rejects: list[Reject] = []
        self._counts: Counter[tuple[str, ...]] = Counter()

    def run(self) -> JoinedSubjects:
        name = self._study.subject.dataset
        if name not in self._tables:
            return self._without_subjects()
        for other, lost in self._rejected_tables.items():
            self._tables.setdefault(other, without_marks(lost.slice(0, 0)))
        self._place_qualifiers()
        read = self._completed(name)
        checked, rejected = self._check_subjects(name, read)
        inside = self._in_trial(checked)
        subjects = checked.filter(pa.array(inside))
        subjects = subjects.take(pc.sort_indices(subjects[SUBJECT]))
        self._count(name, [], used=len(subjects), excluded=int((~inside).sum()))
        reference = self._reference(subjects)
        birth = _optional(subjects, self._study.subject.birth_date)
        outside = pc.filter(checked[SUBJECT], pa.array(~inside))
        rows = {name: self._dated(name, subjects, np.arange(len(subjects)), reference)}
        for other in self._tables:
            if other == name:
                continue
            table = self._completed(other)
            table, index = self._of_subjects(other, table, subjects, outside, rejected)
            parent = self._study.datasets[other].supplements
            if parent:
                self._check_qualifiers(other, parent, table)
                continue
            rows[other] = self._checked_rows(other, table, index, reference, birth)
        for other in self._plan.datasets:
            if other not in rows and not self._study.datasets[other].supplements:
                rows[other] = self._no_rows(other)
        as_read = self._empty_qualifiers(rows)
        return JoinedSubjects(
            subjects[SUBJECT].to_pylist(),
            reference,
            rows,
            rejected_rows=dict(self._rejected_rows(subjects, reference, birth)),
            as_read=as_read,
            rejects=self._rejects,
            counts=self._counts,
            all=AllSubjects(checked, inside, self._tables) if self._study.hidden else None,
        )

    def _reference(self, subjects: pa.Table) -> NDArray[Any]:
        column = self._study.subject.reference_date
        earliest = _optional(subjects, column)
        if column is None:
            return earliest
        # From a partial date no day can be counted: the subject's rows count as undated.
        return np.where(earliest == _array(subjects, column + LATEST), earliest, np.nan)

    def _without_subjects(self) -> JoinedSubjects:
        own_rows = self._rejected_tables.get(self._study.subject.dataset, _EMPTY)
        known = set(own_rows[SUBJECT].to_pylist())
        for name, table in self._tables.items():
            rows = _row_filter(name, table)
            own = np.array([key in known for key in table[SUBJECT].to_pylist()], bool)
            rows.reject(own, self._key(name), RejectReason.SUBJECT_REJECTED)
            rows.reject(~own, self._key(name), RejectReason.UNKNOWN_SUBJECT)
            self._count(name, rows.rejects)
        return JoinedSubjects([], np.empty(0), {}, rejects=self._rejects, counts=self._counts)

    def _collapsed(self, name: str, table: pa.Table) -> pa.Table:
        """The rows of a dataset, those that only repeat another one of their subject taken out."""
        if not self._study.datasets[name].collapse:
            return table
        repeats = repeats_of_earlier_rows(table)
        self._count(name, [], used=int(repeats.sum()))
        return table.filter(pa.array(~repeats))

    def _count(self, dataset: str, rejects: list[Reject], **counts: int) -> None:
        self._rejects += rejects
        self._counts += row_counts(dataset, rejects, **counts)

    def _check_subjects(self, name: str, table: pa.Table) -> tuple[pa.Table, pa.ChunkedArray]:
        rows = _row_filter(name, table)
        keys = table[SUBJECT].combine_chunks().dictionary_encode()
        codes = keys.indices.to_numpy()
        faulty_before = self._rejected_tables.get(name, _EMPTY)[SUBJECT]
        repeated = np.bincount(codes, minlength=1)[codes] > 1
        repeated |= pc.is_in(table[SUBJECT], faulty_before).to_numpy()
        rows.reject(repeated, self._key(name), RejectReason.SECOND_ROW)
        birth_date = self._study.subject.birth_date
        self._check_dates(name, table, rows, _optional(table, birth_date))
        self._count(name, rows.rejects)
        good = pa.array(rows.good)
        rejected = [pc.filter(table[SUBJECT], pc.invert(good))]
        rejected.append(faulty_before)
        chunks = [chunk for part in rejected for chunk in part.chunks]
        return table.filter(good), pa.chunked_array(chunks, pa.string())

    def _in_trial(self, table: pa.Table) -> NDArray[np.bool_]:
        inside = np.array(is_true(self._plan.population, table), bool)
        window = self._plan.window
        if window:
            earliest = _array(table, window.column)
            latest = _array(table, window.column + LATEST)
            if window.start:
                inside &= earliest >= _epoch_day(window.start.isoformat())
            if window.end:
                inside &= latest <= _epoch_day(window.end.isoformat())
        return inside

    def _of_subjects(
        self,
        name: str,
        table: pa.Table,
        subjects: pa.Table,
        outside: pa.ChunkedArray,
        rejected: pa.ChunkedArray,
    ) -> tuple[pa.Table, NDArray[Any]]:
        """Rows of the subjects in the trial, with each row's position among them."""
        keys = table[SUBJECT]
        index = pc.fill_null(pc.index_in(keys, subjects[SUBJECT]), -1).to_numpy()
        excluded = pc.is_in(keys, outside).to_numpy()
        without_own_row = pc.is_in(keys, rejected).to_numpy()
        rows = _row_filter(name, table)
        unplaced = (index < 0) & ~excluded
        rows.reject(unplaced & without_own_row, self._key(name), RejectReason.SUBJECT_REJECTED)
        rows.reject(unplaced, self._key(name), RejectReason.UNKNOWN_SUBJECT)
        if self._study.datasets[name].rows == "one_per_subject":
            placed = np.where(index < 0, len(subjects), index)
            repeated = np.bincount(placed, minlength=len(subjects) + 1)[placed] > 1
            for lost in self._lost.get(name, ()):
                repeated |= pc.is_in(keys, lost[SUBJECT]).to_numpy()
            repeated &= rows.good & (index >= 0)
            rows.reject(repeated, self._key(name), RejectReason.SECOND_ROW)
            self._lose(name, table, repeated)
        self._count(name, rows.rejects, excluded=int((excluded & rows.good).sum()))
        keep = rows.good & (index >= 0)
        return table.filter(pa.array(keep)), index[keep]

    def _checked_rows(
        self,
        name: str,
        table: pa.Table,
        index: NDArray[Any],
        reference: NDArray[Any],
        birth: NDArray[Any],
    ) -> JoinedRows:
        rows = _row_filter(name, table)
        self._check_dates(name, table, rows, birth[index])
        self._lose(name, table, ~rows.good)
        self._count(name, rows.rejects, used=int(rows.good.sum()))
        good = table.filter(pa.array(rows.good))
        return self._dated(name, good, index[rows.good], reference)

    def _check_dates(
        self, name: str, table: pa.Table, rows: RowFilter, birth: NDArray[Any]
    ) -> None:
        for columns, wrong, reason in self._wrong_dates(name, table, birth):
            rows.reject(wrong, columns[0], reason)

    def _wrong_dates(
        self, name: str, table: pa.Table, birth: NDArray[Any]
    ) -> Iterator[tuple[tuple[str, ...], NDArray[Any], RejectReason]]:
        """Columns of which one is wrong, the first the one to name, where, and why."""
        described = self._study.datasets[name]
        is_own = name == self._study.subject.dataset
        for column in self._plan.datasets[name].checked_dates:
            if is_own and column == self._study.subject.birth_date:
                continue
            early = _array(table, column + LATEST) < birth
            yield (column,), early, RejectReason.BEFORE_BIRTH
        end = described.end_day or described.end_date
        start = described.day or described.date
        if end and start:
            latest_end = _array(table, end + LATEST if described.end_date else end)
            before = latest_end < _array(table, start)
            yield (end, start), before, RejectReason.END_BEFORE_START

    def _completed(self, name: str) -> pa.Table:
        """The good rows of a dataset; notes the rejected ones."""
        if name in self._rejected_tables:
            self._lost.setdefault(name, []).append(self._rejected_tables[name])
        return self._collapsed(name, self._tables[name])

    def _lose(self, name: str, table: pa.Table, rejected: NDArray[np.bool_]) -> None:
        """Notes rows that were rejected while joining."""
        if rejected.any():
            self._lost.setdefault(name, []).append(table.filter(pa.array(rejected)))

    def _rejected_rows(
        self, subjects: pa.Table, reference: NDArray[Any], birth: NDArray[Any]
    ) -> Iterator[tuple[str, JoinedRows]]:
        """What can be read of the rejected rows of subjects in the trial, by dataset."""
        for name, parts in self._lost.items():
            if self._study.datasets[name].supplements:
                continue
            table = concat_tables(parts).combine_chunks()
            index = pc.fill_null(pc.index_in(table[SUBJECT], subjects[SUBJECT]), -1).to_numpy()
            table, index = table.filter(pa.array(index >= 0)), index[index >= 0]
            faults = self._unreadable_qualifiers(name, table)
            for columns, wrong, _ in self._wrong_dates(name, table, birth[index]):
                for column in columns:
                    faults[column] = faults.get(column, False) | wrong
            if len(table):
                yield name, self._dated(name, emptied(table, faults), index, reference)

    def _dated(
        self, name: str, table: pa.Table, subject: NDArray[Any], reference: NDArray[Any]
    ) -> JoinedRows:
        day = self._row_days(self._study.datasets[name], table, subject, reference)
        order = np.lexsort((_array(table, ROW), file_ranks(table), day.latest, subject))
        ordered = DayRange(day.earliest[order], day.latest[order])
        return JoinedRows(table.take(pa.array(order)), subject[order], ordered)

    def _row_days(
        self, described: Dataset, table: pa.Table, subject: NDArray[Any], reference: NDArray[Any]
    ) -> DayRange:
        if described.day:
            days = _array(table, described.day)
            return DayRange(days, days)
        if described.date:
            dates = DayRange(_array(table, described.date), _array(table, described.date + LATEST))
            return study_days(dates, reference[subject], self._study.first_day)
        known = self._study.known_by_landmark(described.known)
        days = np.full(len(table), -np.inf if known else np.nan)
        return DayRange(days, days)

    def _no_rows(self, name: str) -> JoinedRows:
        plan = self._plan.datasets[name]
        fields = [(SUBJECT, pa.string()), (FILE, pa.string()), (ROW, pa.int64())]
        for column in plan.columns:
            fields.append((column.name, pa.string() if column.kind == "text" else pa.float64()))
            if column.kind == "date":
                fields.append((column.name + LATEST, pa.float64()))
            if column.has_moments:
                fields.append((column.name + MOMENT, pa.string()))
        fields += [(column, pa.string()) for column in plan.qualifiers]
        empty = pa.schema(fields).empty_table()
        return JoinedRows(empty, np.empty(0, np.int64), DayRange(np.empty(0), np.empty(0)))

    def _supplements(self, parent: str) -> list[str]:
        return [name for name in self._study.supplements_of(parent) if name in self._tables]

    def _place_qualifiers(self) -> None:
        """Puts qualifiers on the records of their parents; leaves out those of other domains."""
        for parent, plan in self._plan.datasets.items():
            names = self._supplements(parent)
            for name in names:
                inside = self._of_domain(name, self._tables[name], plan)
                self._count(name, [], excluded=int((~inside).sum()))
                self._tables[name] = self._tables[name].filter(pa.array(inside))
                if name in self._rejected_tables:
                    lost = self._rejected_tables[name]
                    inside = self._of_domain(name, lost, plan)
                    self._rejected_tables[name] = lost.filter(pa.array(inside))
            self._add_qualifiers(parent, plan, names)

    def _add_qualifiers(self, parent: str, plan: DatasetPlan, names: list[str]) -> None:
        table, lost = self._tables.get(parent), self._rejected_tables.get(parent)
        rows = 0 if table is None else len(table)
        if table is not None and lost is not None:
            # Qualifiers of a rejected record are its own, and not those of no record.
            table = concat_tables([table, lost]).combine_chunks()
        tables = [self._tables[name] for name in names]
        table, placed, found = add_qualifiers(plan, table, tables)
        self._tables.update(zip(names, placed, strict=True))
        self._counts.update({("qualifiers", parent, key): n for key, n in found.items()})
        if table is not None:
            self._tables[parent] = table if lost is None else without_marks(table.slice(0, rows))
            if lost is not None:
                self._rejected_tables[parent] = table.slice(rows)

    def _of_domain(self, name: str, supplement: pa.Table, parent: DatasetPlan) -> NDArray[np.bool_]:
        try:
            return of_domain(supplement, self._tables.get(parent.name), parent, name)
        except UserError as error:
            # As in `read_rows`: a mistake in the data travels as what it is.
            self._counts["problems", str(error)] += 1
            return np.ones(len(supplement), bool)

    def _check_qualifiers(self, name: str, parent: str, table: pa.Table) -> None:
        rows = _row_filter(name, table)
        reject_qualifiers(rows, table, self._plan.datasets[parent])
        self._lose(name, table, ~rows.good)
        self._count(name, rows.rejects, used=int(rows.good.sum()))

    def _unreadable_qualifiers(self, parent: str, table: pa.Table) -> dict[str, NDArray[np.bool_]]:
        """By qualifier, of which records a rejected row may be; booleans, shape [records]."""
        names = self._study.supplements_of(parent)
        rejected = [part for name in names for part in self._lost.get(name, ())]
        return unreadable_qualifiers(self._plan.datasets[parent], table, rejected)

    def _empty_qualifiers(self, rows: dict[str, JoinedRows]) -> dict[str, JoinedRows]:
        """Empties the qualifiers that are unknown; the rows as they were, by dataset."""
        as_read = {}
        for name, found in rows.items():
            faults = self._unreadable_qualifiers(name, found.table)
            if faults:
                as_read[name] = found
                rows[name] = replace(found, table=emptied(found.table, faults))
        return as_read

    def _key(self, dataset: str) -> str | None:
        return self._study.subject_column(dataset)


_EMPTY = pa.table({SUBJECT: pa.array([], pa.string())})


def _merge(parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts).combine_chunks()


def _row_filter(name: str, table: pa.Table) -> RowFilter:
    if FILE not in table.column_names:
        return RowFilter(name, np.empty(0, object), np.empty(0, np.int64))
    files = table[FILE].to_numpy()
    return RowFilter(name, files, _array(table, ROW))


def _array(table: pa.Table, column: str) -> NDArray[Any]:
    return table[column].to_numpy()


def _optional(table: pa.Table, column: str | None) -> NDArray[Any]:
    return _array(table, column) if column else np.full(len(table), np.nan)


def _epoch_day(text: str) -> float:
    return float(np.datetime64(text, "D").astype(int))
