"""How far the inputs and the predicted risk of a period are from those of training."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.monitor.partition import MISSING, Key
from components.monitor.reference import RiskBins, TrainingInput
from components.monitor.settings import MonitorSettings
from components.monitor.values import Sums
from pipeline.monitoring.drift import Compared, change_of_share, distance_of_bins, share_beyond
from pipeline.monitoring.periods import is_complete
from pipeline.results.monitoring import DriftKind, MonitoredDrift
from pipeline.results.resolution import at_resolution, fewest_counted, rounded_count
from pipeline.skew.bins import OTHER_CATEGORY
from pipeline.skew.coarse_statistics import REST, like_training

_DIGITS = 3
_FEWEST_OUTSIDE = 8
"""At most so many training subjects were beyond the limits of a number, four on either side."""


@dataclass(frozen=True)
class Training:
    """What the predictions are compared with.

    Attributes:
        inputs: The features.
        risks: The predicted risk by task.
    """

    inputs: Sequence[TrainingInput]
    risks: Mapping[str, RiskBins]

    @property
    def looks(self) -> int:
        """How many distances a period has: three of a feature, one of a risk."""
        return 3 * len(self.inputs) + len(self.risks)


@dataclass(frozen=True)
class Came:
    """The subjects that came, by bin of a feature.

    Attributes:
        bins: Subjects by bin, those beyond the limits of training in the outermost.
        missing: Subjects without a value.
        outside: Subjects beyond what training had.
    """

    bins: Mapping[str, float]
    missing: float
    outside: float

    @property
    def subjects(self) -> float:
        """All subjects."""
        return sum(self.bins.values()) + self.missing


def came(sums: Mapping[object, object], training: TrainingInput) -> Came:
    """Divides the subjects of a tally by bin, as coarsely as those of the training are.

    Args:
        sums: Vectors of one number by bin.
        training: The feature in training.
    """
    found: dict[str, float] = {}
    missing = outside = 0.0
    for name, vector in sums.items():
        subjects = float(vector[0])  # type: ignore[index]
        if name is MISSING:
            missing += subjects
            continue
        if name in training.outside:
            outside += subjects
        place = _inside(str(name), training)
        found[place] = found.get(place, 0.0) + subjects
    few = training.few(sum(found.values()) + missing)
    if not training.order:
        found = _like_named(found, training, few)
    return _like_missing(Came(found, missing, outside), training, few)


def _inside(name: str, training: TrainingInput) -> str:
    """The bin of a number that a value beyond the limits is counted in."""
    if not training.order or name not in training.outside:
        return name
    return training.order[1] if name == training.order[0] else training.order[-2]


def _like_named(
    found: Mapping[str, float], training: TrainingInput, few: float
) -> dict[str, float]:
    """Categories that have no count in the training with the others, as there."""
    ranks = {REST if name == OTHER_CATEGORY else name: n for name, n in training.counts.items()}
    return {
        OTHER_CATEGORY if name == REST else name: subjects
        for name, subjects in like_training(found, ranks, few).items()
    }


def _like_missing(found: Came, training: TrainingInput, few: float) -> Came:
    """As many without a value as stand for those of the training, where there are as few.

    The statistics of the training have half of the smallest group in place of a smaller number,
    and the difference in the largest bin.
    """
    if not training.is_stand_in or found.missing >= few:
        return found
    bins, largest = dict(found.bins), training.largest
    expected = training.missing / training.subjects * found.subjects
    moved = max(found.missing - expected, -bins.get(largest, 0.0))
    bins[largest] = bins.get(largest, 0.0) + moved
    return Came(bins, found.missing - moved, found.outside)


def period_drift(
    sums: Sums, settings: MonitorSettings, champion: str, training: Training, as_of: dt.datetime
) -> Iterator[MonitoredDrift]:
    """Distances of complete periods of enough subjects.

    Args:
        sums: What was added up.
        settings: What the monitor reads of the study.
        champion: Id of the champion's registration.
        training: What is compared with.
        as_of: When the periods have to be complete.
    """
    of_feature = {item.name: item for item in training.inputs}
    for key in sorted(_keys(sums, champion), key=lambda of: (of.start, of.what, of.group, of.task)):
        if not is_complete(key.start, settings.period, as_of):
            continue
        if key.what == "input":
            name = key.group[0][0]
            if name not in of_feature:
                continue
            found = came(dict(sums[key].sums), of_feature[name])
            compared = _of_feature(found, of_feature[name], training.looks, settings.smallest_group)
            for kind, item in compared:
                yield _drift(key, kind, item, found.subjects, name, settings.features.get(name))
        elif key.task in training.risks:
            by_cell = {int(str(c)): float(v[0]) for c, v in sums[key].sums.items() if c != -1}
            bins = training.risks[key.task]
            subjects = sum(by_cell.values())
            found_risk = distance_of_bins(bins.counts(by_cell), bins.known, training.looks)
            if found_risk and subjects >= settings.smallest_group:
                yield _drift(key, "risk", found_risk, subjects)


def _keys(sums: Sums, champion: str) -> Iterator[Key]:
    for key in sums:
        of_all = key.what == "input" or (key.what == "use" and not key.group)
        if key.model == champion and of_all:
            yield key


def _of_feature(
    found: Came, training: TrainingInput, looks: int, smallest: int
) -> Iterator[tuple[DriftKind, Compared]]:
    """Distances from which no few subjects follow."""
    present = found.subjects - found.missing
    if found.subjects < smallest:
        return
    if present >= smallest and (values := distance_of_bins(found.bins, training.counts, looks)):
        yield "values", values
    few_missing = any(0 < n < smallest for n in (found.missing, present))
    share = training.missing / training.subjects
    missing = change_of_share(found.missing, found.subjects, share, training.subjects, looks)
    if missing and not few_missing:
        yield "missing", missing
    if present < smallest or any(
        0 < n < smallest for n in (found.outside, present - found.outside)
    ):
        return
    known = _FEWEST_OUTSIDE / training.subjects if training.order else 0.0
    outside = share_beyond(found.outside, present, known, training.subjects, looks)
    if outside:
        yield "outside", outside


def _drift(
    key: Key,
    kind: DriftKind,
    found: Compared,
    subjects: float,
    feature: str = "",
    title: str | None = None,
) -> MonitoredDrift:
    counted = rounded_count(round(subjects))
    distance = (
        round(found.distance, _DIGITS)
        if kind in ("values", "risk")
        else at_resolution(found.distance, fewest_counted(counted))
    )
    return MonitoredDrift(
        model=key.model,
        period_start=key.start,
        task=key.task,
        feature=feature,
        title=title,
        kind=kind,
        distance=distance,
        boundary=round(found.boundary, _DIGITS + 1),
        # Decided by the exact numbers.
        beyond=found.beyond,
        subjects=counted,
    )
