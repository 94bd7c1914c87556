"""What is known when a retraining is asked for: the newest monitoring, and what is under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipeline import storage
from pipeline.documents import parse_document
from pipeline.errors import UserError
from pipeline.file_lock import lock_within
from pipeline.names import SCORING
from pipeline.results.monitoring import MonitoredAlarm, Monitoring
from pipeline.retraining.policy import BROKEN_FEED, Fired, Situation
from pipeline.runs.alive import RUN_LOCK
from pipeline.runs.run_file import (
    MONITORINGS,
    RECORDS,
    RUN_FILE,
    SCORINGS,
    RunFile,
    read_run_file,
)

_GATE = "SkewGate"
_REMEDY = "Run `trial monitor` again."


def newest_monitoring(root: Path, study: str) -> str:
    """Address of the newest `monitoring.json` of a study; empty where there is none.

    Args:
        root: Folder that runs are written below.
        study: Name of the study.

    Raises:
        UserError: The record of a run is damaged.
    """
    for run in _runs(root, study, MONITORINGS):
        if run.status == "done" and (found := run.output("Monitor", "monitoring")):
            return f"{found}/monitoring.json"
    return ""


def read_situation(root: Path, study: str, monitoring: str, now: datetime) -> Situation:
    """What is known beside the registry.

    Args:
        root: Folder that runs are written below.
        study: Name of the study.
        monitoring: Address of a `monitoring.json`; empty for none.
        now: The moment, UTC.

    Raises:
        UserError: The document is missing, damaged or of another study, or a record is damaged.
    """
    found = _read(monitoring, study) if monitoring else None
    return Situation(
        now=now.astimezone(UTC),
        champion="",
        monitored=found.model.id if found else "",
        fired=tuple(_fired(found)) if found else (),
        new_outcomes=new_outcomes(found) if found else 0,
        running=running(root / study),
        stopped=tuple(_stopped(root, study)),
    )


def new_outcomes(monitoring: Monitoring) -> int:
    """Outcomes that became known of subjects whom the champion had predicted.

    Those of the task with the most: one that is rare or late does not hold up the others. Periods
    of fewer subjects than the smallest group are not shown and not counted.
    """
    known: Counter[str] = Counter()
    for value in monitoring.values:
        if value.metric == "known" and value.role == "champion" and not value.slice:
            known[value.task] += int(value.value)
    return max(known.values(), default=0)


def running(folder: Path) -> str:
    """Id of the run that is under way in a folder; empty for none.

    Args:
        folder: The study's folder below the root.
    """
    path = folder / RUN_LOCK
    if not path.exists():
        return ""
    with path.open("rb") as stream:
        if lock_within(stream, 0.0, 0.1):
            return ""
        named = stream.read().decode("utf-8", "replace").split()
    return named[0] if named else "that has just begun"


def _read(address: str, study: str) -> Monitoring:
    content = storage.read(address)
    if content is None:
        raise UserError(f"{address}: the file is missing. {_REMEDY}")
    found = parse_document(Monitoring, content, address, "what `trial monitor` writes", _REMEDY)
    if found.study != study:
        raise UserError(f"{address}: a monitoring of the study {found.study}, not {study}.")
    return found


def _fired(monitoring: Monitoring) -> Iterator[Fired]:
    """Its alarms; a feed that was repaired, or lacks less than in training, is not broken."""
    for alarm in monitoring.fired:
        is_beyond = (alarm.evidence or 0.0) >= (alarm.boundary or 0.0)
        if alarm.kind != BROKEN_FEED or (alarm.direction == "more" and is_beyond):
            yield Fired(alarm.kind, _reason(alarm))


def _reason(alarm: MonitoredAlarm) -> str:
    if not alarm.reason:
        return f"The alarm {alarm.kind} on {alarm.feature or alarm.task} has fired."
    # The documents show it without a full stop; here other sentences follow.
    return f"{alarm.reason.rstrip('.')}."


def _stopped(root: Path, study: str) -> list[str]:
    newest = next(iter(_runs(root, study, SCORINGS)), None)
    if newest is None or newest.kind != SCORING or newest.failed_stage != _GATE:
        return []
    return [f"The gate stopped the newest scoring, {newest.run}."]


def _runs(root: Path, study: str, below: str) -> list[RunFile]:
    """The runs of a kind, the newest first."""
    folders = (path.parent for path in root.glob(f"{study}/{below}/{RECORDS}/*/{RUN_FILE}"))
    newest_first = sorted(folders, key=lambda folder: folder.name, reverse=True)
    return [read_run_file(folder) for folder in newest_first]
