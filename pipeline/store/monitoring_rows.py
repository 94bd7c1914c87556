"""Converts the results of a monitoring to rows of the store."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from pipeline.results.monitoring import Monitoring
from pipeline.store import models
from pipeline.store.rows import Rows, group_columns


def monitoring_rows(run: str, monitoring: Monitoring) -> Rows:
    """Rows of what Monitor found.

    Args:
        run: Id of the run.
        monitoring: What it found.
    """
    return {
        models.Monitoring: [
            {
                "run": run,
                "study": monitoring.study,
                "model": monitoring.model.id,
                "period": monitoring.period,
                "as_of": monitoring.as_of,
                "outcomes_until": monitoring.outcomes_until,
            }
        ],
        models.MonitoredValue: [
            {
                "run": run,
                **value.model_dump(exclude={"slice", "period_start"}),
                **group_columns(value.slice),
                "period_start": _start(value.period_start),
            }
            for value in monitoring.values
        ],
        models.MonitoredDrift: [
            {
                "run": run,
                **drift.model_dump(exclude={"beyond", "period_start"}),
                "period_start": _start(drift.period_start),
                "outcome": "beyond" if drift.beyond else "within",
            }
            for drift in monitoring.drift
        ],
        models.MonitoredAlarm: [
            {
                "run": run,
                **alarm.model_dump(exclude={"fired", "since"}),
                "state": alarm.state,
                "since": _start(alarm.since) if alarm.since else None,
            }
            for alarm in monitoring.alarms
        ],
    }


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
