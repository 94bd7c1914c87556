"""One example per subject of a later data cut: what is known of the outcomes, and since when.

No feature is read or derived: these subjects were predicted before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.trial_example_gen.examples import BuiltExamples, ends_by_stratum, group_names
from components.trial_example_gen.labels import derive_labels
from components.trial_example_gen.masks import REASONS, Labels
from components.trial_example_gen.subject_hashes import deal_hashes, subject_hashes
from pipeline.names import (
    ARM,
    SITE,
    SUBJECT_HASH,
    decided_on_key,
    ends_on_key,
    label_key,
    outcome_status_key,
    weight_key,
)
from pipeline.predictions.outcomes import CENSORED, OBSERVED, STATUSES, UNKNOWN
from pipeline.reading.days import date_of_day
from pipeline.reading.groups import arm_names, site_names, slice_columns
from pipeline.reading.joined import JoinedSubjects
from pipeline.results.counts import MaskReason
from pipeline.study.study import Study


def build_known(
    study: Study, subjects: JoinedSubjects, key: bytes, today: date | None = None
) -> BuiltExamples:
    """Derives the labels of each subject as for training, and since when they are known.

    Args:
        study: The study.
        subjects: Joined subjects, n of them.
        key: Secret of the subject hash.
        today: Day on which the cut is read, by UTC; None for now.

    Returns:
        The examples, without features.
    """
    n = len(subjects.keys)
    labels = derive_labels(study, subjects)
    columns = _groups(study, subjects)
    windows = {name: _window_end(study, subjects, name) for name in labels}
    day = (today or datetime.now(UTC).date()).toordinal() - _EPOCH
    labels = {name: _weighted(found, windows[name], day) for name, found in labels.items()}
    ends = ends_by_stratum(study, labels, columns, n)
    for task, found in labels.items():
        columns[label_key(task)] = pa.array(found.positive.astype(np.float64))
        # Weights for the end of follow-up follow when all subjects are counted.
        columns[weight_key(task)] = pa.array(found.known.astype(np.float64))
        columns[outcome_status_key(task)] = pa.array(_statuses(found))
        columns[decided_on_key(task)] = _dates(study, subjects, _decided(found, n))
        columns[ends_on_key(task)] = pa.array(windows[task], pa.float64(), from_pandas=True)
    columns[SUBJECT_HASH] = pa.array(subject_hashes(study.study, subjects.keys, key), pa.binary())
    return BuiltExamples(
        columns=columns,
        hashes=deal_hashes(study.study, subjects.keys, study.split.seed),
        arms=group_names(columns[ARM]) if study.arm else None,
        held_out=np.zeros(n, bool),
        groups=None,
        labels=labels,
        ends=ends,
        counts=Counter(),
    )


_EPOCH = date(1970, 1, 1).toordinal()


def _window_end(study: Study, subjects: JoinedSubjects, task: str) -> NDArray[np.float64]:
    """Date of the horizon, days since 1970-01-01; NaN without one, or without dates."""
    horizon = study.tasks[task].horizon
    last = np.full(len(subjects.keys), np.nan if horizon is None else float(horizon))
    return date_of_day(last, subjects.reference, study.first_day)


def _weighted(found: Labels, window: NDArray[np.float64], day: int) -> Labels:
    """Labels of which those alone are weighted whose window has ended.

    The outcomes of the others are recorded as censored, events as well. They would be in the model
    of censoring as if they had been lost, and who was followed would stand for them too.
    """
    if found.ends is None:
        return found
    # NaN, where the study has no dates, is no later day.
    return replace(found, ends=found.ends.only(~(window >= day)))


def _groups(study: Study, subjects: JoinedSubjects) -> dict[str, pa.Array]:
    """Arm, and the slices by which follow-up is weighted."""
    table = subjects.rows[study.subject.dataset].table
    needed = {name for task in study.tasks.values() for name in task.censoring.by}
    slicings = {name: study.slicing.by[name] for name in needed}
    columns: dict[str, pa.Array] = {}
    if study.arm:
        columns[ARM] = arm_names(study.arm.columns, table)
    if study.site and any(slicing.of == SITE for slicing in slicings.values()):
        columns[SITE] = site_names(study.site, table)
    return columns | slice_columns(slicings, table, columns)


def _statuses(found: Labels) -> NDArray[np.float64]:
    """Number of each subject's status in `STATUSES`, `[n]`."""
    ended_early = found.reason == REASONS.index(MaskReason.NOT_FOLLOWED) + 1
    return np.select(
        [found.known, ended_early],
        [float(STATUSES.index(OBSERVED)), float(STATUSES.index(CENSORED))],
        float(STATUSES.index(UNKNOWN)),
    )


def _decided(found: Labels, n: int) -> NDArray[np.float64]:
    days = np.full(n, np.nan) if found.decided is None else found.decided
    return np.where(found.known, days, np.nan)


def _dates(study: Study, subjects: JoinedSubjects, days: NDArray[np.float64]) -> pa.Array:
    """Dates of study days, days since 1970-01-01; null where the study has no dates."""
    dates = date_of_day(days, subjects.reference, study.first_day)
    return pa.array(dates, pa.float64(), from_pandas=True)
