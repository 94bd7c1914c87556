"""What the alarms watch, from sums by week, and what a document shows of them.

Weeks count once they are complete. A week whose outcomes, or subjects, are fewer than the smallest
group waits for the next ones: what an alarm shows must not depend on a few subjects.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from components.monitor.drift import Training, came
from components.monitor.partition import Key
from components.monitor.reference import OfTask, RiskBins, TrainingInput
from components.monitor.settings import MonitorSettings
from components.monitor.values import Sums
from pipeline.monitoring.alarms.judge import alarms
from pipeline.monitoring.alarms.reasons import quiet, reason
from pipeline.monitoring.alarms.state import Alarm, Look
from pipeline.monitoring.alarms.watched import (
    Counts,
    WatchedInput,
    WatchedTask,
    WeekOfCounts,
    WeekOfOutcomes,
)
from pipeline.monitoring.periods import is_complete, start_of
from pipeline.monitoring.tallies import Outcomes, Tally, merged, outcomes_of
from pipeline.results.monitoring import MonitoredAlarm
from pipeline.results.of_group import OVERALL
from pipeline.results.resolution import (
    at_resolution,
    fewest_counted,
    rounded_count,
    two_digits,
)
from pipeline.titles import title_or_name

_OF_TASKS = ("calibration", "auc", "risk_drift")


def judged_alarms(
    sums: Sums,
    settings: MonitorSettings,
    champion: str,
    evaluated: Mapping[str, OfTask],
    training: Training,
    as_of: dt.datetime,
) -> tuple[MonitoredAlarm, ...]:
    """The alarms of the champion after all complete weeks.

    Args:
        sums: What was added up.
        settings: What the monitor reads of the study.
        champion: Id of the champion's registration.
        evaluated: How it was evaluated, by task.
        training: What its inputs and risks are compared with.
        as_of: When the weeks have to be complete.
    """
    smallest = settings.smallest_group
    own = {key: tally for key, tally in sums.items() if key.model == champion}
    tasks = [
        WatchedTask(task, found.alarm, _outcomes(own, task, smallest, as_of))
        for task, found in evaluated.items()
        if found.alarm
    ]
    inputs = [_input(own, item, smallest, as_of) for item in training.inputs]
    inputs += [_risk(own, task, bins, smallest, as_of) for task, bins in training.risks.items()]
    return tuple(_shown(found, champion, settings) for found in alarms(tasks, inputs))


def _outcomes(sums: Sums, task: str, smallest: int, as_of: dt.datetime) -> list[WeekOfOutcomes]:
    by_week: dict[dt.date, list[Tally]] = defaultdict(list)
    for key, tally in sums.items():
        if (key.what, key.task, key.group) == ("outcome", task, OVERALL) and key.recorded:
            by_week[start_of(key.recorded.date(), "week")].append(tally)
    return [
        _week_of(week, outcomes_of(tally.sums)) for week, tally in _joined(by_week, smallest, as_of)
    ]


def _week_of(week: dt.date, found: Outcomes) -> WeekOfOutcomes:
    """Each subject with the mean prediction and weight of its cell."""
    counts = found.count.astype(np.int64)
    sides = np.repeat(np.array([0.0, 1.0]), counts.sum(axis=1))
    weights = np.divide(
        found.weight, found.count, out=np.zeros_like(found.weight), where=found.count > 0
    )
    numbers = counts.ravel()
    return WeekOfOutcomes(
        week=week,
        predictions=np.repeat(found.means.ravel(), numbers),
        outcomes=sides,
        weights=np.repeat(weights.ravel(), numbers),
    )


def _joined(
    by_week: Mapping[dt.date, Sequence[Tally]], smallest: int, as_of: dt.datetime
) -> Iterator[tuple[dt.date, Tally]]:
    """Complete weeks, small ones joined to the next."""
    waiting = Tally()
    for week in sorted(by_week):
        if not is_complete(week, "week", as_of):
            return
        waiting = merged([waiting, *by_week[week]])
        if sum(float(vector[0]) for vector in waiting.sums.values()) >= smallest:
            yield week, waiting
            waiting = Tally()


def _input(sums: Sums, training: TrainingInput, smallest: int, as_of: dt.datetime) -> WatchedInput:
    found = [
        (key, tally)
        for key, tally in sums.items()
        if key.what == "inputs" and key.group[0][0] == training.name
    ]
    weeks = []
    for week, tally in _joined(_by_start(found), smallest, as_of):
        of_week = came(dict(tally.sums), training)
        weeks.append(WeekOfCounts(week, Counts(of_week.bins, of_week.missing)))
    return WatchedInput(
        name=training.name,
        kind="drift",
        training=Counts(training.counts, training.missing),
        weeks=weeks,
        order=training.order[1:-1],
    )


def _risk(sums: Sums, task: str, bins: RiskBins, smallest: int, as_of: dt.datetime) -> WatchedInput:
    found = [(k, tally) for k, tally in sums.items() if (k.what, k.task) == ("risks", task)]
    weeks = [
        WeekOfCounts(
            week, Counts(bins.counts({int(str(c)): float(v[0]) for c, v in tally.sums.items()}))
        )
        for week, tally in _joined(_by_start(found), smallest, as_of)
    ]
    return WatchedInput(task, "risk_drift", Counts(bins.known), weeks, bins.names)


def _by_start(found: Sequence[tuple[Key, Tally]]) -> dict[dt.date, list[Tally]]:
    by_start: dict[dt.date, list[Tally]] = defaultdict(list)
    for key, tally in found:
        by_start[key.start].append(tally)
    return by_start


def _shown(found: Alarm, model: str, settings: MonitorSettings) -> MonitoredAlarm:
    """An alarm with numbers from which no few subjects follow."""
    of_task = found.kind in _OF_TASKS
    titles = settings.tasks if of_task else settings.features
    title = titles.get(found.name)
    return MonitoredAlarm(
        model=model,
        task=found.name if of_task else "",
        feature="" if of_task else found.name,
        title=None if of_task else title,
        kind=found.kind,
        evidence=None if found.evidence is None else two_digits(found.evidence),
        boundary=None if found.boundary is None else two_digits(found.boundary),
        fired=found.fired,
        since=found.since,
        direction=found.direction or "",
        reason=_reason(found, title_or_name(found.name, title), settings.smallest_group),
    )


def _reason(found: Alarm, name: str, smallest: int) -> str:
    if not found.looks:
        return found.reason
    if not found.fired:
        return quiet(_coarse(found.looks[-1]))
    look = next(look for look in found.looks if look.week == found.since and look.beyond)
    part = look.estimate * look.subjects
    is_small = any(0 < n < smallest for n in (part, look.subjects - part))
    if found.kind not in ("calibration", "auc") and is_small:
        return f"Values of {name} differ from those of training; the share is of few subjects"
    return reason(found.kind, name, _coarse(look))


def _coarse(look: Look) -> Look:
    counted = rounded_count(look.subjects)
    estimate = at_resolution(look.estimate, fewest_counted(counted))
    return replace(look, subjects=counted, estimate=estimate)
