"""The document of a monitoring, from the sums over the prediction log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from components.monitor.drift import Training, period_drift
from components.monitor.reference import OfTask
from components.monitor.settings import MonitorSettings
from components.monitor.values import Sums, moments, shown_values
from components.monitor.watched import judged_alarms
from pipeline.results.monitoring import MonitoredDrift, MonitoredValue, Monitoring
from pipeline.results.registration import RegisteredModel
from pipeline.results.used_model import shown_model


def monitoring_of(
    sums: Sums,
    settings: MonitorSettings,
    entry: RegisteredModel,
    evaluated: Mapping[str, OfTask],
    training: Training,
    as_of: dt.datetime,
) -> Monitoring:
    """Makes the document.

    Args:
        sums: What was added up.
        settings: What the monitor reads of the study.
        entry: The champion's entry in the registry.
        evaluated: How it was evaluated, by task.
        training: What its inputs and risks are compared with.
        as_of: When periods and weeks have to be complete.
    """
    shown = shown_values(sums, settings, entry.id, evaluated, as_of)
    drift = tuple(period_drift(sums, settings, entry.id, training, as_of))
    used = [moment for moment in moments(sums) if moment <= as_of]
    return Monitoring(
        study=settings.study_name,
        model=shown_model(entry),
        challengers=tuple(sorted({value.model for value in shown.values} - {entry.id})),
        period=settings.period,
        as_of=as_of,
        smallest_group=settings.smallest_group,
        task_titles=settings.tasks,
        values=shown.values,
        drift=drift,
        alarms=judged_alarms(sums, settings, entry.id, evaluated, training, as_of),
        suppressed=shown.suppressed,
        outcomes_until=max(used, default=None),
        outside_training=tuple(_beyond(drift, shown.values)),
    )


def _beyond(drift: tuple[MonitoredDrift, ...], values: tuple[MonitoredValue, ...]) -> Iterator[str]:
    """Features that leave the range of training in the newest period."""
    newest = max((value.period_start for value in values), default=None)
    for item in drift:
        if item.kind == "outside" and item.beyond and item.period_start == newest:
            yield item.feature
