"""Statistics of training subjects as the registry keeps them: no number is that of one subject.

TFDV's statistics hold the smallest and the largest value, quantiles that are values of subjects,
and every category with its count. The registry is read by who serves a model. It keeps what later
runs need: means and deviations, counts of bins and categories of at least the smallest group, and
limits that do not depend on the values of fewer subjects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.reading.examples import Categories, ExampleColumns, read_columns
from pipeline.skew.number_bins import counts_between, number_bins
from pipeline.study.features import MIN_CATEGORY_COUNT

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import statistics_pb2
    from tfx.types.artifact import Artifact

REST = "other (suppressed)"
"""In place of all categories that too few training subjects had for a count."""

_MOST_UNNAMED = 0.25
_NUMBERS, _CATEGORIES = "num_stats", "string_stats"


def read_described(
    examples: Artifact,
    split: str,
    described: statistics_pb2.DatasetFeatureStatistics,
    kinds: Mapping[str, str] | None = None,
    most_subjects: int | None = None,
) -> ExampleColumns:
    """Reads the columns of a split that statistics describe.

    Args:
        examples: The examples.
        split: The split.
        described: The statistics.
        kinds: `number` or `category` of each column to read, where the statistics may be of another
            study: those of another kind are not read. None reads all that are described.
        most_subjects: Subjects after this many are not read; None reads all.
    """
    numbers, categories = (
        [name for name in _names(described, stats) if kinds is None or kinds.get(name) == kind]
        for stats, kind in ((_NUMBERS, "number"), (_CATEGORIES, "category"))
    )
    return read_columns(examples, [split], numbers, categories, most_subjects)


def coarse_statistics(
    exact: statistics_pb2.DatasetFeatureStatistics, columns: ExampleColumns, smallest_group: int
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Statistics that hold no value of a single subject.

    Of a number: its mean and deviation; limits on round numbers, which follow from the means of
    five neighbouring values at each end that four values lie beyond; counts of bins between round
    numbers. Of categories: the names of those that the model has a code for, counts of those that
    the smallest group has, and the count of all others together. Where fewer subjects than the
    smallest group lack a value, half of it stands for their number.

    Args:
        exact: TFDV's statistics of the subjects.
        columns: The columns of the same subjects.
        smallest_group: Fewest subjects of a bin, and of a category with a count.
    """
    from tensorflow_metadata.proto.v0 import statistics_pb2

    found = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = found.datasets.add(name=exact.name, num_examples=columns.subjects)
    for feature in exact.features:
        kind, name = feature.WhichOneof("stats"), feature.path.step[0]
        if kind is None:
            continue
        values = _values(columns, name)
        present = _shown(_present(values), columns.subjects, smallest_group)
        added = _add(dataset, feature, present)
        if not present:
            continue
        if isinstance(values, Categories):
            _add_ranks(added, _summing_to(present, _common(values, smallest_group)))
            if _are_mostly_rare(values):
                # As in TFDV's statistics that do not list all categories.
                added.unique += 1
        else:
            added.mean, added.std_dev = feature.num_stats.mean, feature.num_stats.std_dev
            bins = number_bins(values, smallest_group)
            added.min, added.max = bins.lower, bins.upper
            _add_bins(added, bins.edges, bins.counts)
    return found


def compared_with(
    training: statistics_pb2.DatasetFeatureStatistics,
    current: statistics_pb2.DatasetFeatureStatisticsList,
    columns: ExampleColumns,
    smallest_group: int,
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Statistics of other subjects whose distances from those of the training can be computed.

    Args:
        training: Statistics as the registry keeps them: coarse ones, or TFDV's own of a model that
            an earlier release registered. TFDV approximates the bins of its own, so that counts in
            the same bins would be far from them.
        current: TFDV's statistics of the other subjects.
        columns: The columns of the same subjects.
        smallest_group: As in the statistics of the training.
    """
    return in_bins_of(training, columns, smallest_group) if _are_coarse(training) else current


def _are_coarse(training: statistics_pb2.DatasetFeatureStatistics) -> bool:
    """Whether statistics have neither quantiles nor most frequent values, as TFDV's own have."""
    return not any(
        feature.string_stats.top_values
        or any(h.type == h.QUANTILES for h in feature.num_stats.histograms)
        for feature in training.features
    )


def in_bins_of(
    training: statistics_pb2.DatasetFeatureStatistics, columns: ExampleColumns, smallest_group: int
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Counts of other subjects in the bins and categories that statistics of training have.

    Columns that the subjects do not have are left out. Numbers beyond the outermost bins are in
    these; categories that the training has not are with its rare ones.

    Args:
        training: Statistics as the registry keeps them.
        columns: The columns of the other subjects.
        smallest_group: As in the statistics of the training.
    """
    from tensorflow_metadata.proto.v0 import statistics_pb2

    found = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = found.datasets.add(num_examples=columns.subjects)
    for feature in training.features:
        kind, name = feature.WhichOneof("stats"), feature.path.step[0]
        if kind is None or name not in (
            columns.numbers if kind == _NUMBERS else columns.categories
        ):
            continue
        of_training = getattr(feature, kind)
        values = _values(columns, name)
        present = _present(values)
        if 0 < of_training.common_stats.num_missing < smallest_group:
            present = _shown(present, columns.subjects, smallest_group)
        added = _add(dataset, feature, present)
        if not present:
            continue
        if isinstance(values, Categories):
            ranks = {b.label: b.sample_count for b in of_training.rank_histogram.buckets}
            _add_ranks(
                added, _summing_to(present, like_training(_by_value(values), ranks, smallest_group))
            )
        elif len(edges := _edges(of_training)):
            _add_bins(added, edges, counts_between(values, edges))
    return found


def _names(described: statistics_pb2.DatasetFeatureStatistics, kind: str) -> list[str]:
    features = described.features
    return [feature.path.step[0] for feature in features if feature.WhichOneof("stats") == kind]


def _values(columns: ExampleColumns, name: str) -> NDArray[np.float32] | Categories:
    return columns.numbers[name] if name in columns.numbers else columns.categories[name]


def _present(values: NDArray[np.float32] | Categories) -> int:
    has_value = values.codes >= 0 if isinstance(values, Categories) else ~np.isnan(values)
    return int(has_value.sum())


def _add(
    dataset: statistics_pb2.DatasetFeatureStatistics,
    like: statistics_pb2.FeatureNameStatistics,
    present: int,
) -> Any:
    """Adds a feature with the number of subjects who have a value; returns its statistics."""
    kind = str(like.WhichOneof("stats"))
    added = getattr(dataset.features.add(path=like.path, type=like.type), kind)
    added.common_stats.num_non_missing = added.common_stats.tot_num_values = present
    added.common_stats.num_missing = dataset.num_examples - present
    added.common_stats.min_num_values = added.common_stats.max_num_values = int(present > 0)
    added.common_stats.avg_num_values = float(present > 0)
    return added


def _shown(present: int, subjects: int, smallest_group: int) -> int:
    """A number of subjects with a value from which no small number follows.

    Too few of them are none; where too few lack a value, half of the smallest group do.
    """
    if 0 < subjects - present < smallest_group:
        present = subjects - smallest_group // 2
    return present if present >= smallest_group else 0


def _summing_to(present: int, counts: Mapping[Any, Any]) -> dict[Any, Any]:
    """Counts whose sum is the number that is shown: else how few lack a value would follow."""
    largest = max(counts, key=lambda name: counts[name])
    return {**counts, largest: counts[largest] + present - sum(counts.values())}


def _edges(numbers: statistics_pb2.NumericStatistics) -> NDArray[np.float64]:
    for histogram in numbers.histograms:
        if histogram.type == histogram.STANDARD and histogram.buckets:
            buckets = histogram.buckets
            return np.array([buckets[0].low_value, *(bucket.high_value for bucket in buckets)])
    return np.empty(0)


def _add_bins(numbers: Any, edges: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
    """Adds a histogram, if there are bins."""
    if not len(edges):
        return
    summed = _summing_to(numbers.common_stats.num_non_missing, dict(enumerate(counts.tolist())))
    # 0 is TFDV's type `STANDARD`, which its distances are computed from.
    histogram = numbers.histograms.add(type=0)
    for low, high, count in zip(edges[:-1], edges[1:], summed.values(), strict=True):
        histogram.buckets.add(low_value=low, high_value=high, sample_count=count)


def _common(column: Categories, smallest_group: int) -> dict[str, int]:
    """Counts of the categories that enough subjects have, 0 of those that a model knows besides.

    The others are counted together; where they are fewer than the smallest group, with the most
    frequent category: their number would follow.
    """
    counts = _by_value(column)
    order = sorted(counts, key=lambda value: (-counts[value], value))
    found = {value: counts[value] for value in order if counts[value] >= smallest_group}
    rest = sum(counts.values()) - sum(found.values())
    if len(found) == len(counts):
        return found
    if found and rest < smallest_group:
        found[order[0]] += rest
        rest = 0
    known = (value for value in order if counts[value] >= MIN_CATEGORY_COUNT)
    return {value: found.get(value, 0) for value in known} | {REST: rest}


def _are_mostly_rare(column: Categories) -> bool:
    """Whether so many have categories without a name that a new one says nothing."""
    counts = _by_value(column).values()
    unnamed = sum(count for count in counts if count < MIN_CATEGORY_COUNT)
    return unnamed > _MOST_UNNAMED * sum(counts)


def like_training(
    counts: Mapping[str, float], ranks: Mapping[str, float], few: float
) -> dict[str, float]:
    """Subjects by the categories that have a count in the training, and all others together.

    Args:
        counts: Subjects by category.
        ranks: Training subjects by category, the most frequent first; `REST` where there are
            others.
        few: Fewer others are with the most frequent category, if those of the training are.
    """
    found = {label: 0.0 for label, count in ranks.items() if count}
    rest = 0.0
    for value, count in counts.items():
        if value in found:
            found[value] += count
        else:
            rest += count
    if rest < few and ranks.get(REST) == 0 and found:
        # As the few of the training are.
        found[next(iter(found))] += rest
        rest = 0.0
    return found | ({REST: found.get(REST, 0.0) + rest} if rest else {})


def _by_value(column: Categories) -> dict[str, int]:
    codes = column.codes[column.codes >= 0]
    counts = np.bincount(codes, minlength=len(column.values)).tolist()
    return dict(zip(column.values, counts, strict=True))


def _add_ranks(texts: statistics_pb2.StringStatistics, counts: Mapping[str, float]) -> None:
    texts.unique = len(counts)
    for label, count in counts.items():
        texts.rank_histogram.buckets.add(label=label, sample_count=count)
