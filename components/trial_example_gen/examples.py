"""One example per subject, from joined subjects, as far as it is known before the deal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.trial_example_gen.censoring import EndCounts, count_ends, strata_by_slices
from components.trial_example_gen.features import derive_features
from components.trial_example_gen.labels import derive_labels
from components.trial_example_gen.masks import Labels
from components.trial_example_gen.subject_hashes import deal_hashes, subject_hashes
from components.trial_example_gen.times import derive_times
from pipeline.names import ARM, SITE, SUBJECT_HASH, label_key, slice_key, weight_key
from pipeline.reading.groups import MISSING_GROUP, arm_names, site_names, slice_columns
from pipeline.reading.joined import JoinedSubjects
from pipeline.study.study import Study


@dataclass(frozen=True)
class BuiltExamples:
    """Examples of one bucket that are not dealt to splits or folds yet.

    Attributes:
        columns: Features of the examples but for the folds; arrays `[n]`, null where missing.
        hashes: Hash of each subject for the deal, uint64 `[n]`.
        arms: Arm of each subject, shape `[n]`; None in a study without arms.
        held_out: Whether the subject's site is held out for the test split, `[n]`.
        groups: Group of each subject by which folds are formed, `[n]`; None if the study forms
            none.
        labels: Labels by task.
        ends: Subjects by how their follow-up ended, of the tasks that have some.
        counts: Subjects whose feature is missing because of a rejected row.
    """

    columns: dict[str, pa.Array]
    hashes: NDArray[np.uint64]
    arms: NDArray[Any] | None
    held_out: NDArray[np.bool_]
    groups: NDArray[Any] | None
    labels: dict[str, Labels]
    ends: EndCounts
    counts: Counter[tuple[str, ...]]

    @property
    def pseudonyms(self) -> list[bytes]:
        """Pseudonym of each subject."""
        return list(self.columns[SUBJECT_HASH].to_pylist())


def build_examples(study: Study, subjects: JoinedSubjects, key: bytes) -> BuiltExamples:
    """Derives features, labels, weights and groups of each subject.

    Args:
        study: The study.
        subjects: Joined subjects, n of them.
        key: Secret of the subject hash.

    Returns:
        The examples.
    """
    features = derive_features(study, subjects)
    columns: dict[str, pa.Array] = dict(features.values)
    labels = derive_labels(study, subjects)
    for task, found in labels.items():
        columns[label_key(task)] = pa.array(found.positive.astype(np.float64))
        # Weights for the end of follow-up follow when all subjects are counted.
        columns[weight_key(task)] = pa.array(found.known.astype(np.float64))
    columns |= derive_times(study, subjects)
    columns |= _groups(study, subjects)
    columns[SUBJECT_HASH] = pa.array(subject_hashes(study.study, subjects.keys, key), pa.binary())
    by = study.evaluation.by
    grouped = None if by is None else columns[SITE if by == SITE else slice_key(by)]
    return BuiltExamples(
        columns=columns,
        hashes=deal_hashes(study.study, subjects.keys, study.split.seed),
        arms=group_names(columns[ARM]) if study.arm else None,
        held_out=_held_out(study, columns),
        groups=None if grouped is None else group_names(grouped),
        labels=labels,
        ends=ends_by_stratum(study, labels, columns, len(subjects.keys)),
        counts=Counter(
            {("features", name): int(n.sum()) for name, n in features.undecided.items()}
        ),
    )


def ends_by_stratum(
    study: Study, labels: Mapping[str, Labels], columns: Mapping[str, pa.Array], n: int
) -> EndCounts:
    """Counts how the follow-up of n subjects ended, of the tasks that have some.

    Args:
        study: The study.
        labels: Labels by task.
        columns: Columns of the subjects: their arms and the slices of `censoring.by`.
        n: Number of subjects.
    """
    counts: EndCounts = Counter()
    arms = group_names(columns[ARM]).tolist() if study.arm else None
    for task, found in labels.items():
        if found.ends is not None:
            slices = [columns[slice_key(by)].to_pylist() for by in study.tasks[task].censoring.by]
            counts.update(count_ends(task, strata_by_slices(arms, slices, n), found.ends))
    return counts


def _held_out(study: Study, columns: Mapping[str, pa.Array]) -> NDArray[np.bool_]:
    if not study.split.holdout_sites:
        return np.zeros(len(columns[SUBJECT_HASH]), bool)
    return np.isin(group_names(columns[SITE]), study.split.holdout_sites)


def _groups(study: Study, subjects: JoinedSubjects) -> dict[str, pa.Array]:
    table = subjects.rows[study.subject.dataset].table
    columns: dict[str, pa.Array] = {}
    if study.arm:
        columns[ARM] = arm_names(study.arm.columns, table)
    if study.site:
        columns[SITE] = site_names(study.site, table)
    columns |= slice_columns(study.slicing.by, table, columns)
    if study.evaluation.by == SITE and SITE not in study.slicing.by:
        columns[slice_key(SITE)] = pc.fill_null(columns[SITE], MISSING_GROUP)
    return columns


def group_names(groups: pa.Array) -> NDArray[Any]:
    """Group of each subject as text, `[n]`."""
    return np.array(pc.fill_null(groups, MISSING_GROUP).to_pylist(), str)
