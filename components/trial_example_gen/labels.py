"""Labels of subjects after the landmark, within each task's horizon, and why some are unknown."""

from __future__ import annotations

from components.trial_example_gen.event_labels import event_labels
from components.trial_example_gen.masks import Labels, Masks
from components.trial_example_gen.state_labels import state_labels
from pipeline.reading.evaluate import is_true
from pipeline.reading.exits import left_by_landmark
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
    own_rows = subjects.rows[study.subject.dataset]
    gone = left_by_landmark(study, own_rows.table, subjects.reference)
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
        labels[name] = masks.labels(found.positive, found.ends, found.decided)
    return labels
