"""The features of the validation data beside those of the training data, from their statistics.

The registry keeps the statistics of the subjects that a model was trained on, not the subjects: a
model of membership (Debray et al., J Clin Epidemiol 2015;68:279-89) would need these. The spread of
the model's logit, which is that paper's other measure of case mix, is in `TaskValidation`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal

from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline.names import label_key, weight_key
from pipeline.results.validation import CaseMixFeature, FeatureSummary, ValueShare
from pipeline.skew.coarse_statistics import REST
from pipeline.study.features import UNTITLED

_MOST_VALUES = 10
_RATE = "observed_rate"

_Features = Mapping[str, statistics_pb2.FeatureNameStatistics]


def features_of(dataset: statistics_pb2.DatasetFeatureStatistics) -> _Features:
    """Statistics by name of the column."""
    return {feature.path.step[0]: feature for feature in dataset.features}


def compare_case_mix(
    training: statistics_pb2.DatasetFeatureStatistics,
    validation: statistics_pb2.DatasetFeatureStatistics,
    numbers: Mapping[str, str],
    categories: Mapping[str, str],
    smallest_group: int,
    titles: Mapping[str, str] = UNTITLED,
) -> tuple[CaseMixFeature, ...]:
    """Compares the features of two sets of subjects.

    Args:
        training: Statistics of the subjects that the model was trained on.
        validation: Statistics of those that it is validated on.
        numbers: Column of each number in `training`, by that in `validation`.
        categories: The same of categories.
        smallest_group: Values of fewer subjects are counted together.
        titles: Titles of the features that have one, by name.

    Returns:
        The features that either of them has, in the order given.
    """
    then, now = features_of(training), features_of(validation)
    kinds: list[tuple[Literal["number", "category"], Mapping[str, str]]] = [
        ("number", numbers),
        ("category", categories),
    ]
    found = []
    for kind, columns in kinds:
        summarize = _number if kind == "number" else _category
        for own, theirs in columns.items():
            if own not in now:
                continue
            before = (
                summarize(then[theirs], training.num_examples, smallest_group)
                if theirs in then
                else None
            )
            after = summarize(now[own], validation.num_examples, smallest_group)
            found.append(
                CaseMixFeature(
                    name=own,
                    title=titles.get(own),
                    kind=kind,
                    training=before,
                    validation=after,
                    difference=_difference(before, after),
                )
            )
    return tuple(found)


def observed_rate(
    dataset: statistics_pb2.DatasetFeatureStatistics, task: str, evaluated: Mapping[str, float]
) -> float | None:
    """Share of the subjects with a known label that have the outcome; None where it is not known.

    Unknown labels are 0 with weight 0, so the ratio of the means of label and weight is the share.
    Where subjects are weighted it does not follow from the two columns apart: then it is the
    weighted rate of the subjects that the model was evaluated on, out of fold all of them.

    Args:
        dataset: Statistics of the subjects that the model was trained on.
        task: The model's name of the task.
        evaluated: The registered model's metrics, by `task/metric`.
    """
    features = features_of(dataset)
    label, weight = features.get(label_key(task)), features.get(weight_key(task))
    if label is None or weight is None or not weight.num_stats.mean:
        return None
    if weight.num_stats.max > 1:
        return evaluated.get(f"{task}/{_RATE}")
    return label.num_stats.mean / weight.num_stats.mean


def _number(
    feature: statistics_pb2.FeatureNameStatistics, subjects: int, smallest_group: int
) -> FeatureSummary:
    known = feature.num_stats.common_stats.num_non_missing
    if known < smallest_group:
        return FeatureSummary()
    return FeatureSummary(
        missing=_missing(known, subjects, smallest_group),
        mean=feature.num_stats.mean,
        sd=feature.num_stats.std_dev,
    )


def _category(
    feature: statistics_pb2.FeatureNameStatistics, subjects: int, smallest_group: int
) -> FeatureSummary:
    known = feature.string_stats.common_stats.num_non_missing
    if known < smallest_group:
        return FeatureSummary()
    counts = {
        bucket.label: int(bucket.sample_count)
        for bucket in feature.string_stats.rank_histogram.buckets
        if bucket.label != REST
    }
    return FeatureSummary(
        missing=_missing(known, subjects, smallest_group),
        values=tuple(
            ValueShare(value=value, share=count / known)
            for value, count in _pooled(counts, known, smallest_group)
        ),
    )


def _missing(known: int, subjects: int, smallest_group: int) -> float | None:
    missing = subjects - known
    return None if 0 < missing < smallest_group or not subjects else missing / subjects


def _pooled(
    counts: Mapping[str, int], known: int, smallest_group: int
) -> Iterable[tuple[str | None, int]]:
    """Values with their counts; rare ones together, and with them whatever would disclose them."""
    shown = [
        (value, count)
        for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if count >= smallest_group
    ][:_MOST_VALUES]
    rest = known - sum(count for _, count in shown)
    while shown and 0 < rest < smallest_group:
        rest += shown.pop()[1]
    return [*shown, *([(None, rest)] if rest else [])]


def _difference(training: FeatureSummary | None, validation: FeatureSummary) -> float | None:
    if training is None:
        return None
    if training.values and validation.values:
        then = {item.value: item.share for item in training.values}
        now = {item.value: item.share for item in validation.values}
        return max(abs(now.get(value, 0.0) - then.get(value, 0.0)) for value in {*then, *now})
    if training.mean is None or validation.mean is None or training.sd is None:
        return None
    spread = math.sqrt((training.sd**2 + (validation.sd or 0.0) ** 2) / 2)
    return (validation.mean - training.mean) / spread if spread else None
