"""Rows of outcomes, made of what the examples of a cut say of each subject."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.names import (
    SUBJECT_HASH,
    decided_on_key,
    ends_on_key,
    label_key,
    outcome_status_key,
    weight_key,
)
from pipeline.predictions.outcomes import (
    CENSORED,
    CUT,
    KNOWN_AT,
    OBSERVED,
    OUTCOME,
    OUTCOME_ROWS,
    RECORDED_AT,
    STATUS,
    STATUSES,
    WEIGHT,
    RecordedCut,
)
from pipeline.predictions.rows import STUDY, TASK
from pipeline.reading.examples import ExampleColumns

_MICROSECONDS_A_DAY = 86_400_000_000
_TIME = pa.timestamp("us", "UTC")


def numbers_of(task: str) -> tuple[str, ...]:
    """Columns of numbers that the rows of a task are made from."""
    keys = (label_key, weight_key, outcome_status_key, decided_on_key, ends_on_key)
    return tuple(key(task) for key in keys)


def outcome_rows(
    cut: RecordedCut, columns: ExampleColumns, tasks: Iterable[str], undetermined: Iterable[str]
) -> pa.Table:
    """One row for each subject and task.

    Args:
        cut: The cut.
        columns: `subject_hash` and the `numbers_of` each task, of n subjects.
        tasks: The tasks.
        undetermined: Those of which the known labels can't stand for the others: too few subjects
            were observed up to the horizon. Their outcomes are all censored.
    """
    names = columns.categories[SUBJECT_HASH]
    subjects = pa.array(np.array(names.values, object)[names.codes], pa.string())
    waiting = frozenset(undetermined)
    parts = [
        _of_task(cut, columns, task, subjects, is_determined=task not in waiting) for task in tasks
    ]
    return pa.concat_tables([OUTCOME_ROWS.empty_table(), *parts]).combine_chunks()


def of_predicted(rows: pa.Table, predictions: Iterable[pa.Table]) -> pa.Table:
    """The rows of subjects and tasks that were predicted: the log holds no others.

    Args:
        rows: Of the schema `OUTCOME_ROWS`.
        predictions: Predictions of the study.
    """
    found = [table.select([TASK, SUBJECT_HASH]) for table in predictions]
    if not found:
        return rows.slice(0, 0)
    return rows.filter(pc.is_in(_pairs(rows), value_set=_pairs(pa.concat_tables(found))))


def _pairs(table: pa.Table) -> pa.Array:
    """Task and subject of each row as one text; null without a subject."""
    # Names of tasks have no blank.
    joined = pc.binary_join_element_wise(table[TASK], table[SUBJECT_HASH], " ")
    return pa.array(joined.to_pylist(), pa.string())


def _of_task(
    cut: RecordedCut, columns: ExampleColumns, task: str, subjects: pa.Array, is_determined: bool
) -> pa.Table:
    n = columns.subjects
    label, weight, number, decided, ends = (columns.numbers[key] for key in numbers_of(task))
    status = np.array(STATUSES, object)[number.astype(np.int64)]
    recorded_at = int(cut.recorded_at.timestamp() * 1_000_000)
    # NaN, where the study has no dates, is no later day: the study file says that the label holds.
    is_open = ends >= cut.recorded_at.astimezone(UTC).date().toordinal() - _EPOCH
    status[is_open] = CENSORED
    if not is_determined:
        status[status == OBSERVED] = CENSORED
    is_known = (status == OBSERVED).astype(bool)
    known_at = np.where(is_known, _ends_of_days(decided, recorded_at), recorded_at)
    own = {
        STUDY: pa.array([cut.study] * n, pa.string()),
        TASK: pa.array([task] * n, pa.string()),
        SUBJECT_HASH: subjects,
        OUTCOME: pa.array(label > 0, mask=~is_known).cast(pa.int8()),
        STATUS: pa.array(status, pa.string()),
        WEIGHT: pa.array(np.where(is_known, weight, 0).astype(np.float32)),
        KNOWN_AT: pa.array(known_at, pa.int64()).cast(_TIME),
        RECORDED_AT: pa.array([recorded_at] * n, pa.int64()).cast(_TIME),
        CUT: pa.array([cut.fingerprint] * n, pa.string()),
    }
    return pa.table([own[name] for name in OUTCOME_ROWS.names], OUTCOME_ROWS.names)


_EPOCH = np.datetime64("1970-01-01").astype(object).toordinal()


def _ends_of_days(days: NDArray[np.float32], recorded_at: int) -> NDArray[np.int64]:
    """Ends of days since 1970-01-01, microseconds; of a missing or later day the recording."""
    has_day = ~np.isnan(days)
    ends = (np.where(has_day, days, 0).astype(np.int64) + 1) * _MICROSECONDS_A_DAY
    return np.where(has_day, np.minimum(ends, recorded_at), recorded_at)
