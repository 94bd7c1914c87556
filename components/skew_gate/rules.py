"""The rules on features whose values are unlike those of the training subjects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from tensorflow_metadata.proto.v0 import statistics_pb2

from components.skew_gate.settings import SkewGateSettings
from pipeline.reading.examples import ExampleColumns
from pipeline.results.findings import Finding
from pipeline.skew.coarse_statistics import compared_with
from pipeline.skew.distance import Distance
from pipeline.skew.distances import drift_distances
from pipeline.skew.training_values import SeenValues, seen_values
from pipeline.titles import called

_HALF = 0.5


def skew_findings(
    current: statistics_pb2.DatasetFeatureStatisticsList,
    columns: ExampleColumns,
    training: statistics_pb2.DatasetFeatureStatisticsList,
    settings: SkewGateSettings,
) -> Iterator[Finding]:
    """Applies all rules; to fewer subjects than `smallest_group` none applies.

    Args:
        current: Statistics of the subjects who are to be scored.
        columns: Their columns that the model's statistics describe.
        training: Statistics of the training subjects, as the registry keeps them.
        settings: What the gate reads of the study.
    """
    subjects = current.datasets[0].num_examples
    if subjects < settings.smallest_group:
        return
    found = {feature.path.step[0]: feature for feature in current.datasets[0].features}
    seen = seen_values(training.datasets[0], settings.numbers, settings.categories)
    for name, of in seen.items():
        if name in found and (what := _what_is_new(found[name], of)):
            yield _mostly_new(name, what, settings)
    kinds: dict[str, Literal["number", "category"]] = {
        name: "number" if name in settings.numbers else "category" for name in seen if name in found
    }
    comparable = compared_with(training.datasets[0], current, columns, settings.smallest_group)
    for distance in drift_distances(comparable, training, kinds, settings.scoring.shift_limit):
        if _may_be_shown(distance, found[distance.feature], subjects, settings.smallest_group):
            yield _shift(distance, settings)


def _what_is_new(feature: statistics_pb2.FeatureNameStatistics, seen: SeenValues) -> str | None:
    """What is new of most values of a feature; None where they are like those of the training."""
    kind = str(feature.WhichOneof("stats"))
    present = getattr(feature, kind).common_stats.num_non_missing
    if not present:
        return "it has no value at all" if seen.share_missing < _HALF else None
    if kind == "num_stats":
        # More than half of the numbers lie beyond where their median does.
        inside = seen.lower <= feature.num_stats.median <= seen.upper
        return None if inside else "most of its numbers are out of the range of the training data"
    if seen.categories is None:
        return None
    known = sum(
        bucket.sample_count
        for bucket in feature.string_stats.rank_histogram.buckets
        if bucket.label in seen.categories
    )
    return "most of its values are unknown categories" if known < _HALF * present else None


def _mostly_new(name: str, what: str, settings: SkewGateSettings) -> Finding:
    return Finding(
        rule="mostly_new",
        severity=settings.scoring.mostly_new,
        message=(
            f"feature {called(name, settings.titles)}: {what}. It may be another coding or another "
            "unit than in the data that the model was trained on: check the column and its "
            "description in the study file (missing, range)."
        ),
        feature=name,
        title=settings.titles.get(name),
    )


def _may_be_shown(
    distance: Distance,
    feature: statistics_pb2.FeatureNameStatistics,
    subjects: int,
    smallest_group: int,
) -> bool:
    """Whether no small number of subjects without a value follows from the distance."""
    if distance.measure != "change in the share of missing values":
        return True
    kind = str(feature.WhichOneof("stats"))
    present = int(getattr(feature, kind).common_stats.num_non_missing)
    return not any(0 < n < smallest_group for n in (present, subjects - present))


def _shift(distance: Distance, settings: SkewGateSettings) -> Finding:
    limit = settings.scoring.shift_limit
    exceeded = distance.exceeds(limit)
    feature = called(distance.feature, settings.titles)
    if distance.value is None:
        text = (
            f"feature {feature} was not compared with the model's training data: one "
            "side has no value of it."
        )
    else:
        text = (
            f"feature {feature} differs from the model's training data: "
            f"{distance.measure} {distance.value:.3f} (limit {limit:g})."
        )
    advice = (
        " The model may be less well calibrated for these subjects: check units and coding, and "
        "validate it on them when their outcomes are known (trial validate)."
    )
    return Finding(
        rule="shifted",
        severity=settings.scoring.shifted if exceeded else "ok",
        message=f"{text}{advice if exceeded else ''}",
        feature=distance.feature,
        title=settings.titles.get(distance.feature),
        value=distance.value,
        limit=limit,
    )
