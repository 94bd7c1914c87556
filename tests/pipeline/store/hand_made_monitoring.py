"""A monitoring of the model of the store made by hand: two months, an alarm, a challenger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from pipeline.results.monitoring import (
    MonitoredAlarm,
    MonitoredDrift,
    MonitoredValue,
    Monitoring,
)
from pipeline.results.validation import ValidatedModel

MODEL = "4bc588fc1e094c76"
CHALLENGER = "9d2f0f1f2d7c4a10"
MONTHS = (date(2026, 2, 1), date(2026, 3, 1))
NOTHING_KNOWN = MONTHS[1]
"""Month of whose subjects no outcome is known yet."""


def monitoring(study: str) -> Monitoring:
    """What Monitor found.

    Args:
        study: Name of the study.
    """
    return Monitoring(
        study=study,
        model=ValidatedModel(
            id=MODEL, study=study, registered_at="", fingerprint="", model_digest=""
        ),
        challengers=(CHALLENGER,),
        period="month",
        as_of=datetime(2026, 4, 2, 6, tzinfo=UTC),
        smallest_group=20,
        values=tuple(_values()),
        drift=tuple(_drift()),
        alarms=(
            _alarm(
                "calibration",
                450.0,
                task="death",
                since=date(2026, 3, 16),
                direction="predictions too high",
                reason="Fewer died than was predicted.",
            ),
            _alarm("auc", 3.0, task="death"),
            _alarm("drift", None, feature="AGE", title="Age (years)"),
        ),
        outcomes_until=datetime(2026, 4, 1, tzinfo=UTC),
    )


def _values() -> Iterator[MonitoredValue]:
    for month in MONTHS:
        yield _value("scored", 300, month)
        yield _value("flagged", 0.1, month)
        yield _value("mean_prediction", 0.3, month)
        yield _value("expected_auc", 0.77, month)
        yield _value("expected_brier", 0.14, month)
    known = MONTHS[0]
    yield _value("known", 250, known)
    yield _value("observed_rate", 0.22, known, lower=0.17, upper=0.27)
    yield _value("auc", 0.71, known, lower=0.66, upper=0.76, reference=0.78)
    yield _value("brier", 0.17, known, lower=0.15, upper=0.19, reference=0.14)
    yield _value("calibration_in_the_large", -0.4, known, lower=-0.6, upper=-0.2, reference=0.0)
    yield _value("calibration_slope", 0.9, known, lower=0.6, upper=1.2, reference=1.0)
    yield _value("days_to_outcome", 21, known)
    yield _value("auc", 0.64, known, slice={"sex": "F"}, lower=0.55, upper=0.73, subjects=100)
    yield _value("auc", 0.04, known, role="difference", model=CHALLENGER, lower=0.01, upper=0.07)


def _value(metric: str, value: float, month: date, **further: Any) -> MonitoredValue:
    content = {"task": "death", "slice": {}, "model": MODEL, "role": "champion", "subjects": 300}
    content |= {"metric": metric, "value": value, "period_start": month}
    return MonitoredValue.model_validate(content | further)


def _drift() -> Iterator[MonitoredDrift]:
    for month, distance in zip(MONTHS, (0.02, 0.2), strict=True):
        yield MonitoredDrift(
            model=MODEL,
            period_start=month,
            feature="AGE",
            title="Age (years)",
            kind="values",
            distance=distance,
            boundary=0.05,
            beyond=distance > 0.05,
            subjects=300,
        )
        yield MonitoredDrift(
            model=MODEL,
            period_start=month,
            task="death",
            kind="risk",
            distance=0.01,
            boundary=0.05,
            beyond=False,
            subjects=300,
        )


def _alarm(kind: str, evidence: float | None, **further: Any) -> MonitoredAlarm:
    content: dict[str, Any] = {"model": MODEL, "kind": kind, "evidence": evidence}
    content |= {"boundary": 400.0, "fired": bool(evidence and evidence > 400)}
    return MonitoredAlarm.model_validate(content | further)
