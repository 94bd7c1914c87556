"""Labels of subjects after the landmark, within each task's horizon, and what is unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reading.days import LATEST, DayRange, study_days
from pipeline.reading.evaluate import evaluate, is_true
from pipeline.reading.joined import JoinedRows, JoinedSubjects
from pipeline.study.sections import EventLabel, FollowUp, StateLabel, Task
from pipeline.study.study import Study


@dataclass(frozen=True)
class Labels:
    """Labels of one task.

    Attributes:
        positive: Booleans, shape [n]; false where unknown.
        known: Booleans, shape [n]; false masks the subject for this task.
    """

    positive: np.ndarray
    known: np.ndarray


def derive_labels(study: Study, subjects: JoinedSubjects) -> dict[str, Labels]:
    """Derives the labels of every task.

    Args:
        study: The study.
        subjects: Joined subjects, n of them.

    Returns:
        Labels by task.
    """
    n = len(subjects.keys)
    gone = _gone_by_landmark(study, subjects)
    own_rows = subjects.rows[study.subject.dataset]
    labels = {}
    for name, task in study.tasks.items():
        if task.event is not None:
            found = _event_labels(study, task, task.event, subjects, n)
        else:
            assert task.state is not None
            found = _state_labels(study, task, task.state, subjects, n)
        masked = gone.copy()
        if task.unknown_when:
            masked |= is_true(task.unknown_when, own_rows.table)
        known = found.known & ~masked
        labels[name] = Labels(found.positive & known, known)
    return labels


def _gone_by_landmark(study: Study, subjects: JoinedSubjects) -> np.ndarray:
    """Subjects who left the trial at or before the landmark, or may have."""
    table = subjects.rows[study.subject.dataset].table
    if study.subject.exit_day:
        exit_day = table[study.subject.exit_day].to_numpy()
    elif study.subject.exit_date:
        dates = _date_range(table, study.subject.exit_date)
        exit_day = study_days(dates, subjects.reference, study.first_day).earliest
    else:
        return np.zeros(len(table), bool)
    return exit_day <= study.landmark_day


def _event_labels(
    study: Study, task: Task, event: EventLabel, subjects: JoinedSubjects, n: int
) -> Labels:
    rows = subjects.rows[event.dataset]
    outcome = evaluate(event.where, rows.table)
    certain = pc.fill_null(outcome, False).to_numpy()
    possible = pc.fill_null(outcome, True).to_numpy()
    day = _event_days(event, rows)
    landmark = study.landmark_day
    horizon = np.inf if task.horizon is None else task.horizon
    undated = np.isnan(day.earliest)
    before = _any(rows, possible & (undated | (day.earliest <= landmark)), n)
    within = certain & (day.earliest > landmark) & (day.latest <= horizon)
    perhaps = possible & (day.latest > landmark) & (day.earliest <= horizon)
    positive = _any(rows, within, n)
    negative = ~_any(rows, perhaps, n) & _observed(study, task, event, subjects, n)
    return Labels(positive & ~before, (positive | negative) & ~before)


def _event_days(event: EventLabel, rows: JoinedRows) -> DayRange:
    if event.day:
        days = rows.table[event.day].to_numpy()
        return DayRange(days, days)
    return rows.day


def _observed(
    study: Study, task: Task, event: EventLabel, subjects: JoinedSubjects, n: int
) -> np.ndarray:
    """Subjects who were followed up to the horizon; at all, where a task has none."""
    follow_up = event.follow_up
    if follow_up is None:
        return np.ones(n, bool)
    rows = subjects.rows[follow_up.dataset]
    mask = np.array(is_true(follow_up.where, rows.table), bool)
    until = _follow_up_days(study, follow_up, rows, subjects)
    horizon = study.landmark_day + 1 if task.horizon is None else task.horizon
    return _any(rows, mask & (until >= horizon), n)


def _follow_up_days(
    study: Study, follow_up: FollowUp, rows: JoinedRows, subjects: JoinedSubjects
) -> np.ndarray:
    if follow_up.day:
        return rows.table[follow_up.day].to_numpy()
    dates = _date_range(rows.table, str(follow_up.date))
    return study_days(dates, subjects.reference[rows.subject], study.first_day).earliest


def _state_labels(
    study: Study, task: Task, state: StateLabel, subjects: JoinedSubjects, n: int
) -> Labels:
    name = state.dataset or study.subject.dataset
    rows = subjects.rows[name]
    selects = evaluate(state.where, rows.table)
    mask = np.array(pc.fill_null(selects, False).to_numpy(), bool)
    possible = np.array(pc.fill_null(selects, True).to_numpy(), bool)
    described = study.datasets[name]
    if described.day or described.date:
        horizon = np.inf if task.horizon is None else task.horizon
        mask &= (rows.day.earliest > study.landmark_day) & (rows.day.latest <= horizon)
        possible &= ~((rows.day.latest <= study.landmark_day) | (rows.day.earliest > horizon))
    selected = rows.filter(mask)
    outcome = evaluate(state.positive, selected.table)
    position = np.full(n, -1, np.int64)
    position[selected.subject] = np.arange(len(selected.subject))
    of_subject = pc.take(outcome, pa.array(position, mask=position < 0))
    positive = pc.fill_null(of_subject, False).to_numpy()
    known = pc.is_valid(of_subject).to_numpy()
    if state.no_row == "negative":
        known = known | ~_any(rows, possible, n)
    return Labels(positive, known)


def _any(rows: JoinedRows, mask: np.ndarray, n: int) -> np.ndarray:
    return np.bincount(rows.subject[mask], minlength=n) > 0


def _date_range(table: pa.Table, column: str) -> DayRange:
    return DayRange(table[column].to_numpy(), table[column + LATEST].to_numpy())
