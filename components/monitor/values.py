"""Values by model, task, period and group, and which of them are shown.

A period is shown once it is complete. Outcomes of a period's subjects arrive with later data cuts:
what is shown of them grows only by cuts that bring, since the last growth, the smallest group of
new ones or more; otherwise the outcome of a single subject would follow from two monitorings. Which
cuts these are follows from the log alone, so every monitoring finds the same.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components.monitor.partition import ANY, FLAG, Key
from components.monitor.reference import OfTask
from components.monitor.settings import MonitorSettings
from pipeline.estimates import Estimate, share_of
from pipeline.monitoring import expected, observed
from pipeline.monitoring.periods import is_complete
from pipeline.monitoring.tallies import (
    Outcomes,
    Tally,
    expected_outcomes,
    merged,
    outcomes_of,
)
from pipeline.results.monitoring import (
    MonitoredMetric,
    MonitoredRole,
    MonitoredValue,
    SuppressedPeriod,
)
from pipeline.results.of_group import OVERALL, Group
from pipeline.results.resolution import at_resolution, fewest_counted, rounded_count
from pipeline.results.suppress import suppressed

Sums = Mapping[Key, Tally]

_OBSERVED: Mapping[MonitoredMetric, Callable[[Outcomes], Estimate]] = {
    "observed_rate": observed.observed_rate,
    "auc": observed.auc,
    "brier": observed.brier,
    "calibration_in_the_large": observed.calibration_in_the_large,
    "calibration_slope": observed.calibration_slope,
}
_PAIRED: Mapping[MonitoredMetric, Callable[[observed.Pairs], Estimate]] = {
    "auc": observed.paired_auc,
    "brier": observed.paired_brier,
}
_EXPECTED: Mapping[MonitoredMetric, tuple[str, Callable[[Outcomes], Estimate]]] = {
    "expected_auc": ("auc", expected.expected_auc),
    "expected_brier": ("brier", expected.expected_brier),
}
_NOT_PREDICTED = -1
_FIRST, _LAST = 0, -1


@dataclass(frozen=True)
class Place:
    """A model's predictions for a task in a period.

    Attributes:
        model: Id of the registration.
        task: The task.
        start: First day of the period.
    """

    model: str
    task: str
    start: dt.date


@dataclass(frozen=True)
class Shown:
    """What may be shown.

    Attributes:
        values: The values.
        suppressed: Groups that are not shown.
    """

    values: tuple[MonitoredValue, ...]
    suppressed: tuple[SuppressedPeriod, ...]


def shown_values(
    sums: Sums,
    settings: MonitorSettings,
    champion: str,
    evaluated: Mapping[str, OfTask],
    as_of: dt.datetime,
) -> Shown:
    """All values of complete periods that may be shown.

    Args:
        sums: What was added up.
        settings: What the monitor reads of the study.
        champion: Id of the champion's registration.
        evaluated: How the champion was evaluated, by task.
        as_of: When the periods have to be complete.
    """
    maker = _Maker(settings, champion, evaluated)
    use, outcomes, pairs = (_by_place(sums, what) for what in ("use", "outcome", "pair"))
    delays = _by_place(sums, "delay")
    for place in sorted(use, key=lambda of: (of.start, of.model, of.task)):
        if not is_complete(place.start, settings.period, as_of):
            continue
        maker.add_use(place, {key.group: tally for key, tally in use[place]})
        if steps := settled(outcomes.get(place, []), settings.smallest_group, as_of):
            maker.add_outcomes(place, outcomes[place], steps, delays.get(place, []))
        maker.add_pairs(place, pairs.get(place, []), as_of)
    return Shown(tuple(maker.values), tuple(maker.suppressed))


def settled(
    outcomes: Sequence[tuple[Key, Tally]], smallest: int, as_of: dt.datetime, at: int = _FIRST
) -> list[set[dt.datetime]]:
    """The cuts by which the shown outcomes grow, in their order.

    Args:
        outcomes: Tallies of one place by cut and group.
        smallest: Fewest subjects that they grow by.
        as_of: Later cuts do not count.
        at: Place of the number of subjects among the sums.

    Returns:
        Sets of the moments of cuts; those of the last ones that bring too few are in none.
    """
    steps: list[set[dt.datetime]] = []
    since: set[dt.datetime] = set()
    new = 0
    whole = [(key.recorded, tally) for key, tally in outcomes if key.group == OVERALL]
    for moment, tally in sorted((of for of in whole if of[0]), key=lambda of: str(of[0])):
        if moment is None or moment > as_of:
            continue
        since.add(moment)
        new += _count(tally, at)
        if new >= smallest:
            steps.append(since)
            since, new = set(), 0
    return steps


class _Maker:
    """Makes the values of one place after the other."""

    def __init__(
        self, settings: MonitorSettings, champion: str, evaluated: Mapping[str, OfTask]
    ) -> None:
        self._settings = settings
        self._smallest = settings.smallest_group
        self._champion = champion
        self._evaluated = evaluated
        self.values: list[MonitoredValue] = []
        self.suppressed: list[SuppressedPeriod] = []

    def add_use(self, place: Place, by_group: Mapping[Group, Tally]) -> None:
        """Numbers of subjects, predicted risks and the performance to be expected."""
        groups = {group: tally for group, tally in by_group.items() if not _is_flag(group)}
        sizes = {group: _count(tally) for group, tally in groups.items()}
        if sizes[OVERALL] < self._smallest:
            self._suppress(place, OVERALL, "predictions", "too_small")
            return
        hidden = suppressed(sizes, self._slicings, self._smallest)
        for group, tally in sorted(groups.items()):
            if group in hidden:
                self._suppress(place, group, "predictions", hidden[group])
                continue
            self._add(place, group, "scored", Estimate(sizes[group]), sizes[group])
            predicted = {cell: v for cell, v in tally.sums.items() if cell != _NOT_PREDICTED}
            found = expected_outcomes(predicted)
            subjects = round(float(found.count.sum()))
            if subjects < self._smallest:
                continue
            mean = Estimate(float(found.weight[1].sum() / found.count.sum()))
            self._add(place, group, "mean_prediction", mean, subjects)
            for metric, (_, compute) in _EXPECTED.items():
                self._add(place, group, metric, compute(found), subjects)
        self._add_flags(place, by_group, sizes[OVERALL])

    def _add_flags(self, place: Place, by_group: Mapping[Group, Tally], subjects: int) -> None:
        flagged = _counts(by_group).get(((FLAG, ANY),), 0)
        if not self._is_part(flagged, subjects):
            return
        self._add(place, OVERALL, "flagged", share_of(flagged, subjects), subjects)
        for group, tally in sorted(by_group.items()):
            if not _is_flag(group) or group == ((FLAG, ANY),):
                continue
            count = _count(tally)
            # Who has another flag alone would follow from all that have one.
            if self._is_part(count, subjects) and self._is_part(count, flagged):
                self._add(place, group, "flagged", share_of(count, subjects), subjects)

    def add_outcomes(
        self,
        place: Place,
        outcomes: Sequence[tuple[Key, Tally]],
        steps: Sequence[set[dt.datetime]],
        delays: Sequence[tuple[Key, Tally]],
    ) -> None:
        """Performance on the outcomes that are known."""
        used = set[dt.datetime]().union(*steps)
        by_group: dict[Group, list[tuple[Key, Tally]]] = defaultdict(list)
        for key, tally in outcomes:
            by_group[key.group].append((key, tally))
        steady = [
            slicing
            for slicing in self._slicings
            if all(
                self._grows_by_enough(found, steps)
                for group, found in by_group.items()
                if tuple(name for name, _ in group) == slicing
            )
        ]
        groups = {
            group: merged(tally for key, tally in found if key.recorded in used)
            for group, found in by_group.items()
        }
        sizes = {group: _count(tally) for group, tally in groups.items()}
        hidden = suppressed(sizes, self._slicings, self._smallest)
        for group, tally in sorted(groups.items()):
            if group in hidden or tuple(name for name, _ in group) not in steady:
                reason = hidden.get(group, "complementary")
                self._suppress(place, group, "outcomes", reason)
                continue
            found = outcomes_of(tally.sums)
            self._add(place, group, "known", Estimate(sizes[group]), sizes[group])
            for metric, compute in _OBSERVED.items():
                self._add(place, group, metric, compute(found), sizes[group])
        days = merged(tally for key, tally in delays if key.recorded in used)
        self._add(place, OVERALL, "days_to_outcome", Estimate(_median(days)), sizes[OVERALL])

    def _grows_by_enough(
        self, found: Sequence[tuple[Key, Tally]], steps: Sequence[set[dt.datetime]]
    ) -> bool:
        """Whether no step brings a group a few subjects."""
        return all(
            not 0 < sum(_count(t) for key, t in found if key.recorded in step) < self._smallest
            for step in steps
        )

    def add_pairs(
        self, place: Place, pairs: Sequence[tuple[Key, Tally]], as_of: dt.datetime
    ) -> None:
        """A challenger in shadow beside the champion, on the subjects whom both predicted."""
        steps = settled(pairs, self._smallest, as_of, _LAST)
        used = set[dt.datetime]().union(*steps)
        both = merged(tally for key, tally in pairs if key.recorded in used).sums
        if not both:
            return
        subjects = _count(Tally(both), _LAST)
        sums = {name: vector[:_LAST] for name, vector in both.items()}
        for metric, compute in _PAIRED.items():
            self._add(place, OVERALL, metric, compute(sums), subjects, "difference")

    @property
    def _slicings(self) -> list[tuple[str, ...]]:
        return [(), *((name,) for name in self._settings.groups)]

    def _is_part(self, part: int, whole: int) -> bool:
        """Whether neither a part nor the rest is a few subjects."""
        return not any(0 < n < self._smallest for n in (part, whole - part))

    def _suppress(self, place: Place, group: Group, what: str, reason: str) -> None:
        self.suppressed.append(
            SuppressedPeriod.model_validate(
                {
                    "task": place.task,
                    "slice": dict(group),
                    "model": place.model,
                    "period_start": place.start,
                    "what": what,
                    "reason": reason,
                }
            )
        )

    def _add(
        self,
        place: Place,
        group: Group,
        metric: MonitoredMetric,
        found: Estimate,
        subjects: int,
        role: MonitoredRole | None = None,
    ) -> None:
        role = role or ("champion" if place.model == self._champion else "challenger")
        counted = rounded_count(subjects)
        if metric in ("scored", "known"):
            found = Estimate(counted)
        elif metric != "days_to_outcome":
            found = Estimate(*(_rounded(end, counted) for end in _ends(found)))
        if found.value is None or not np.isfinite(found.value):
            return
        known = Estimate()
        if role == "champion" and not group and place.task in self._evaluated:
            name = _EXPECTED[metric][0] if metric in _EXPECTED else metric
            known = self._evaluated[place.task].metrics.get(name, known)
        self.values.append(
            MonitoredValue(
                task=place.task,
                slice=dict(group),
                model=place.model,
                role=role,
                period_start=place.start,
                metric=metric,
                value=found.value,
                lower=found.lower,
                upper=found.upper,
                reference=known.value,
                reference_lower=known.lower,
                reference_upper=known.upper,
                subjects=counted,
            )
        )


def _ends(found: Estimate) -> tuple[float | None, float | None, float | None]:
    return found.value, found.lower, found.upper


def _rounded(value: float | None, counted: int) -> float | None:
    return None if value is None else at_resolution(value, fewest_counted(counted))


def _is_flag(group: Group) -> bool:
    return bool(group) and group[0][0] == FLAG


def _counts(by_group: Mapping[Group, Tally]) -> dict[Group, int]:
    return {group: _count(tally) for group, tally in by_group.items()}


def _count(tally: Tally, at: int = _FIRST) -> int:
    """Subjects of a tally, whose number is the sum at a place."""
    return round(sum(float(vector[at]) for vector in tally.sums.values()))


def _median(days: Tally) -> float | None:
    if not days.sums:
        return None
    names = sorted(int(str(day)) for day in days.sums)
    counts = np.cumsum([days.sums[day][0] for day in names])
    return float(names[int(np.searchsorted(counts, counts[-1] / 2))])


def _by_place(sums: Sums, what: str) -> dict[Place, list[tuple[Key, Tally]]]:
    found: dict[Place, list[tuple[Key, Tally]]] = defaultdict(list)
    for key, tally in sums.items():
        if key.what == what:
            found[Place(key.model, key.task, key.start)].append((key, tally))
    return found


def moments(sums: Sums) -> Iterator[dt.datetime]:
    """When the cuts were recorded whose outcomes are in the sums."""
    for key in sums:
        if key.recorded is not None:
            yield key.recorded
