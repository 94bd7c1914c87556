"""Labels of states: positive where the row that counts meets a condition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.trial_example_gen.masks import Labels, Masks, any_of
from pipeline.reading.evaluate import evaluate
from pipeline.reading.joined import JoinedRows, JoinedSubjects
from pipeline.reading.lost_qualifiers import is_undecided
from pipeline.results.counts import MaskReason
from pipeline.study.sections import StateLabel, Task
from pipeline.study.study import Study


def state_labels(study: Study, task: Task, state: StateLabel, subjects: JoinedSubjects) -> Labels:
    """Derives the labels of a task whose label is a state.

    The last row that is certainly in the window decides. A rejected row decides in its place
    if its day may be the same or later, and its value may differ; so does a row whose day is
    missing or partial, if it may be in the window and later.

    Args:
        study: The study.
        task: The task.
        state: Its label.
        subjects: Joined subjects, n of them.

    Returns:
        The labels.
    """
    n = len(subjects.keys)
    name = state.dataset or study.subject.dataset
    rows = subjects.rows[name]
    certain, possible = _in_window(study, task, name, state, rows)
    selected = rows.filter(certain)
    outcome = evaluate(state.positive, selected.table)
    position = np.full(n, -1, np.int64)
    position[selected.subject] = np.arange(len(selected.subject))
    of_subject = pc.take(outcome, pa.array(position, mask=position < 0))
    positive = np.array(pc.fill_null(of_subject, False).to_numpy(), bool)
    known = np.array(pc.is_valid(of_subject).to_numpy(), bool)
    has_row = position >= 0
    masks = Masks(n)
    undecided = any_of(selected, is_undecided(selected.table, state.positive), n)
    masks.add(has_row & ~known & ~undecided, MaskReason.MISSING_VALUE)
    lost = subjects.lost_rows(name, state.where, state.positive)
    if lost is not None:
        day = np.full(n, -np.inf)
        day[selected.subject] = selected.day.latest
        outcomes = np.where(known, positive, np.nan)
        if state.no_row == "negative":
            outcomes[~has_row] = 0
        decides = _may_decide(study, task, name, state, lost, day, outcomes)
        masks.add(any_of(lost, decides, n), MaskReason.REJECTED_ROW)
    masks.add(has_row & ~known, MaskReason.MISSING_VALUE)
    if study.datasets[name].day or study.datasets[name].date:
        is_deciding = np.zeros(len(selected.subject), bool)
        is_deciding[position[has_row]] = True
        deciding = selected.filter(is_deciding)
        partial = _may_be_later(state, rows.filter(possible), deciding, n)
        masks.add(partial, MaskReason.UNCERTAIN_DAY)
    if state.no_row == "negative":
        masks.add(~has_row & any_of(rows, possible, n), MaskReason.UNCERTAIN_DAY)
    else:
        masks.add(~has_row, MaskReason.NO_ROW)
    day = np.full(n, np.nan if task.horizon is None else float(task.horizon))
    day[selected.subject] = selected.day.earliest
    return masks.labels(positive, decided=np.where(np.isfinite(day), day, np.nan))


def _may_be_later(
    state: StateLabel,
    rows: JoinedRows,
    deciding: JoinedRows,
    n: int,
) -> NDArray[np.bool_]:
    """Subjects of whom a row with a missing or partial day may decide instead, and differs.

    On one and the same day the order of the file counts. A row whose day is known and whose
    condition is not (such as a flag that CDISC leaves blank for no) does not decide.

    Args:
        state: The label.
        rows: Rows that are or may be looked at.
        deciding: The row that decides, of each subject with one.
        n: Number of subjects.

    Returns:
        Booleans, shape [n].
    """
    day = np.full((2, n), np.nan)
    day[:, deciding.subject] = deciding.day.earliest, deciding.day.latest
    first, last = day[:, rows.subject]
    # Comparisons with a missing day are false: it may be any.
    is_later = ~np.isnan(first) & ~(rows.day.latest < first)
    is_partial = is_later & ((rows.day.earliest != rows.day.latest) | (first != last))
    if not is_partial.any():
        return np.zeros(n, bool)
    outcomes = np.full(n, np.nan)
    outcomes[deciding.subject] = _outcomes(state, deciding)
    differs = _outcomes(state, rows) != outcomes[rows.subject]
    return any_of(rows, is_partial & differs, n)


def _outcomes(state: StateLabel, rows: JoinedRows) -> NDArray[np.float64]:
    """1 where a row is positive, 0 where it is not, NaN where that is unknown; shape [rows]."""
    found = pc.cast(evaluate(state.positive, rows.table), pa.float64())
    return np.asarray(found.to_numpy(), np.float64)


def _in_window(
    study: Study, task: Task, name: str, state: StateLabel, rows: JoinedRows
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Whether rows are certainly, and whether they are possibly, among those looked at."""
    selects = evaluate(state.where, rows.table)
    certain = np.array(pc.fill_null(selects, False).to_numpy(), bool)
    possible = np.array(pc.fill_null(selects, True).to_numpy(), bool)
    described = study.datasets[name]
    if described.day or described.date:
        horizon = np.inf if task.horizon is None else task.horizon
        certain &= (rows.day.earliest > study.landmark_day) & (rows.day.latest <= horizon)
        possible &= ~((rows.day.latest <= study.landmark_day) | (rows.day.earliest > horizon))
    return certain, possible


def _may_decide(
    study: Study,
    task: Task,
    name: str,
    state: StateLabel,
    lost: JoinedRows,
    day: NDArray[Any],
    outcomes: NDArray[Any],
) -> NDArray[Any]:
    """Whether rejected rows may decide the label of their subject otherwise.

    Args:
        study: The study.
        task: The task.
        name: The state's dataset.
        state: The label.
        lost: The rejected rows.
        day: Day of the row that decides, shape [n]; minus infinity without one.
        outcomes: Outcome of that row, shape [n]: 1 positive, 0 negative, NaN unknown.

    Returns:
        Booleans, shape [rows].
    """
    _, possible = _in_window(study, task, name, state, lost)
    before = lost.day.latest < day[lost.subject]
    same = _outcomes(state, lost) == outcomes[lost.subject]
    described = study.datasets[name]
    if described.day or described.date:
        # Where no row decides, not even a day that is missing would leave the label as it is.
        same &= ~(np.isnan(lost.day.earliest) & np.isneginf(day[lost.subject]))
    return possible & ~before & ~same
