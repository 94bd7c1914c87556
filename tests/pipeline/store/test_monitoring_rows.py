"""The monitoring of a model's predictions, as rows of the store."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import text

from pipeline.results.monitoring import (
    MonitoredAlarm,
    MonitoredDrift,
    MonitoredValue,
    Monitoring,
)
from pipeline.results.validation import ValidatedModel
from pipeline.store.engine import store_engine
from pipeline.store.monitoring_rows import monitoring_rows
from pipeline.store.writer import export

MARCH = date(2026, 3, 1)
MODEL = ValidatedModel(
    id="4bc588fc1e094c76", study="pilot", registered_at="", fingerprint="", model_digest=""
)
FOUND = Monitoring(
    study="pilot",
    model=MODEL,
    period="month",
    as_of=datetime(2026, 4, 2, 6, tzinfo=UTC),
    smallest_group=20,
    values=(
        MonitoredValue(
            task="death",
            slice={"SEX": "F"},
            model=MODEL.id,
            role="champion",
            period_start=MARCH,
            metric="auc",
            value=0.71,
            lower=0.66,
            upper=0.76,
            reference=0.78,
            subjects=300,
        ),
    ),
    drift=(
        MonitoredDrift(
            model=MODEL.id,
            period_start=MARCH,
            feature="AGE",
            kind="values",
            distance=0.2,
            boundary=0.05,
            beyond=True,
            subjects=300,
        ),
    ),
    alarms=(
        MonitoredAlarm(
            model=MODEL.id, task="death", kind="auc", evidence=3.0, boundary=400.0, fired=False
        ),
    ),
)


def test_a_monitoring_is_exported_once_with_its_periods_and_decisions(sqlite: str) -> None:
    for _ in range(2):
        export(sqlite, monitoring_rows("r1", FOUND))

    with store_engine(sqlite) as engine, engine.connect() as connection:
        drift = connection.execute(text("SELECT feature, task, outcome FROM monitored_drift"))
        assert [tuple(row) for row in drift] == [("AGE", "", "beyond")]
        alarms = connection.execute(text("SELECT task, state, since FROM monitored_alarms"))
        assert [tuple(row) for row in alarms] == [("death", "quiet", None)]
        values = connection.execute(
            text(
                "SELECT slicing, slice, metric, value, reference, period_start, subjects "
                "FROM monitored_values"
            )
        )
        ((*shown, start, subjects),) = values
        assert shown == ["SEX", "F", "auc", 0.71, 0.78]
        assert (str(start)[:10], subjects) == ("2026-03-01", 300)
        (model,) = connection.execute(text("SELECT model FROM monitorings")).scalars()
        assert model == MODEL.id


def test_the_values_of_all_subjects_are_a_series_by_period() -> None:
    (value,) = FOUND.values
    whole = value.model_copy(update={"slice": {}})
    later = whole.model_copy(update={"period_start": date(2026, 4, 1)})
    found = FOUND.model_copy(update={"values": (later, value, whole)})

    assert found.series("death", "auc") == [whole, later]
    assert found.series("death", "auc", "challenger") == []
