"""One example per subject who is scored: what the model reads, and whether the trial had them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.trial_example_gen.examples import BuiltExamples
from components.trial_example_gen.features import derive_features
from components.trial_example_gen.subject_hashes import deal_hashes, subject_hashes
from pipeline.names import ARM, SITE, SUBJECT_HASH, flag_key
from pipeline.reading.evaluate import is_true
from pipeline.reading.exits import left_by_landmark
from pipeline.reading.groups import arm_names, site_names, slice_columns
from pipeline.reading.joined import JoinedSubjects
from pipeline.results.scoring import LEFT_BY_LANDMARK, OUTSIDE_POPULATION
from pipeline.study.study import Study


def build_scored(study: Study, subjects: JoinedSubjects, key: bytes) -> BuiltExamples:
    """Derives the features of each subject as for training, and nothing of an outcome.

    Args:
        study: The study.
        subjects: Joined subjects, n of them, also those outside of the population.
        key: Secret of the subject hash.

    Returns:
        The examples, without labels.
    """
    features = derive_features(study, subjects)
    table = subjects.rows[study.subject.dataset].table
    columns: dict[str, pa.Array] = dict(features.values)
    if study.arm:
        columns[ARM] = arm_names(study.arm.columns, table)
    if study.site and study.site.column in table.column_names:
        columns[SITE] = site_names(study.site, table)
    # The model answers prediction sets by group, as far as the groups are known.
    known = {*table.column_names, *columns}
    slicings = {
        name: slicing
        for name, slicing in study.slicing.by.items()
        if {slicing.column or slicing.date or slicing.of} <= known
    }
    columns |= slice_columns(slicings, table, columns)
    for flag, holds in (
        (OUTSIDE_POPULATION, ~np.array(is_true(study.population, table), bool)),
        (LEFT_BY_LANDMARK, _left(study, subjects)),
    ):
        columns[flag_key(flag)] = pa.array(holds.astype(np.float64))
    columns[SUBJECT_HASH] = pa.array(subject_hashes(study.study, subjects.keys, key), pa.binary())
    n = len(subjects.keys)
    return BuiltExamples(
        columns=columns,
        hashes=deal_hashes(study.study, subjects.keys, study.split.seed),
        arms=None,
        held_out=np.zeros(n, bool),
        groups=None,
        labels={},
        ends=Counter(),
        counts=Counter(
            {("features", name): int(lost.sum()) for name, lost in features.undecided.items()}
        ),
    )


def _left(study: Study, subjects: JoinedSubjects) -> NDArray[np.bool_]:
    """Who left at or before the landmark: no subject where the data have no such column."""
    column = study.subject.exit_day or study.subject.exit_date
    table = subjects.rows[study.subject.dataset].table
    if column not in table.column_names:
        return np.zeros(len(table), bool)
    return left_by_landmark(study, table, subjects.reference)
