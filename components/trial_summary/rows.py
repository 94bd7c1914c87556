"""Batches of a file as typed rows of subjects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from components.trial_summary.plan import DatasetReads, Kind
from pipeline.reading.buckets import SUBJECT
from pipeline.reading.days import LATEST, dates_of
from pipeline.reading.evaluate import is_true
from pipeline.reading.text import as_text
from pipeline.reading.typed import numbers_of, without_codes
from pipeline.study.sections import Column
from pipeline.study.study import Study

FILE = "#file"
ROW = "#row"


def typed_rows(
    study: Study, reads: DatasetReads, path: str, first_row: int, batch: pa.RecordBatch
) -> pa.Table:
    """Makes typed rows of a batch.

    A value that can't be (text for a number, outside its range) is a missing one; that
    TrialExampleGen sets its row aside and says so is enough.

    Args:
        study: The study.
        reads: What is read of the dataset.
        path: The file.
        first_row: Number of the batch's first record in the file, from 0.
        batch: The planned columns as they were read.

    Returns:
        Rows of use with a subject key: the columns and `SUBJECT`; text as string, numbers as
        float64, dates as two float64 columns of days since 1970-01-01. Rows of supplemental
        qualifiers also have their place: `FILE` and `ROW`.
    """
    declared = study.datasets[reads.name].columns
    columns: dict[str, Any] = {SUBJECT: _keys(reads.subject, first_row, batch)}
    for name, kind in reads.columns:
        columns |= _typed(name, kind, batch.column(name), declared.get(name, Column()))
    if study.datasets[reads.name].supplements:
        columns[FILE] = pa.array([path] * batch.num_rows, pa.string())
        columns[ROW] = pa.array(np.arange(first_row, first_row + batch.num_rows), pa.int64())
    table = pa.table(columns)
    keep = np.asarray(columns[SUBJECT].is_valid())
    if reads.wanted:
        keep = keep & np.any([is_true(condition, table) for condition in reads.wanted], axis=0)
    return table.filter(pa.array(keep))


def _keys(subject: str | None, first_row: int, batch: pa.RecordBatch) -> pa.Array:
    if subject is None:
        return pa.array([str(first_row + 1 + i) for i in range(batch.num_rows)], pa.string())
    return as_text(batch.column(subject))


def _typed(name: str, kind: Kind, array: pa.Array, declared: Column) -> dict[str, pa.Array]:
    if kind == "number":
        numbers = numbers_of(array, declared)
        wrong = numbers.not_finite | numbers.out_of_range
        values = numbers.values.to_numpy(zero_copy_only=False)
        return {name: _floats(np.where(wrong, np.nan, values))}
    if kind == "date":
        dates, _ = dates_of(without_codes(array, declared))
        return {name: _floats(dates.earliest), name + LATEST: _floats(dates.latest)}
    return {name: without_codes(as_text(array), declared)}


def _floats(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)
