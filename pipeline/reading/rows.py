"""Turns batches of a file into typed rows, as a plan says, ready to be joined by subject."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.reading.buckets import SUBJECT
from pipeline.reading.days import LATEST, dates_of
from pipeline.reading.evaluate import evaluate
from pipeline.reading.levels import LevelFinder
from pipeline.reading.missing_codes import MissingCodeFinder
from pipeline.reading.moments import MOMENT
from pipeline.reading.plan import ColumnPlan, DatasetPlan
from pipeline.reading.rejects import Reject, RejectReason, RowFilter
from pipeline.reading.text import as_text
from pipeline.reading.typed import Numbers, moments_of, numbers_of, without_codes
from pipeline.reading.unreadable import emptied
from pipeline.study.sections import Column
from pipeline.study.study import Study

FILE = "#file"
ROW = "#row"


@dataclass(frozen=True)
class PreparedRows:
    """Typed rows of one batch.

    Attributes:
        table: The subject key, file name, row number and every used column: text as string,
            numbers as float64, dates as two float64 columns of days since 1970-01-01.
        rejected: Rejected rows that have a subject key, with the same columns, null where a cell
            is at fault, and a column of marks (`UNREADABLE`) for each that may be at fault; without
            the rows that certainly nothing in the plan asks for, unless they are the subjects'.
        rejects: Rejected rows.
        rows_in: Rows of the batch.
        excluded: Rows that nothing in the plan asks for.
        levels: What `LevelFinder` found in the good rows, the excluded ones included, and
            `MissingCodeFinder` in all rows.
    """

    table: pa.Table
    rejected: pa.Table
    rejects: list[Reject]
    rows_in: int
    excluded: int
    levels: Counter[tuple[str, ...]]


class RowPreparer:
    """Prepares the batches of one dataset."""

    def __init__(self, study: Study, plan: DatasetPlan) -> None:
        self._plan = plan
        self._declared = study.datasets[plan.name].columns
        self._subject = study.subject_column(plan.name)
        self._levels = LevelFinder(plan.name, plan.levels)
        self._codes = MissingCodeFinder(study, plan.name)
        self._zone = ZoneInfo(plan.format.zone) if plan.format.zone else None

    def prepare(self, path: str, first_row: int, batch: pa.RecordBatch) -> PreparedRows:
        """Casts a batch's columns, rejects faulty rows, drops rows that nothing asks for.

        Args:
            path: The file.
            first_row: Number of the batch's first record in the file, from 0.
            batch: The plan's columns as they were read.

        Returns:
            The typed rows.
        """
        numbers = np.arange(first_row + 1, first_row + 1 + batch.num_rows)
        files = np.full(batch.num_rows, PurePath(path).name, object)
        rows = RowFilter(self._plan.name, files, numbers)
        columns: dict[str, Any] = {SUBJECT: self._subject_keys(batch, numbers, rows)}
        for column in self._plan.columns:
            columns |= self._typed(column, batch.column(column.name), rows)
        columns[FILE] = pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(batch.num_rows, np.int32)), pa.array([PurePath(path).name])
        ).cast(pa.string())
        columns[ROW] = pa.array(numbers)
        everything = pa.table(columns)
        table = everything.filter(pa.array(rows.good))
        wanted = self._filter(table)
        return PreparedRows(
            wanted,
            self._rejected(everything, rows),
            rows.rejects,
            batch.num_rows,
            len(table) - len(wanted),
            self._levels.find(table) + self._missing_codes(batch),
        )

    def _missing_codes(self, batch: pa.RecordBatch) -> Counter[tuple[str, ...]]:
        found = self._codes.find_in_file(batch)
        for plan in self._plan.columns:
            is_text = plan.kind == "text"
            found += self._codes.find(plan.name, batch.column(plan.name), as_texts=is_text)
        return found

    def _rejected(self, everything: pa.Table, rows: RowFilter) -> pa.Table:
        """What can be read of the rejected rows that have a subject."""
        if not rows.rejects:
            return everything.slice(0, 0)
        lost = ~rows.good & ~_mask(pc.is_null(everything[SUBJECT].combine_chunks()))
        faults = {column: fault[lost] for column, fault in rows.faults.items()}
        return self._filter(emptied(everything.filter(pa.array(lost)), faults))

    def _subject_keys(
        self, batch: pa.RecordBatch, numbers: NDArray[Any], rows: RowFilter
    ) -> pa.Array:
        if self._subject is None:
            return pc.cast(pa.array(numbers), pa.string())
        declared = self._declared.get(self._subject, Column())
        keys = without_codes(as_text(batch.column(self._subject)), declared)
        rows.reject(_mask(pc.is_null(keys)), self._subject, RejectReason.NO_SUBJECT)
        return keys

    def _typed(self, plan: ColumnPlan, array: pa.Array, rows: RowFilter) -> dict[str, pa.Array]:
        """The column as it is used: one array, or the two ends of a date."""
        name = plan.name
        declared = self._declared.get(name, Column())
        if plan.dates_are_numbers and not pa.types.is_temporal(array.type):
            array = _moments(plan, array, declared, rows)
        if plan.kind == "date":
            dates, wrong = dates_of(without_codes(array, declared), self._zone)
            if plan.rejects:
                rows.reject(wrong, name, RejectReason.NOT_A_DATE)
            ends = {name: _floats(dates.earliest), name + LATEST: _floats(dates.latest)}
            if plan.has_moments:
                ends[name + MOMENT] = without_codes(as_text(array), declared)
            return ends
        if plan.kind == "number":
            numbers = numbers_of(array, declared, self._plan.format.decimal)
            if not plan.rejects:
                return {name: numbers.possible}
            _reject_numbers(name, numbers, rows)
            return {name: numbers.values}
        return {name: without_codes(as_text(array), declared)}

    def _filter(self, table: pa.Table) -> pa.Table:
        if self._plan.wanted is None:
            return table
        keep = np.zeros(len(table), bool)
        for condition in self._plan.wanted:
            # An unknown condition keeps its row: it may be the event that is asked about.
            keep |= pc.fill_null(evaluate(condition, table), True).to_numpy()
        return table.filter(pa.array(keep))


def file_ranks(table: pa.Table) -> NDArray[Any]:
    """Each row's file as its place among the names, so that no order depends on the workers.

    Args:
        table: Prepared rows of one dataset.

    Returns:
        int64, shape [rows].
    """
    files = table[FILE].combine_chunks().dictionary_encode()
    ranks = np.argsort(np.argsort(np.array(files.dictionary.to_pylist(), str)))
    return ranks[files.indices.to_numpy()]


def _moments(plan: ColumnPlan, array: pa.Array, declared: Column, rows: RowFilter) -> pa.Array:
    """Dates or moments of a column that counts them; null where it can't."""
    numbers = numbers_of(array, declared)
    moments, beyond = moments_of(numbers.possible, declared)
    if plan.rejects:
        _reject_numbers(plan.name, numbers, rows)
        rows.reject(beyond, plan.name, RejectReason.OUT_OF_RANGE)
    return moments


def _reject_numbers(column: str, numbers: Numbers, rows: RowFilter) -> None:
    rows.reject(numbers.not_a_number, column, RejectReason.NOT_A_NUMBER)
    rows.reject(numbers.not_finite, column, RejectReason.NOT_FINITE)
    rows.reject(numbers.out_of_range, column, RejectReason.OUT_OF_RANGE)


def _floats(values: NDArray[Any]) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _mask(array: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(array.to_numpy(zero_copy_only=False), bool)
