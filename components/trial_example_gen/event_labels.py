"""Labels of events: positive where one is dated after the landmark, up to the horizon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.trial_example_gen.ends import Ends
from components.trial_example_gen.event_rows import (
    EventRows,
    FirstEvents,
    days_of,
    event_rows,
    first_events,
    landmark_condition,
)
from components.trial_example_gen.masks import Labels, Masks, any_of
from pipeline.reading.evaluate import evaluate, is_true
from pipeline.reading.joined import JoinedSubjects
from pipeline.results.counts import MaskReason
from pipeline.study.conditions import Condition
from pipeline.study.sections import EventLabel, FollowUp, Task
from pipeline.study.study import Study


@dataclass(frozen=True)
class _Source:
    """Where a task's events come from.

    Attributes:
        study: The study.
        event: The task's label.
        subjects: Joined subjects, n of them.
        horizon: Last study day that counts; infinite without one.
    """

    study: Study
    event: EventLabel
    subjects: JoinedSubjects
    horizon: float

    @property
    def n(self) -> int:
        return len(self.subjects.keys)

    def rows(self, where: Condition | None) -> EventRows:
        rows = self.subjects.rows[self.event.dataset]
        return event_rows(self.study, self.event, where, rows, self.subjects)

    def lost_rows(self, where: Condition | None) -> EventRows | None:
        """Rejected rows that may be events, if any."""
        condition = landmark_condition(self.event)
        rows = self.subjects.lost_rows(self.event.dataset, where, condition)
        if rows is None:
            return None
        return event_rows(self.study, self.event, where, rows, self.subjects)

    def first(self, found: EventRows | None) -> FirstEvents:
        if found is None:
            return FirstEvents.none(self.n)
        return first_events(found, self.horizon, self.n)

    def is_observed_after_landmark(self, last: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether a subject who was last observed on a day could have had an event that counts."""
        landmark = self.study.landmark_day
        if self.event.landmark_day in ("masked", "before"):
            return last > landmark
        return last >= landmark


@dataclass(frozen=True)
class _Found:
    """What the rows of a task say of each subject; arrays of shape [n].

    Attributes:
        first: The first event.
        competing: The first competing event.
        positive: Whether a subject has the event, and no competing event before.
        competed: Whether a subject has a competing event, and the event not before.
    """

    first: FirstEvents
    competing: FirstEvents
    positive: NDArray[np.bool_]
    competed: NDArray[np.bool_]

    @classmethod
    def of(cls, first: FirstEvents, competing: FirstEvents) -> _Found:
        # On one and the same day the event counts.
        return cls(
            first,
            competing,
            first.has & (first.by <= competing.since),
            competing.has & (competing.by < first.since),
        )

    def decided(self, horizon: float) -> NDArray[np.float64]:
        """Earliest study day on which each label may have been known; NaN without a horizon."""
        day = np.where(self.competed, self.competing.since, horizon)
        day = np.where(self.positive, self.first.since, day)
        return np.where(np.isfinite(day), day, np.nan)

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Whether a subject has neither for certain."""
        return ~self.positive & ~self.competed


def event_labels(study: Study, task: Task, event: EventLabel, subjects: JoinedSubjects) -> Labels:
    """Derives the labels of a task whose label is an event.

    An event that is or may be at or before the landmark masks its subject, and so does a competing
    one. A rejected row is an event that may have happened: at any time, as far as its own day can't
    be read.

    Args:
        study: The study.
        task: The task.
        event: Its label.
        subjects: Joined subjects, n of them.

    Returns:
        The labels, with the end of each subject's observation if the task has a `follow_up`.
    """
    source = _Source(study, event, subjects, np.inf if task.horizon is None else task.horizon)
    rows = source.rows(event.where)
    competing = source.rows(event.competing) if event.competing else None
    found = _Found.of(source.first(rows), source.first(competing))
    masks = Masks(source.n)
    _mask_early(masks, rows, source.n)
    if competing is not None:
        _mask_early(masks, competing, source.n)
    lost = source.lost_rows(event.where)
    lost_competing = source.lost_rows(event.competing) if event.competing else None
    _mask_rejected(masks, source, found, lost, lost_competing)
    _mask_uncertain(masks, found)
    ends = None
    if event.follow_up:
        ends = _mask_unobserved(masks, source, event.follow_up, found, lost_competing)
    return masks.labels(found.positive, ends, found.decided(source.horizon))


def _mask_early(masks: Masks, found: EventRows, n: int) -> None:
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
    source: _Source,
    found: _Found,
    lost: EventRows | None,
    lost_competing: EventRows | None,
) -> None:
    """Masks subjects for whom a rejected row could have decided the label."""
    n = source.n
    if lost is not None:
        masks.add(any_of(lost.rows, lost.possible & ~lost.after, n), MaskReason.REJECTED_ROW)
        since = source.first(lost).since
        in_time = np.isfinite(since) & (~found.competed | (since <= found.competing.by))
        masks.add(in_time & ~found.positive, MaskReason.REJECTED_ROW)
    if lost_competing is not None:
        early = any_of(lost_competing.rows, lost_competing.possible & ~lost_competing.after, n)
        masks.add(early, MaskReason.REJECTED_ROW)
        earlier = source.first(lost_competing).since < found.first.by
        masks.add(found.positive & earlier, MaskReason.REJECTED_ROW)


def _mask_uncertain(masks: Masks, found: _Found) -> None:
    """Masks subjects with what may be the event in time, or may be after a competing one."""
    unsure = found.first.may_have & found.is_open
    other = found.competing.may_have & ~found.competing.is_certain
    masks.add(unsure & found.first.has & other, MaskReason.MISSING_VALUE)
    masks.add(unsure & found.first.is_certain, MaskReason.UNCERTAIN_DAY)
    masks.add(unsure, MaskReason.MISSING_VALUE)


def _mask_unobserved(
    masks: Masks,
    source: _Source,
    follow_up: FollowUp,
    found: _Found,
    lost_competing: EventRows | None,
) -> Ends:
    """Masks subjects without an event who were not followed up to the horizon.

    Returns:
        When the observation of each subject ended, and how.
    """
    n, subjects, horizon = source.n, source.subjects, source.horizon
    rows = subjects.rows[follow_up.dataset]
    counts = np.array(is_true(follow_up.where, rows.table), bool)
    until = days_of(source.study, follow_up, rows, subjects)
    unseen = found.is_open & ~any_of(rows, counts & (until.earliest >= horizon), n)
    lost = subjects.lost_rows(follow_up.dataset, follow_up.where)
    if lost is not None:
        may_count = pc.fill_null(evaluate(follow_up.where, lost.table), True).to_numpy()
        lost_until = days_of(source.study, follow_up, lost, subjects)
        masks.add(
            unseen & any_of(lost, may_count & ~(lost_until.latest < horizon), n),
            MaskReason.REJECTED_ROW,
        )
    _mask_perhaps_competed(masks, source, found, lost_competing, unseen)
    masks.add(unseen, MaskReason.NOT_FOLLOWED)
    last = np.full(n, -np.inf)
    seen = counts & ~np.isnan(until.earliest)
    np.maximum.at(last, rows.subject[seen], until.earliest[seen])
    ends = Ends.of(
        np.where(found.positive, found.first.by, np.inf),
        np.where(found.competed, found.competing.by, np.inf),
        last,
        horizon,
    )
    return ends.only(~unseen | source.is_observed_after_landmark(last))


def _mask_perhaps_competed(
    masks: Masks,
    source: _Source,
    found: _Found,
    lost_competing: EventRows | None,
    unseen: NDArray[np.bool_],
) -> None:
    """Masks subjects who may have left for a competing event, and so may be known negatives."""
    if lost_competing is not None:
        masks.add(unseen & source.first(lost_competing).may_have, MaskReason.REJECTED_ROW)
    masks.add(unseen & found.competing.is_certain, MaskReason.UNCERTAIN_DAY)
    masks.add(unseen & found.competing.may_have, MaskReason.MISSING_VALUE)
