"""One tf.Example per subject, from joined subjects."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.trial_example_gen.counts import count_labels
from components.trial_example_gen.encoding import encode_examples
from components.trial_example_gen.features import derive_features
from components.trial_example_gen.labels import derive_labels
from components.trial_example_gen.splits import split_of, subject_hash
from components.trial_example_gen.times import derive_times
from pipeline.names import ARM, SITE, SPLITS, SUBJECT_HASH, label_key, slice_key, weight_key
from pipeline.reading.joined import JoinedSubjects
from pipeline.reading.text import as_text
from pipeline.study.sections import Site, Slicing
from pipeline.study.study import Study

MISSING_GROUP = "missing"
"""Group of the subjects whose value a slice does not know."""


@dataclass(frozen=True)
class BuiltExamples:
    """Examples of one bucket.

    Attributes:
        by_split: Serialized tf.Examples of each split.
        counts: Subjects, and known and masked labels, of each split and arm.
    """

    by_split: dict[str, list[bytes]]
    counts: Counter[tuple[str, ...]]


def build_examples(study: Study, subjects: JoinedSubjects, key: bytes) -> BuiltExamples:
    """Derives features, labels, weights, groups and split of each subject, and encodes them.

    Args:
        study: The study.
        subjects: Joined subjects.
        key: Secret of the subject hash.

    Returns:
        The examples by split. A missing value has no feature value in its example.
    """
    features = derive_features(study, subjects)
    columns: dict[str, pa.Array] = dict(features.values)
    labels = derive_labels(study, subjects)
    for task, found in labels.items():
        columns[label_key(task)] = pa.array(found.positive.astype(np.float64))
        columns[weight_key(task)] = pa.array(found.known.astype(np.float64))
    columns |= derive_times(study, subjects)
    columns |= _groups(study, subjects)
    columns[SUBJECT_HASH] = pa.array(
        [subject_hash(study.study, subject, key) for subject in subjects.keys], pa.binary()
    )
    splits = derive_splits(study, subjects)
    arms = _names(columns[ARM]) if study.arm else None
    encoded = encode_examples(columns)
    by_split = {split: [encoded[i] for i in np.flatnonzero(splits == split)] for split in SPLITS}
    counts = count_labels(splits, arms, labels)
    for name, undecided in features.undecided.items():
        counts["features", name] = int(undecided.sum())
    return BuiltExamples(by_split, counts)


def derive_splits(study: Study, subjects: JoinedSubjects) -> NDArray[Any]:
    """Assigns each subject to its split.

    Args:
        study: The study.
        subjects: Joined subjects, n of them.

    Returns:
        "train", "eval" or "test", shape [n].
    """
    sites = [None] * len(subjects.keys)
    if study.site:
        sites = _site_names(study.site, subjects.rows[study.subject.dataset].table).to_pylist()
    splits = [
        split_of(study.study, subject, site, study.split)
        for subject, site in zip(subjects.keys, sites, strict=True)
    ]
    return np.array(splits, str)


def _site_names(site: Site, subjects: pa.Table) -> pa.Array:
    return as_text(subjects[site.column].combine_chunks())


def _groups(study: Study, subjects: JoinedSubjects) -> dict[str, pa.Array]:
    table = subjects.rows[study.subject.dataset].table
    columns: dict[str, pa.Array] = {}
    if study.arm:
        parts = [as_text(table[column].combine_chunks()) for column in study.arm.columns]
        columns[ARM] = pc.binary_join_element_wise(*parts, "/")
    if study.site:
        columns[SITE] = _site_names(study.site, table)
    for name, slicing in study.slicing.by.items():
        source = columns[slicing.of] if slicing.of else table[str(slicing.column)].combine_chunks()
        columns[slice_key(name)] = pc.fill_null(_group_names(slicing, source), MISSING_GROUP)
    return columns


def _names(groups: pa.Array) -> NDArray[Any]:
    return np.array(pc.fill_null(groups, MISSING_GROUP).to_pylist(), str)


def _group_names(slicing: Slicing, source: pa.Array) -> pa.Array:
    if not slicing.bands:
        return as_text(source)
    edges = [f"{edge:g}" for edge in slicing.bands]
    names = [f"<{edges[0]}"]
    names += [f"{low} to <{high}" for low, high in itertools.pairwise(edges)]
    names.append(f">={edges[-1]}")
    values = source.to_numpy(zero_copy_only=False)
    band = np.searchsorted(slicing.bands, values, side="right")
    return pa.array(np.array(names, object)[band], pa.string(), mask=np.isnan(values))
