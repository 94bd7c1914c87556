"""Features of subjects: columns known at the landmark, and aggregates of rows up to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.reading.evaluate import evaluate, is_true
from pipeline.reading.joined import JoinedRows, JoinedSubjects
from pipeline.reading.text import as_text
from pipeline.study.conditions import Condition
from pipeline.study.features import ResolvedFeature
from pipeline.study.study import Study


@dataclass(frozen=True)
class DerivedFeatures:
    """Features of subjects.

    Attributes:
        values: By name: float64 for numbers, string for categories, null where missing; length n.
        undecided: By name, whose feature is missing because a rejected row could have decided
            otherwise; booleans, shape [n]; only features of which there are some.
    """

    values: dict[str, pa.Array]
    undecided: dict[str, NDArray[np.bool_]]


def derive_features(study: Study, subjects: JoinedSubjects) -> DerivedFeatures:
    """Derives every feature of a study.

    Args:
        study: The study.
        subjects: Joined subjects, n of them.

    Returns:
        The features.
    """
    n = len(subjects.keys)
    known = {name: _known_by_landmark(study, name, rows) for name, rows in subjects.rows.items()}
    as_read = known | {
        name: _known_by_landmark(study, name, rows) for name, rows in subjects.as_read.items()
    }
    features = {
        feature.name: _derive(
            study,
            feature,
            (as_read if feature.rejected_rows == "ignore" else known)[feature.dataset],
            n,
        )
        for feature in study.resolved_features
    }
    is_any_lost = bool(subjects.rejected_rows or subjects.as_read)
    undecided = _undecided(study, subjects, features) if is_any_lost else {}
    for name, lost in undecided.items():
        nothing = pa.scalar(None, features[name].type)
        features[name] = pc.if_else(pa.array(lost), nothing, features[name])
    return DerivedFeatures(features, undecided)


def _undecided(
    study: Study, subjects: JoinedSubjects, features: Mapping[str, pa.Array]
) -> dict[str, NDArray[Any]]:
    """Whose feature a rejected row could have decided otherwise.

    A row could have unless what is readable of it shows otherwise: the feature's condition is
    not met, it is not known by the landmark, or it has no value.
    """
    found = {}
    for feature in study.resolved_features:
        rows = _lost_rows(study, feature, subjects)
        if rows is None or feature.rejected_rows == "ignore":
            continue
        lost = np.bincount(
            rows.subject[_may_belong(study, feature, rows)], minlength=len(subjects.keys)
        ).astype(bool)
        if feature.aggregate == "any":
            lost &= features[feature.name].to_numpy(zero_copy_only=False) != 1
        if lost.any():
            found[feature.name] = lost
    return found


def _lost_rows(
    study: Study, feature: ResolvedFeature, subjects: JoinedSubjects
) -> JoinedRows | None:
    """Rows that could have decided a feature otherwise, as far as their cells can't be read."""
    condition = _belongs(study, feature)
    if feature.aggregate is None:
        return subjects.undecided_rows(feature.dataset, condition)
    return subjects.lost_rows(feature.dataset, condition)


def _belongs(study: Study, feature: ResolvedFeature) -> Condition | None:
    """What a row with a value of the feature meets."""
    parts = [feature.where] if feature.where else []
    parameter = study.datasets[feature.dataset].parameter
    if feature.parameter is not None:
        parts.append(Condition(column=parameter, equals=feature.parameter))
    if feature.column is not None:
        parts.append(Condition(column=feature.column, present=True))
    return Condition(all=tuple(parts)) if parts else None


def _may_belong(study: Study, feature: ResolvedFeature, rows: JoinedRows) -> NDArray[np.bool_]:
    """Whether rejected rows may be rows of a feature; booleans, shape [rows]."""
    late = rows.day.earliest > study.landmark_day
    if feature.dataset in _later_on_landmark(study):
        late = rows.day.earliest >= study.landmark_day
    belongs = evaluate(_belongs(study, feature), rows.table)
    return np.asarray(pc.fill_null(belongs, True).to_numpy(), bool) & ~late


def _known_by_landmark(study: Study, dataset: str, rows: JoinedRows) -> JoinedRows:
    """Rows that may be used at the landmark.

    A row counts only if the latest day that it can lie on is not after the landmark, and not on
    its day where events of the dataset on that day are or may be after it. The columns of
    datasets with one row per subject are checked when the study file is read.
    """
    if study.datasets[dataset].rows == "one_per_subject":
        return rows
    if dataset in _later_on_landmark(study):
        return rows.filter(rows.day.latest < study.landmark_day)
    return rows.filter(rows.day.latest <= study.landmark_day)


def _later_on_landmark(study: Study) -> set[str]:
    """Datasets whose events on the landmark's day may be what a task predicts."""
    events = (task.event for task in study.tasks.values() if task.event)
    return {e.dataset for e in events if e.landmark_day not in ("masked", "before")}


def _derive(study: Study, feature: ResolvedFeature, rows: JoinedRows, n: int) -> pa.Array:
    if feature.aggregate is None:
        values = rows.table[str(feature.column)].combine_chunks()
        return _aligned(_as_kind(values, feature.kind), rows.subject, n)
    mask = np.array(is_true(feature.where, rows.table), bool)
    if feature.parameter is not None:
        parameter = rows.table[str(study.datasets[feature.dataset].parameter)]
        mask &= pc.fill_null(pc.equal(parameter, feature.parameter), False).to_numpy()
    selected = rows.filter(mask)
    if feature.aggregate in ("count", "any"):
        counts = np.bincount(selected.subject, minlength=n).astype(np.float64)
        return pa.array(counts if feature.aggregate == "count" else np.minimum(counts, 1.0))
    values = selected.table[str(feature.column)].combine_chunks()
    if feature.kind == "category":
        return _edge_value(_as_kind(values, "category"), selected.subject, feature, n)
    return _aggregate_numbers(feature, selected.subject, values.to_numpy(zero_copy_only=False), n)


def _as_kind(values: pa.Array, kind: str) -> pa.Array:
    return as_text(values) if kind == "category" else values


def _aligned(values: pa.Array, subject: NDArray[Any], n: int) -> pa.Array:
    position = np.full(n, -1, np.int64)
    position[subject] = np.arange(len(subject))
    return values.take(pa.array(position, mask=position < 0))


def _edge_value(
    values: pa.Array, subject: NDArray[Any], feature: ResolvedFeature, n: int
) -> pa.Array:
    present = np.flatnonzero(pc.is_valid(values).to_numpy(zero_copy_only=False))
    if feature.aggregate == "first":
        present = present[::-1]
    # Rows are in the order of time: a later assignment replaces an earlier one.
    position = np.full(n, -1, np.int64)
    position[subject[present]] = present
    return values.take(pa.array(position, mask=position < 0))


def _first(values: NDArray[Any], starts: NDArray[Any], _: NDArray[Any]) -> NDArray[Any]:
    return values[starts]


def _last(values: NDArray[Any], _: NDArray[Any], ends: NDArray[Any]) -> NDArray[Any]:
    return values[ends - 1]


def _change(values: NDArray[Any], starts: NDArray[Any], ends: NDArray[Any]) -> NDArray[Any]:
    """Last minus first; unknown with a single value."""
    return np.where(ends - starts > 1, values[ends - 1] - values[starts], np.nan)


def _mean(values: NDArray[Any], starts: NDArray[Any], ends: NDArray[Any]) -> NDArray[Any]:
    return np.add.reduceat(values, starts) / (ends - starts)


def _min(values: NDArray[Any], starts: NDArray[Any], _: NDArray[Any]) -> NDArray[Any]:
    return np.minimum.reduceat(values, starts)


def _max(values: NDArray[Any], starts: NDArray[Any], _: NDArray[Any]) -> NDArray[Any]:
    return np.maximum.reduceat(values, starts)


_NUMERIC: dict[str, Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], NDArray[Any]]] = {
    "first": _first,
    "last": _last,
    "change": _change,
    "mean": _mean,
    "min": _min,
    "max": _max,
}


def _aggregate_numbers(
    feature: ResolvedFeature, subject: NDArray[Any], values: NDArray[Any], n: int
) -> pa.Array:
    present = ~np.isnan(values)
    subject, values = subject[present], values[present]
    result = np.full(n, np.nan)
    if len(values):
        starts = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]])
        ends = np.r_[starts[1:], len(values)]
        result[subject[starts]] = _NUMERIC[str(feature.aggregate)](values, starts, ends)
    return pa.array(result, pa.float64(), from_pandas=True)
