"""Distances between two train splits, computed by TensorFlow Data Validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from pipeline.skew.distance import Distance, Measure

_MEASURES: dict[str, Measure] = {
    "number": "Jensen-Shannon divergence",
    "category": "L-infinity distance",
}


def drift_distances(
    current: statistics_pb2.DatasetFeatureStatisticsList,
    previous: statistics_pb2.DatasetFeatureStatisticsList,
    features: Mapping[str, Literal["number", "category"]],
    limit: float,
) -> tuple[Distance, ...]:
    """Distances of each feature from its distribution in an earlier train split.

    Of its values: Jensen-Shannon divergence of the histograms of numbers, L-infinity norm of
    the difference of the relative frequencies of categories, through TFDV's drift
    comparators. These ignore missing values, so the change in their share is computed as well.

    Args:
        current: Statistics of this run's train split.
        previous: Statistics of the champion's train split.
        features: Name and kind of each feature.
        limit: Threshold of the comparators; it does not change the distances.

    Returns:
        A distance of the values of each feature and, where both sides have the column, one of
        the share of missing values, in the order given.
    """
    schema = schema_pb2.Schema()
    for name, kind in features.items():
        _add_feature(schema, name, kind, limit)
    anomalies = tfdv.validate_statistics(current, schema, previous_statistics=previous)
    measured = {
        info.path.step[0]: info.drift_measurements[0].value
        for info in anomalies.drift_skew_info
        if info.drift_measurements
    }
    missing_now, missing_then = _missing_shares(current), _missing_shares(previous)
    distances: list[Distance] = []
    for name, kind in features.items():
        distances.append(Distance(name, _MEASURES[kind], measured.get(name)))
        if name in missing_now and name in missing_then:
            change = abs(missing_now[name] - missing_then[name])
            distances.append(Distance(name, "change in the share of missing values", change))
    return tuple(distances)


def _missing_shares(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> dict[str, float]:
    dataset = statistics.datasets[0]
    shares = {}
    for feature in dataset.features:
        kind = feature.WhichOneof("stats")
        present = getattr(feature, kind).common_stats.num_non_missing if kind else 0
        if dataset.num_examples:
            shares[feature.path.step[0]] = 1 - present / dataset.num_examples
    return shares


def _add_feature(schema: schema_pb2.Schema, name: str, kind: str, limit: float) -> None:
    feature = schema.feature.add(name=name)
    if kind == "number":
        feature.type = schema_pb2.FLOAT
        feature.drift_comparator.jensen_shannon_divergence.threshold = limit
    else:
        feature.type = schema_pb2.BYTES
        feature.drift_comparator.infinity_norm.threshold = limit
