"""The alarms of a study: all that is watched, under one error of a year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pipeline.monitoring.alarms.drift import input_looks
from pipeline.monitoring.alarms.performance import task_looks
from pipeline.monitoring.alarms.reasons import quiet, reason, unjudged
from pipeline.monitoring.alarms.spending import FALSE_ALARMS_A_YEAR, SHARES, YEAR
from pipeline.monitoring.alarms.state import Alarm, Kind, Look
from pipeline.monitoring.alarms.watched import WatchedInput, WatchedTask


def alarms(
    tasks: Sequence[WatchedTask],
    inputs: Sequence[WatchedInput],
    false_alarms_a_year: float = FALSE_ALARMS_A_YEAR,
) -> tuple[Alarm, ...]:
    """The state of all alarms after the whole history.

    Args:
        tasks: Tasks, with the weeks of their outcomes.
        inputs: Features and predicted risks, with the weeks of their counts.
        false_alarms_a_year: Probability that any alarm fires in a year in which nothing changed.

    Returns:
        Of each task calibration and AUC (where the training has one), of each input its values, and
        its missing values where it is a feature.

    Raises:
        ValueError: A week is not a Monday or there twice, or a value is out of range.

    Examples:
        >>> from pipeline.monitoring.alarms.watched import Counts, WeekOfCounts
        >>> week = WeekOfCounts(dt.date(2025, 1, 6), Counts({"low": 40, "high": 160}))
        >>> training = Counts({"low": 500, "high": 500})
        >>> risk = WatchedInput("death", "risk_drift", training, [week], ("low", "high"))
        >>> [found] = alarms([], [risk])
        >>> found.fired, found.direction
        (True, 'higher')
    """
    weeks = [week.week for task in tasks for week in task.weeks]
    weeks += [week.week for watched in inputs for week in watched.weeks]
    now = max(weeks, default=dt.date.min)
    found: list[Alarm] = []
    for task in tasks:
        of_task = task_looks(task, false_alarms_a_year / len(tasks))
        found.append(_alarm("calibration", task.task, of_task.calibration, now))
        if task.reference.has_auc():
            found.append(_alarm("auc", task.task, of_task.auc, now))
    distributions = sum(2 if watched.kind == "drift" else 1 for watched in inputs)
    for watched in inputs:
        of_input = input_looks(watched, SHARES["inputs"] * false_alarms_a_year / distributions)
        found.append(_alarm(watched.kind, watched.name, of_input.values, now))
        if watched.kind == "drift":
            found.append(_alarm("missing", watched.name, of_input.missing, now))
    return tuple(found)


def _alarm(kind: Kind, name: str, looks: tuple[Look, ...], now: dt.date) -> Alarm:
    beyond = [look for look in looks if look.beyond]
    last = beyond[-1].week if beyond else None
    fired_at = _fired_at(beyond, now)
    if fired_at:
        said = reason(kind, name, fired_at)
    else:
        said = quiet(looks[-1]) if looks else unjudged(kind)
    return Alarm(
        kind,
        name,
        fired=fired_at is not None,
        since=fired_at.week if fired_at else None,
        last=last,
        direction=fired_at.direction if fired_at else None,
        looks=looks,
        reason=said,
    )


def _fired_at(beyond: Sequence[Look], now: dt.date) -> Look | None:
    """The first of the looks beyond their boundary that keep an alarm on; None if it is off."""
    first, until = None, now
    for look in reversed(beyond):
        if (until - look.week) >= dt.timedelta(weeks=YEAR):
            break
        first, until = look, look.week
    return first
