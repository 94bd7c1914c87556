"""Turns batches of a file into typed rows, ready to be joined by subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.trial_example_gen.rejects import Reason, Reject, RowFilter
from pipeline.reading.buckets import SUBJECT
from pipeline.reading.days import LATEST, dates_of
from pipeline.reading.evaluate import evaluate
from pipeline.reading.plan import DatasetPlan
from pipeline.reading.text import as_text
from pipeline.reading.typed import numbers_of, without_codes
from pipeline.study.conditions import Condition
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
        rejects: Rows set aside.
        rows_in: Rows of the batch.
        left_out: Rows that no feature, task or check of the study file asks for.
        set_aside: Subject keys of the rows set aside, where they have one.
    """

    table: pa.Table
    set_aside: pa.Table
    rejects: list[Reject]
    rows_in: int
    left_out: int


def date_columns(study: Study, dataset: str) -> frozenset[str]:
    """Columns of a dataset that are used as dates, whatever their file's type is."""
    described = study.datasets[dataset]
    named = {described.date, described.end_date}
    if dataset == study.subject.dataset:
        subject = study.subject
        named |= {subject.reference_date, subject.birth_date, subject.exit_date}
        named.add(study.window.column if study.window else None)
    for task in study.tasks.values():
        follow_up = task.event.follow_up if task.event else None
        if follow_up and follow_up.dataset == dataset:
            named.add(follow_up.date)
    return frozenset(column for column in named if column)


class RowPreparer:
    """Prepares the batches of one dataset."""

    def __init__(self, study: Study, plan: DatasetPlan) -> None:
        self._plan = plan
        self._declared = study.datasets[plan.name].columns
        self._dates = date_columns(study, plan.name)
        self._subject = study.subject_column(plan.name)
        self._wanted = _wanted_rows(study, plan.name)

    def prepare(self, path: str, first_row: int, batch: pa.RecordBatch) -> PreparedRows:
        """Casts a batch's columns, sets faulty rows aside, drops rows nobody asks for.

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
        for name, kind in self._plan.columns:
            for typed_name, array in self._typed(name, kind, batch.column(name), rows):
                columns[typed_name] = array
        columns[FILE] = pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(batch.num_rows, np.int32)), pa.array([PurePath(path).name])
        ).cast(pa.string())
        columns[ROW] = pa.array(numbers)
        everything = pa.table(columns)
        nameless = _mask(pc.is_null(columns[SUBJECT]))
        set_aside = everything.select([SUBJECT]).filter(pa.array(~rows.good & ~nameless))
        table = everything.filter(pa.array(rows.good))
        wanted = self._filter(table)
        return PreparedRows(
            wanted, set_aside, rows.rejects, batch.num_rows, len(table) - len(wanted)
        )

    def _subject_keys(
        self, batch: pa.RecordBatch, numbers: np.ndarray, rows: RowFilter
    ) -> pa.Array:
        if self._subject is None:
            return pc.cast(pa.array(numbers), pa.string())
        keys = as_text(batch.column(self._subject))
        rows.set_aside(_mask(pc.is_null(keys)), self._subject, Reason.NO_SUBJECT)
        return keys

    def _typed(
        self, name: str, kind: str, array: pa.Array, rows: RowFilter
    ) -> Iterator[tuple[str, pa.Array]]:
        declared = self._declared.get(name, Column())
        if name in self._dates:
            dates, wrong = dates_of(without_codes(array, declared))
            rows.set_aside(wrong, name, Reason.NOT_A_DATE)
            yield name, _floats(dates.earliest)
            yield name + LATEST, _floats(dates.latest)
        elif kind == "number":
            numbers = numbers_of(array, declared)
            rows.set_aside(numbers.not_a_number, name, Reason.NOT_A_NUMBER)
            rows.set_aside(numbers.not_finite, name, Reason.NOT_FINITE)
            rows.set_aside(numbers.out_of_range, name, Reason.OUT_OF_RANGE)
            yield name, numbers.values
        else:
            yield name, without_codes(as_text(array), declared)

    def _filter(self, table: pa.Table) -> pa.Table:
        if self._wanted is None:
            return table
        keep = np.zeros(len(table), bool)
        for condition in self._wanted:
            # An unknown condition keeps its row: it may be the event that is asked about.
            keep |= pc.fill_null(evaluate(condition, table), True).to_numpy()
        return table.filter(pa.array(keep))


def _wanted_rows(study: Study, dataset: str) -> list[Condition] | None:
    """Conditions of which a row must meet one to be of use; None: every row is."""
    described = study.datasets[dataset]
    supplemented = bool(study.supplements_of(dataset))
    if described.rows == "one_per_subject" or supplemented:
        return None
    if described.supplements:
        qualifiers = _supplement_columns(study, described.supplements)
        return [Condition(column="QNAM", is_in=qualifiers)]
    wanted = [
        *_feature_conditions(study, dataset),
        *_task_conditions(study, dataset),
        *_endpoint_conditions(study, dataset),
    ]
    if any(condition is None for condition in wanted):
        return None
    return [condition for condition in wanted if condition is not None]


def _feature_conditions(study: Study, dataset: str) -> Iterator[Condition | None]:
    parameter = study.datasets[dataset].parameter
    for feature in study.resolved_features:
        if feature.dataset == dataset:
            parts = [feature.where] if feature.where else []
            if feature.parameter is not None:
                parts.append(Condition(column=parameter, equals=feature.parameter))
            yield Condition(all=tuple(parts)) if parts else None


def _task_conditions(study: Study, dataset: str) -> Iterator[Condition | None]:
    for task in study.tasks.values():
        follow_up = task.event.follow_up if task.event else None
        for label in (task.event, follow_up, task.state):
            if label and label.dataset == dataset:
                yield label.where


def _endpoint_conditions(study: Study, dataset: str) -> Iterator[Condition | None]:
    for endpoint in study.analysis.time_to_event.values():
        if endpoint.dataset == dataset:
            yield endpoint.where


def _supplement_columns(study: Study, parent: str) -> tuple[str, ...]:
    return tuple(study.columns_used(parent))


def _floats(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _mask(array: pa.Array) -> np.ndarray:
    return np.asarray(array.to_numpy(zero_copy_only=False), bool)
