"""Labels of events: positive where one is dated after the landmark, up to the horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.trial_example_gen.masks import Labels, Masks, any_of
from pipeline.reading.days import DayRange, date_range, study_days
from pipeline.reading.evaluate import evaluate, is_true
from pipeline.reading.joined import JoinedRows, JoinedSubjects
from pipeline.reading.lost_qualifiers import is_undecided
from pipeline.reading.moments import moments_in, order_of
from pipeline.results.counts import MaskReason
from pipeline.study.conditions import Condition
from pipeline.study.sections import EventLabel, FollowUp, LandmarkOrder, Task
from pipeline.study.study import Study


@dataclass(frozen=True)
class _EventRows:
    """Rows that are or may be events; each array is of booleans, shape [rows].

    Attributes:
        rows: The rows.
        certain: Whether a row is an event.
        possible: Whether it is or may be one.
        day: Study day of the event.
        before: Whether its day is certainly at or before the landmark, but not `on`.
        on: Whether it is on the landmark's day, and whether before or after is not known.
        after: Whether it is certainly after the landmark.
        undecided: Whether a qualifier that can't be read leaves it unknown whether a row is an
            event, or whether one on the landmark's day is before or after.
    """

    rows: JoinedRows
    certain: NDArray[np.bool_]
    possible: NDArray[np.bool_]
    day: DayRange
    before: NDArray[Any]
    on: NDArray[Any]
    after: NDArray[Any]
    undecided: NDArray[np.bool_]


def event_labels(study: Study, task: Task, event: EventLabel, subjects: JoinedSubjects) -> Labels:
    """Derives the labels of a task whose label is an event.

    An event that is or may be at or before the landmark masks its subject. A rejected row is an
    event that may have happened: at any time, as far as its own day can't be read.

    Args:
        study: The study.
        task: The task.
        event: Its label.
        subjects: Joined subjects, n of them.

    Returns:
        The labels.
    """
    n = len(subjects.keys)
    found = _event_rows(study, event, subjects.rows[event.dataset], subjects)
    horizon = np.inf if task.horizon is None else task.horizon
    in_time = found.after & (found.day.earliest <= horizon)
    positive = any_of(found.rows, found.certain & in_time & (found.day.latest <= horizon), n)
    perhaps = any_of(found.rows, found.possible & in_time, n)
    masks = Masks(n)
    _mask_early(masks, found, n)
    _mask_rejected(masks, study, event, subjects, horizon, positive)
    if (perhaps & ~positive).any():
        unsure = any_of(found.rows, found.certain & in_time, n)
        masks.add(unsure & ~positive, MaskReason.UNCERTAIN_DAY)
        masks.add(perhaps & ~positive, MaskReason.MISSING_VALUE)
    _mask_unobserved(masks, study, task, event, subjects, positive)
    return masks.labels(positive)


def _event_rows(
    study: Study, event: EventLabel, rows: JoinedRows, subjects: JoinedSubjects
) -> _EventRows:
    outcome = evaluate(event.where, rows.table)
    day = _days(study, event, rows, subjects) if event.day or event.date else rows.day
    before, after = day.latest < study.landmark_day, day.earliest > study.landmark_day
    on = (day.earliest <= study.landmark_day) & (day.latest == study.landmark_day)
    if on.any() or event.landmark_day == "after":
        is_after, is_before = _on_landmark(study, event, rows, day, subjects)
        before, after = before | is_before, after | is_after
    on = on & ~before & ~after
    return _EventRows(
        rows=rows,
        certain=pc.fill_null(outcome, False).to_numpy(),
        possible=pc.fill_null(outcome, True).to_numpy(),
        day=day,
        before=before,
        on=on,
        after=after,
        undecided=is_undecided(rows.table, event.where)
        | (on & is_undecided(rows.table, _landmark_condition(event))),
    )


def _landmark_condition(event: EventLabel) -> Condition | None:
    """What must be readable of a row on the landmark's day."""
    if isinstance(event.landmark_day, LandmarkOrder):
        return Condition(column=event.landmark_day.column, present=True)
    return event.landmark_day if isinstance(event.landmark_day, Condition) else None


def _on_landmark(
    study: Study, event: EventLabel, rows: JoinedRows, day: DayRange, subjects: JoinedSubjects
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Whether rows that may be on the landmark's day are certainly after, or before, it."""
    landmark = study.landmark_day
    none = np.zeros(len(day.latest), bool)
    if landmark > study.first_day or event.landmark_day == "before":
        # The landmark is the end of its day.
        return none, day.latest == landmark
    if event.landmark_day == "after":
        return day.earliest == landmark, none
    on = (day.earliest == landmark) & (day.latest == landmark)
    if isinstance(event.landmark_day, LandmarkOrder):
        own_rows = subjects.rows[study.subject.dataset].table
        of_landmark = moments_in(own_rows, event.landmark_day.landmark)
        later, earlier = order_of(
            moments_in(rows.table, event.landmark_day.column),
            of_landmark.take(pa.array(rows.subject)),
        )
        return on & later, on & earlier
    if isinstance(event.landmark_day, Condition):
        is_after = evaluate(event.landmark_day, rows.table)
        yes = pc.fill_null(is_after, False).to_numpy()
        no = pc.fill_null(pc.invert(is_after), False).to_numpy()
        return on & yes, on & no
    return none, none


def _mask_early(masks: Masks, found: _EventRows, n: int) -> None:
    """Masks subjects with an event that is or may be at or before the landmark.

    Those of which a rejected qualifier leaves that open are left to `_mask_rejected`.
    """
    early = found.possible & ~found.after & ~found.undecided
    if not early.any():
        return
    sure = early & found.certain
    masks.add(any_of(found.rows, sure & found.before, n), MaskReason.BEFORE)
    masks.add(any_of(found.rows, sure & found.on, n), MaskReason.ON_LANDMARK)
    undated = np.isnan(found.day.earliest)
    masks.add(any_of(found.rows, sure & undated, n), MaskReason.UNDATED)
    masks.add(any_of(found.rows, sure, n), MaskReason.UNCERTAIN_DAY)
    masks.add(any_of(found.rows, early, n), MaskReason.MISSING_VALUE)


def _mask_rejected(
    masks: Masks,
    study: Study,
    event: EventLabel,
    subjects: JoinedSubjects,
    horizon: float,
    positive: NDArray[Any],
) -> None:
    """Masks subjects for whom a rejected row could have decided the label."""
    n = len(subjects.keys)
    rows = subjects.lost_rows(event.dataset, event.where, _landmark_condition(event))
    if rows is not None:
        lost = _event_rows(study, event, rows, subjects)
        masks.add(any_of(lost.rows, lost.possible & ~lost.after, n), MaskReason.REJECTED_ROW)
        in_time = lost.possible & lost.after & (lost.day.earliest <= horizon)
        masks.add(any_of(lost.rows, in_time, n) & ~positive, MaskReason.REJECTED_ROW)


def _mask_unobserved(
    masks: Masks,
    study: Study,
    task: Task,
    event: EventLabel,
    subjects: JoinedSubjects,
    positive: NDArray[Any],
) -> None:
    """Masks subjects without an event who were not followed up to the horizon."""
    follow_up = event.follow_up
    if follow_up is None:
        return
    horizon = study.landmark_day + 1 if task.horizon is None else task.horizon
    n = len(subjects.keys)
    rows = subjects.rows[follow_up.dataset]
    counts = np.array(is_true(follow_up.where, rows.table), bool)
    until = _days(study, follow_up, rows, subjects)
    unseen = ~positive & ~any_of(rows, counts & (until.earliest >= horizon), n)
    lost = subjects.lost_rows(follow_up.dataset, follow_up.where)
    if lost is not None:
        may_count = pc.fill_null(evaluate(follow_up.where, lost.table), True).to_numpy()
        until = _days(study, follow_up, lost, subjects)
        masks.add(
            unseen & any_of(lost, may_count & ~(until.latest < horizon), n),
            MaskReason.REJECTED_ROW,
        )
    masks.add(unseen, MaskReason.NOT_FOLLOWED)


def _days(
    study: Study, source: EventLabel | FollowUp, rows: JoinedRows, subjects: JoinedSubjects
) -> DayRange:
    """Study days of rows by the column of the day, or of the date, that the label names."""
    if source.day:
        days = rows.table[source.day].to_numpy()
        return DayRange(days, days)
    dates = date_range(rows.table, str(source.date))
    return study_days(dates, subjects.reference[rows.subject], study.first_day)
