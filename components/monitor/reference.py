"""What is known of a model from before it was served: its evaluation, and its training subjects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline import storage
from pipeline.documents import Document, parse_document
from pipeline.estimates import NORMAL_95, Estimate
from pipeline.monitoring.alarms.watched import Reference
from pipeline.monitoring.tallies import GRID, FloatArray, cells_of
from pipeline.names import CHALLENGER, CHAMPION
from pipeline.results.documents import Metrics, find_overall
from pipeline.results.predictions import PREDICTIONS_FILE, read_predictions
from pipeline.results.registration import RegisteredModel
from pipeline.runs.divisions import division_folder
from pipeline.skew.bins import OTHER_CATEGORY, InputBins, input_bins
from pipeline.skew.coarse_statistics import REST
from pipeline.skew.training_values import SeenValues, seen_values

METRICS = ("auc", "brier", "calibration_in_the_large", "calibration_slope", "observed_rate")
"""Metrics that an evaluation has, and a monitoring too."""

_RISK_BINS = 10
_CARD = "card.json"


class _Evidence(Document):
    metrics: Metrics | None = None


class _Card(Document):
    """What is read of `card.json`, of this release or an earlier one."""

    evidence: _Evidence


@dataclass(frozen=True)
class OfTask:
    """The evaluation of a model for a task.

    Attributes:
        metrics: Its metrics of all subjects.
        alarm: What alarms on its performance are compared with; None without Brier score.
    """

    metrics: Mapping[str, Estimate]
    alarm: Reference | None


def evaluated_tasks(entry: RegisteredModel) -> dict[str, OfTask]:
    """How a registered model was evaluated, by task.

    Args:
        entry: Its entry in the registry.

    Returns:
        Empty where the registry keeps no card of it, or one without metrics.

    Raises:
        UserError: The card can't be read.
    """
    path = f"{entry.documents_uri}/{_CARD}"
    content = storage.read(path) if entry.documents_uri else None
    if content is None:
        return {}
    card = parse_document(
        _Card, content, path, "the card of a registered model", "Restore it from a backup."
    )
    records = card.evidence.metrics.records if card.evidence.metrics else ()
    found = {}
    for task in dict.fromkeys(record.task for record in records):
        metrics: dict[str, Estimate] = {}
        subjects = positives = 0
        for name in METRICS:
            record = find_overall(records, task, name, CHALLENGER)
            if record is not None and record.value is not None:
                metrics[name] = record.estimate
                subjects, positives = record.subjects, record.positives
        if metrics:
            found[task] = OfTask(metrics, _reference(metrics, subjects, positives))
    return found


def _reference(metrics: Mapping[str, Estimate], subjects: int, positives: int) -> Reference | None:
    score, error = metrics.get("brier"), metrics.get("calibration_in_the_large")
    if not (score and error) or score.value is None or error.value is None:
        return None
    area = metrics.get("auc", Estimate())
    return Reference(
        subjects=subjects,
        events=positives,
        mean_error=error.value,
        # The mean square of prediction minus outcome is the Brier score.
        error_variance=score.value - error.value**2,
        auc=area.value,
        auc_error=_error_of(area),
    )


def _error_of(found: Estimate) -> float | None:
    if found.lower is None or found.upper is None:
        return None
    return (found.upper - found.lower) / (2 * NORMAL_95)


@dataclass(frozen=True, eq=False)
class RiskBins:
    """Distribution of the predicted risk before the model was served.

    Attributes:
        first: First cell of each bin, rising, from 0; see `pipeline.monitoring.tallies`.
        training: Subjects of each bin.
    """

    first: Sequence[int]
    training: FloatArray

    def counts(self, by_cell: Mapping[int, float]) -> dict[str, float]:
        """Subjects by name of a bin.

        Args:
            by_cell: Subjects by cell.
        """
        found = dict.fromkeys(self.names, 0.0)
        for cell, subjects in by_cell.items():
            found[self.names[int(np.searchsorted(self.first, cell, "right")) - 1]] += subjects
        return found

    @property
    def names(self) -> list[str]:
        """Names of the bins, rising."""
        return [str(number + 1) for number in range(len(self.first))]

    @property
    def known(self) -> dict[str, float]:
        """Subjects of the evaluation by name of a bin."""
        return dict(zip(self.names, self.training.tolist(), strict=True))


def risk_bins(registry_root: str, entry: RegisteredModel, smallest: int) -> dict[str, RiskBins]:
    """Bins of the predicted risk by task, from the predictions that the model was evaluated on.

    Args:
        registry_root: Root of the registry.
        entry: The model's entry.
        smallest: Fewest subjects of a bin.

    Returns:
        Empty where the registry keeps no predictions of it.
    """
    folder = division_folder(registry_root, entry.study, entry.id)
    if not storage.exists(f"{folder}/{PREDICTIONS_FILE}"):
        return {}
    predictions = read_predictions(folder)
    first_repeat = predictions.repeat == 0
    return {
        task: _bins(values[first_repeat & ~np.isnan(values)].astype(np.float64), smallest)
        for task, values in predictions.of.get(CHAMPION, {}).items()
    }


def _bins(values: FloatArray, smallest: int) -> RiskBins:
    counts = np.bincount(cells_of(values), minlength=GRID) if len(values) else np.zeros(GRID)
    wanted = max(len(values) / _RISK_BINS, smallest)
    first, filled = [0], 0.0
    for cell in range(GRID):
        if filled >= wanted and counts[cell:].sum() >= wanted:
            first.append(cell)
            filled = 0.0
        filled += counts[cell]
    return RiskBins(first, np.add.reduceat(counts, first).astype(np.float64))


@dataclass(frozen=True)
class TrainingInput:
    """A feature in training, in the bins of the prediction log.

    Attributes:
        name: The feature.
        counts: Subjects by bin.
        missing: Subjects without a value.
        outside: Bins beyond what training had.
        subjects: All training subjects.
        order: The bins from low to high; empty of a category.
        largest: The bin that has what its statistics say too little, or too much, of the missing.
        smallest: Fewest subjects that the statistics have a number of.
    """

    name: str
    counts: Mapping[str, float]
    missing: float
    outside: frozenset[str]
    subjects: float
    order: tuple[str, ...] = ()
    largest: str = ""
    smallest: int = 0

    @property
    def is_stand_in(self) -> bool:
        """Whether `missing` stands for any small number."""
        return 0 < self.missing < self.smallest

    def few(self, subjects: float) -> float:
        """So many of some subjects may be too few in the training to have a number.

        With three standard errors of chance.

        Args:
            subjects: The subjects.
        """
        expected = self.smallest / self.subjects * subjects
        return expected + 3 * math.sqrt(expected)


def training_inputs(
    statistics: statistics_pb2.DatasetFeatureStatistics,
    numbers: Sequence[str],
    categories: Sequence[str],
    smallest: int,
) -> list[TrainingInput]:
    """The features of the training subjects.

    Args:
        statistics: Their statistics, as the registry keeps them.
        numbers: Features that are numbers.
        categories: Features that are categories.
        smallest: Fewest training subjects of the bin of a number.
    """
    seen = seen_values(statistics, numbers, categories)
    bins = input_bins(seen, numbers, categories, smallest)
    ranks = {
        feature.path.step[0]: {
            bucket.label: bucket.sample_count
            for bucket in feature.string_stats.rank_histogram.buckets
        }
        for feature in statistics.features
    }
    subjects = float(statistics.num_examples)
    found = [_number(name, seen[name], bins, subjects) for name in bins.edges]
    found += [_category(name, seen[name], ranks[name], subjects) for name in bins.categories]
    return [replace(item, smallest=smallest) for item in found]


def _number(name: str, seen: SeenValues, bins: InputBins, subjects: float) -> TrainingInput:
    edges = bins.edges[name]
    last = len(edges) - 1
    counts = {str(number): 0.0 for number in range(1, last + 1)}
    largest, most = "1", 0.0
    for upper, count in seen.bins:
        # Outermost bins have all that is beyond the limits.
        place = int(np.searchsorted(edges[1:-1], np.float32(upper), side="left")) + 1
        name_of_bin = str(min(place, last))
        counts[name_of_bin] += count
        if count > most:
            largest, most = name_of_bin, count
    return TrainingInput(
        name=name,
        counts=counts,
        missing=_missing(seen, subjects),
        outside=frozenset({"0", str(last + 1)}),
        subjects=subjects,
        order=tuple(str(number) for number in range(last + 2)),
        largest=largest,
    )


def _category(
    name: str, seen: SeenValues, ranks: Mapping[str, float], subjects: float
) -> TrainingInput:
    counts = {label: float(count) for label, count in ranks.items() if label != REST}
    if REST in ranks:
        counts[OTHER_CATEGORY] = float(ranks[REST])
    if seen.categories is None:
        # Too many to be named in the log.
        counts = {OTHER_CATEGORY: sum(counts.values())}
    return TrainingInput(
        name=name,
        counts=counts,
        missing=_missing(seen, subjects),
        outside=frozenset() if OTHER_CATEGORY in counts else frozenset({OTHER_CATEGORY}),
        subjects=subjects,
        largest=max(counts, key=lambda label: counts[label], default=OTHER_CATEGORY),
    )


def _missing(seen: SeenValues, subjects: float) -> float:
    return 0.0 if math.isnan(seen.share_missing) else seen.share_missing * subjects
