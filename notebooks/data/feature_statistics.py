"""TFDV's statistics of a run, without values of single subjects.

TFDV's own views show the smallest and the largest value, every rank of a category and bars of a
single subject. Here a bar has at least the study's smallest group of subjects, its edges are
round numbers, the outermost ones are open, and rare categories are pooled.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.html.numbers import round_text
from pipeline.results.group_order import rising

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import statistics_pb2

STATISTICS_FILE = "FeatureStats.pb"
RARE = "other"

_MOST_VALUES = 12
_BARS = 20
_NICE_STEPS = (1, 2, 2.5, 5, 10)
_WHOLE_RANGE = 200


@dataclass(frozen=True)
class FeatureStatistics:
    """A column of a split.

    Attributes:
        name: The column.
        subjects: Subjects of the split.
        present: Those of them with a value.
        mean: Mean of a number; None for a category.
        deviation: Standard deviation; None likewise.
        values: Subjects by value of a category, the most frequent first; empty for a number.
        counts: Subjects in the intervals between `edges`, [k]; None for a category, and if the
            statistics hold no histogram.
        edges: Ends of the intervals, rising, some of them twice; [k + 1]. They are subjects'
            own values and must not be shown.
        whole: Whether a number has whole values only, judged by its deciles.
    """

    name: str
    subjects: int
    present: int
    mean: float | None = None
    deviation: float | None = None
    values: tuple[tuple[str, int], ...] = ()
    counts: NDArray[np.float64] | None = None
    edges: NDArray[np.float64] | None = None
    whole: bool = False

    @property
    def missing_share(self) -> float:
        """Share of the subjects without a value; NaN where there are no subjects."""
        return 1 - self.present / self.subjects if self.subjects else math.nan


@dataclass(frozen=True)
class Bars:
    """Distributions of one column over the same bars.

    Attributes:
        names: Value or interval of each bar; [k].
        shares: Share of the subjects with a value, by distribution; each [k].
    """

    names: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]


def read_statistics(folder: str, split: str) -> dict[str, FeatureStatistics]:
    """Statistics of a split that StatisticsGen wrote.

    Args:
        folder: The artifact's folder.
        split: The split.

    Raises:
        UserError: The statistics are missing.
    """
    # TensorFlow Data Validation takes seconds to import.
    import tensorflow as tf
    import tensorflow_data_validation as tfdv

    path = f"{folder}/Split-{split}/{STATISTICS_FILE}"
    if not tf.io.gfile.exists(path):
        raise UserError(f"{path}: statistics of StatisticsGen not found. Rerun the pipeline.")
    (dataset,) = tfdv.load_stats_binary(path).datasets
    return {
        feature.path.step[0]: _feature(feature, dataset.num_examples)
        for feature in dataset.features
    }


def has_statistics(folder: str, split: str = "train") -> bool:
    """Whether the folder has statistics: without a champion ChampionModel writes none."""
    return Path(f"{folder}/Split-{split}/{STATISTICS_FILE}").exists()


def bars(found: Sequence[FeatureStatistics], smallest: int) -> Bars | None:
    """Distributions of a column, of several splits or runs, on common bars.

    Args:
        found: The column in each of them.
        smallest: Fewest subjects of a bar in each distribution: smaller bars are merged with their
            neighbours, rare categories with each other.

    Returns:
        None if nothing may be shown.
    """
    if not found or any(item.present < smallest for item in found):
        return None
    if all(item.counts is not None for item in found):
        return _numeric_bars(found, smallest)
    return _category_bars(found, smallest)


def _feature(feature: statistics_pb2.FeatureNameStatistics, subjects: int) -> FeatureStatistics:
    name = feature.path.step[0]
    kind = feature.WhichOneof("stats")
    if kind == "num_stats":
        numbers = feature.num_stats
        whole = _is_whole(numbers)
        counts, edges = _whole_histogram(numbers) if whole else _histogram(numbers)
        return FeatureStatistics(
            name,
            subjects,
            numbers.common_stats.num_non_missing,
            mean=numbers.mean,
            deviation=numbers.std_dev,
            counts=counts,
            edges=edges,
            whole=whole,
        )
    if kind == "string_stats":
        ranked = feature.string_stats.rank_histogram.buckets
        return FeatureStatistics(
            name,
            subjects,
            feature.string_stats.common_stats.num_non_missing,
            values=tuple((bucket.label, round(bucket.sample_count)) for bucket in ranked),
        )
    return FeatureStatistics(name, subjects, 0)


def _histogram(
    numbers: statistics_pb2.NumericStatistics,
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Combines both histograms of TFDV: that of equally wide intervals and that of deciles."""
    points: list[tuple[float, float]] = []
    for histogram in numbers.histograms:
        cumulated = 0.0
        for bucket in histogram.buckets:
            points.append((bucket.low_value, cumulated))
            cumulated += bucket.sample_count
            points.append((bucket.high_value, cumulated))
    if not points:
        return None, None
    edges, cumulated_counts = np.array(sorted(points)).T
    counts = np.diff(np.maximum.accumulate(cumulated_counts))
    return counts, edges


def _whole_histogram(
    numbers: statistics_pb2.NumericStatistics,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """An interval around each whole number; subjects of TFDV's intervals are spread evenly."""
    (standard,) = (item for item in numbers.histograms if item.type == item.STANDARD)
    lowest, highest = round(numbers.min), round(numbers.max)
    counts = np.zeros(highest - lowest + 1)
    for bucket in standard.buckets:
        first, end = math.ceil(bucket.low_value), math.ceil(bucket.high_value)
        # The last interval holds its upper end as well.
        end = max(end + (bucket.high_value >= highest), first + 1)
        counts[first - lowest : end - lowest] += bucket.sample_count / (end - first)
    return counts, np.arange(lowest, highest + 2) - 0.5


def _is_whole(numbers: statistics_pb2.NumericStatistics) -> bool:
    """Whether a number is a small count, judged by its extremes and deciles."""
    deciles = [item for item in numbers.histograms if item.type == item.QUANTILES]
    ends = [bucket.high_value for item in deciles for bucket in item.buckets]
    small = numbers.max - numbers.min <= _WHOLE_RANGE
    return bool(ends) and small and all(end.is_integer() for end in (*ends, numbers.min))


def _numeric_bars(found: Sequence[FeatureStatistics], smallest: int) -> Bars | None:
    low = min(float(_edges(item)[0]) for item in found)
    high = max(float(_edges(item)[-1]) for item in found)
    whole = all(item.whole for item in found)
    inner = _round_edges(low, high, whole)
    counts = np.stack([_on_edges(item, inner) for item in found])
    kept, joined = _joined(inner, counts, smallest)
    if joined.shape[1] < 2:
        return None
    return Bars(tuple(_interval_names(kept)), _shares(joined))


def _category_bars(found: Sequence[FeatureStatistics], smallest: int) -> Bars | None:
    counted = [dict(item.values) for item in found]
    common = [
        value for value in counted[0] if all(counts.get(value, 0) >= smallest for counts in counted)
    ][:_MOST_VALUES]
    rest = [
        item.present - sum(counts[value] for value in common)
        for item, counts in zip(found, counted, strict=True)
    ]
    # A small rest would follow by subtraction: it is pooled with the rarest value shown.
    while common and any(0 < size < smallest for size in rest):
        last = common.pop()
        rest = [size + counts[last] for size, counts in zip(rest, counted, strict=True)]
    if not common:
        return None
    common.sort(key=rising)
    columns = [[counts[value] for counts in counted] for value in common]
    names = [*common]
    if any(rest):
        columns.append(rest)
        names.append(RARE)
    return Bars(tuple(names), _shares(np.array(columns, np.float64).T))


def _shares(counts: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple((row / row.sum()).tolist()) for row in counts)


def _edges(item: FeatureStatistics) -> NDArray[np.float64]:
    return np.empty(0) if item.edges is None else item.edges


def _round_edges(low: float, high: float, whole: bool) -> list[float]:
    """Round numbers between two limits, about as many as there are bars."""
    width = (high - low) / _BARS
    if not (math.isfinite(width) and width > 0):
        return []
    width = max(width, 1.0) if whole else width
    power = 10.0 ** math.floor(math.log10(width))
    steps = [power * nice for nice in _NICE_STEPS]
    step = next(step for step in steps if step >= width and (step.is_integer() or not whole))
    first, last = math.floor(low / step) + 1, math.ceil(high / step) - 1
    return [round(place * step, 10) for place in range(first, last + 1)]


def _on_edges(item: FeatureStatistics, inner: Sequence[float]) -> NDArray[np.float64]:
    """Subjects between round edges, those of an interval spread evenly over it; [inner + 1]."""
    edges, counts = _edges(item), np.zeros(0) if item.counts is None else item.counts
    cumulated = np.concatenate([[0.0], np.cumsum(counts)])
    # Of whole numbers, those below 2 end half-way between 1 and 2.
    at = np.interp(np.array(inner) - (0.5 if item.whole else 0.0), edges, cumulated)
    return np.diff(np.concatenate([[0.0], at, cumulated[-1:]]))


def _joined(
    inner: Sequence[float], counts: NDArray[np.float64], smallest: int
) -> tuple[list[float], NDArray[np.float64]]:
    """Merges bars from the left until each is large enough in every distribution."""
    kept: list[float] = []
    columns = [counts[:, 0]]
    for edge, column in zip(inner, counts.T[1:], strict=True):
        if (columns[-1] >= smallest).all():
            kept.append(edge)
            columns.append(column)
        else:
            columns[-1] = columns[-1] + column
    while len(columns) > 1 and (columns[-1] < smallest).any():
        last = columns.pop()
        columns[-1] = columns[-1] + last
        kept.pop()
    return kept, np.stack(columns, axis=1)


def _interval_names(edges: Sequence[float]) -> Iterator[str]:
    texts = [round_text(edge, percent=False) for edge in edges]
    yield f"<{texts[0]}"
    yield from (f"{low} to <{high}" for low, high in itertools.pairwise(texts))
    yield f"≥{texts[-1]}"
