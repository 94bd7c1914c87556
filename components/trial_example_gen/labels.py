"""Labels of subjects after the landmark, within each task's horizon, and why some are unknown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components.trial_example_gen.event_labels import event_labels
from components.trial_example_gen.masks import Labels, Masks
from components.trial_example_gen.state_labels import state_labels
from pipeline.reading.days import date_range, study_days
from pipeline.reading.evaluate import is_true
from pipeline.reading.joined import JoinedSubjects
from pipeline.results.counts import MaskReason
from pipeline.study.study import Study


def derive_labels(study: Study, subjects: JoinedSubjects) -> dict[str, Labels]:
    """Derives the labels of every task.

    Args:
        study: The study.
        subjects: Joined subjects, n of them.

    Returns:
        Labels by task.
    """
    n = len(subjects.keys)
    gone = gone_by_landmark(study, subjects)
    own_rows = subjects.rows[study.subject.dataset]
    labels = {}
    for name, task in study.tasks.items():
        masks = Masks(n)
        if task.unknown_when:
            masks.add(is_true(task.unknown_when, own_rows.table), MaskReason.UNKNOWN_WHEN)
        masks.add(gone, MaskReason.LEFT)
        if task.event is not None:
            found = event_labels(study, task, task.event, subjects)
        else:
            assert task.state is not None
            found = state_labels(study, task, task.state, subjects)
        masks.add_all(found)
        labels[name] = masks.labels(found.positive, found.ends)
    return labels


def gone_by_landmark(study: Study, subjects: JoinedSubjects) -> NDArray[np.bool_]:
    """Subjects who left the trial at or before the landmark, or may have; booleans, shape [n]."""
    table = subjects.rows[study.subject.dataset].table
    if study.subject.exit_day:
        exit_day = table[study.subject.exit_day].to_numpy()
    elif study.subject.exit_date:
        dates = date_range(table, study.subject.exit_date)
        exit_day = study_days(dates, subjects.reference, study.first_day).earliest
    else:
        return np.zeros(len(table), bool)
    return exit_day <= study.landmark_day
