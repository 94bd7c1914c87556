"""A monitoring written out by hand, and the records of runs below a root."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline.results.monitoring import MonitoredAlarm, MonitoredValue, Monitoring
from pipeline.results.validation import ValidatedModel
from pipeline.runs.run_file import RunFile

STUDY = "hand"
TOO_LOW = "Predictions of death are too low since 2024-05-06."


def known(outcomes: int, month: int = 5, **other: Any) -> MonitoredValue:
    """The number of outcomes of a month that became known."""
    content: dict[str, Any] = {
        "model": "a1",
        "role": "champion",
        "task": "death",
        "metric": "known",
        "slice": {},
        "period_start": date(2024, month, 1),
        "subjects": outcomes,
    }
    return MonitoredValue(value=outcomes, **{**content, **other})


def alarm(
    kind: Any = "calibration",
    *,
    fired: bool = True,
    reason: str = TOO_LOW,
    direction: str = "more",
    evidence: float = 5.0,
) -> MonitoredAlarm:
    """An alarm on the task."""
    return MonitoredAlarm(
        model="a1",
        task="death",
        kind=kind,
        fired=fired,
        reason=reason,
        direction=direction,
        evidence=evidence,
        boundary=4.5,
    )


def monitoring(champion: str, *alarms: MonitoredAlarm, **content: Any) -> Monitoring:
    """A monitoring with 120 outcomes."""
    model = ValidatedModel(
        id=champion, study=STUDY, registered_at="", fingerprint="data", model_digest=""
    )
    given: dict[str, Any] = {"values": (known(100), known(20, month=6)), **content}
    return Monitoring(
        study=STUDY,
        model=model,
        period="month",
        as_of=datetime(2024, 7, 1, tzinfo=UTC),
        smallest_group=10,
        alarms=alarms,
        **given,
    )


def record(root: Path, below: str, run: str, **content: Any) -> Path:
    """The record of a run; its folder.

    Args:
        root: Folder of runs.
        below: Folder of its kind below that of the study.
        run: Its id.
        content: Fields that are not those of a run that is done.
    """
    given: dict[str, Any] = {"status": "done", "failed_stage": "", "outputs": {}, **content}
    given["kind"] = below
    folder = root / STUDY / below / "records" / run
    RunFile(
        run=run,
        study=STUDY,
        study_file={},
        study_digest="",
        fingerprint="",
        data_root="",
        data_modified=None,
        seed=1,
        steps=0,
        code_version="",
        started_by="",
        started=datetime(2024, 7, 1, tzinfo=UTC),
        ended=None,
        reason=None,
        store="",
        **given,
    ).write(folder)
    return folder


def monitored(root: Path, run: str, found: Monitoring) -> Path:
    """A monitoring below a root; its file."""
    folder = root / STUDY / "artifacts" / run
    folder.mkdir(parents=True)
    path = folder / "monitoring.json"
    path.write_text(found.model_dump_json())
    record(root, "monitoring", run, outputs={"Monitor": {"monitoring": str(folder)}})
    return path
