"""What a model has seen of each feature, from the statistics of its training subjects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.skew.coarse_statistics import REST

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import statistics_pb2


@dataclass(frozen=True)
class SeenValues:
    """What the training subjects had of a feature, as far as the registry keeps it.

    Attributes:
        lower: Lower limit of their numbers, see `pipeline.skew.coarse_statistics`; minus infinity
            where nothing is known of it.
        upper: Upper limit.
        categories: Those that the model knows; None of a number, and where there are too many to
            be listed.
        has_rare: Whether there were further categories.
        always_present: Whether no training subject lacked it.
        share_missing: Share of the training subjects who lacked it.
        bins: Upper end of each bin that the statistics have of a number, rising, with the subjects
            in it; empty where there is none.
    """

    lower: float = -math.inf
    upper: float = math.inf
    categories: frozenset[str] | None = None
    has_rare: bool = False
    always_present: bool = False
    share_missing: float = 1.0
    bins: tuple[tuple[float, float], ...] = ()


def seen_values(
    statistics: statistics_pb2.DatasetFeatureStatistics,
    numbers: Iterable[str],
    categories: Iterable[str],
) -> dict[str, SeenValues]:
    """Reads what the training subjects had of each feature.

    Args:
        statistics: Statistics of the training subjects.
        numbers: Names of the numbers.
        categories: Names of the categories.

    Returns:
        By name of the feature; one that the model was not trained on is not among them.
    """
    found = {feature.path.step[0]: feature for feature in statistics.features}
    subjects = statistics.num_examples
    seen = {name: _of_number(found[name], subjects) for name in numbers if name in found}
    return seen | {
        name: _of_category(found[name], subjects) for name in categories if name in found
    }


def _of_number(feature: statistics_pb2.FeatureNameStatistics, subjects: int) -> SeenValues:
    present = feature.num_stats.common_stats.num_non_missing
    if not present:
        return SeenValues()
    return SeenValues(
        lower=feature.num_stats.min,
        upper=feature.num_stats.max,
        always_present=present == subjects,
        share_missing=1 - present / subjects,
        bins=tuple(_bins(feature.num_stats.histograms)),
    )


def _bins(histograms: Sequence[statistics_pb2.Histogram]) -> Iterator[tuple[float, float]]:
    """Quantiles of a model that an earlier release registered; else the bins of coarse statistics.

    TFDV's own statistics have both, and its bins are of equal width.
    """
    for histogram in sorted(histograms, key=lambda found: found.type != found.QUANTILES)[:1]:
        yield from ((b.high_value, b.sample_count) for b in histogram.buckets)


def _of_category(feature: statistics_pb2.FeatureNameStatistics, subjects: int) -> SeenValues:
    present = feature.string_stats.common_stats.num_non_missing
    if not present:
        return SeenValues()
    buckets = feature.string_stats.rank_histogram.buckets
    are_all = len(buckets) >= feature.string_stats.unique
    labels = frozenset(bucket.label for bucket in buckets)
    return SeenValues(
        categories=labels - {REST} if are_all else None,
        has_rare=REST in labels,
        always_present=present == subjects,
        share_missing=1 - present / subjects,
    )
