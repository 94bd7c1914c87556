"""Rows that are or may be events, and where they lie beside the landmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.reading.days import DayRange, date_range, study_days
from pipeline.reading.evaluate import evaluate
from pipeline.reading.joined import JoinedRows, JoinedSubjects
from pipeline.reading.lost_qualifiers import is_undecided
from pipeline.reading.moments import moments_in, order_of
from pipeline.study.conditions import Condition
from pipeline.study.sections import EventLabel, FollowUp, LandmarkOrder
from pipeline.study.study import Study


@dataclass(frozen=True)
class EventRows:
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


@dataclass(frozen=True)
class FirstEvents:
    """Each subject's first event after the landmark, up to the horizon; all of shape [n].

    Attributes:
        by: Study day by which the first one has certainly happened; infinite without one.
        since: Study day from which on one may have happened; infinite without one.
        is_certain: Whether there is a row that is certainly one, whatever its day.
    """

    by: NDArray[np.float64]
    since: NDArray[np.float64]
    is_certain: NDArray[np.bool_]

    @property
    def has(self) -> NDArray[np.bool_]:
        """Whether a subject certainly has one."""
        return np.isfinite(self.by)

    @property
    def may_have(self) -> NDArray[np.bool_]:
        """Whether a subject has or may have one."""
        return np.isfinite(self.since)

    @classmethod
    def none(cls, n: int) -> FirstEvents:
        """No event of n subjects."""
        never = np.full(n, np.inf)
        return cls(never, never, np.zeros(n, bool))


def first_events(found: EventRows, horizon: float, n: int) -> FirstEvents:
    """Finds the first event of each subject.

    Args:
        found: The rows.
        horizon: Last study day that counts.
        n: Number of subjects.
    """
    in_time = found.after & (found.day.earliest <= horizon)
    by, since = np.full((2, n), np.inf)
    sure = found.certain & in_time & (found.day.latest <= horizon)
    np.minimum.at(by, found.rows.subject[sure], found.day.latest[sure])
    perhaps = found.possible & in_time
    np.minimum.at(since, found.rows.subject[perhaps], found.day.earliest[perhaps])
    is_certain = np.bincount(found.rows.subject[found.certain & in_time], minlength=n) > 0
    return FirstEvents(by, since, is_certain)


def event_rows(
    study: Study,
    event: EventLabel,
    where: Condition | None,
    rows: JoinedRows,
    subjects: JoinedSubjects,
) -> EventRows:
    """Which rows are or may be events, and when.

    Args:
        study: The study.
        event: The task's label.
        where: Which rows are events: `where` or `competing` of the label.
        rows: Rows of its dataset.
        subjects: Joined subjects.
    """
    outcome = evaluate(where, rows.table)
    day = days_of(study, event, rows, subjects) if event.day or event.date else rows.day
    before, after = day.latest < study.landmark_day, day.earliest > study.landmark_day
    on = (day.earliest <= study.landmark_day) & (day.latest == study.landmark_day)
    no_day = _is_no_day(study, event, day)
    before &= ~no_day
    if on.any() or event.landmark_day == "after":
        is_after, is_before = _on_landmark(study, event, rows, day, subjects)
        before, after = before | is_before, after | is_after
    on = (on | no_day) & ~before & ~after
    return EventRows(
        rows=rows,
        certain=pc.fill_null(outcome, False).to_numpy(),
        possible=pc.fill_null(outcome, True).to_numpy(),
        day=day,
        before=before,
        on=on,
        after=after,
        undecided=is_undecided(rows.table, where)
        | (on & is_undecided(rows.table, landmark_condition(event))),
    )


def _is_no_day(study: Study, event: EventLabel, day: DayRange) -> NDArray[np.bool_]:
    """Whether a study day is one that there is not: 0, where the first one is 1.

    Data with such a day may count from 0, so that it may be the day of a baseline landmark.
    """
    if (
        not study.first_day
        or study.landmark_day > study.first_day
        or event.landmark_day == "before"
    ):
        return np.zeros(len(day.latest), bool)
    return (day.earliest > -1) & (day.latest < study.first_day)


def landmark_condition(event: EventLabel) -> Condition | None:
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


def days_of(
    study: Study, source: EventLabel | FollowUp, rows: JoinedRows, subjects: JoinedSubjects
) -> DayRange:
    """Study days of rows by the column of the day, or of the date, that the label names."""
    if source.day:
        days = rows.table[source.day].to_numpy()
        return DayRange(days, days)
    dates = date_range(rows.table, str(source.date))
    return study_days(dates, subjects.reference[rows.subject], study.first_day)
