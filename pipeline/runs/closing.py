"""Closes the record of a run whose process has died: by its supervisor, or by who finds it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipeline.runs.alive import FolderInUseError, living_run
from pipeline.runs.run_file import RUN_FILE, RunFile, read_run_file
from pipeline.runs.stage_record import ENDED_EARLY, StageRecord, read_records

logger = logging.getLogger(__name__)

_UNNOTICED = (
    "its process ended without a record of it: it was killed, the machine stopped, or the disk was "
    "full"
)


def close_run(
    records: Path,
    status: Literal["failed", "interrupted", "killed"],
    how: str,
    ended: datetime | None = None,
) -> RunFile | None:
    """Writes down how a run ended that could not do so itself.

    Args:
        records: The run's folder of records.
        status: The run's status from now on, and that of the stages that ran.
        how: How its process ended, as the predicate of a sentence about it, or a sentence.
        ended: When; None for the last time that it wrote a record.

    Returns:
        The run's file; None where it had not started or has ended.

    Raises:
        UserError: A record can't be read.
    """
    if not (records / RUN_FILE).exists():
        return None
    run = read_run_file(records)
    if run.status != "running":
        return None
    ended = ended or _last_sign(records)
    found = read_records(records)
    running = [record for record in found if record.status == "running"]
    stage = _stage(run, running or [record for record in found if record.status in ENDED_EARLY])
    where = f"Stage {stage}" if stage else "Before the first stage or between two"
    reason = f"{where}: {how.rstrip('.')}."
    for record in running:
        seconds = max(0.0, round((ended - record.started).total_seconds(), 3))
        changes = {"status": status, "error": reason, "seconds": seconds}
        record.model_copy(update=changes).write(records)
    closed = run.model_copy(
        update={"status": status, "failed_stage": stage, "reason": reason, "ended": ended}
    )
    closed.write(records)
    return closed


def close_if_dead(records: Path) -> RunFile | None:
    """Closes a run that died and is not closed; any other stays as it is.

    Args:
        records: The run's folder of records.

    Returns:
        The run's file; None where nothing was to be closed.

    Raises:
        UserError: A record can't be read.
    """
    if not (records / RUN_FILE).exists() or read_run_file(records).status != "running":
        return None
    try:
        with living_run(records.parents[1], patience=0.0):
            return close_unnoticed(records)
    except FolderInUseError:
        # The run itself, or the next one, which closes this one.
        return None


def close_unnoticed(records: Path) -> RunFile | None:
    """Closes a run that died unnoticed, while the lock of its folder is held.

    If a stage could record how it ended, as on a disk that filled up, so did the run.

    Args:
        records: The run's folder of records.

    Returns:
        The run's file; None where nothing was to be closed.

    Raises:
        UserError: A record can't be read.
    """
    found = read_records(records)
    for record in found:
        if record.status in ("failed", "interrupted", "killed"):
            closed = close_run(records, record.status, record.shown_error or record.status)
            break
    else:
        closed = close_run(records, "killed", _UNNOTICED)
    if closed:
        logger.warning("The run %s is recorded as %s. %s", closed.run, closed.status, closed.reason)
    return closed


def _stage(run: RunFile, found: list[StageRecord]) -> str:
    """The stage that the run was in; of two the one that the run's file names."""
    names = [record.stage for record in found]
    return run.failed_stage if run.failed_stage in names else (names or [""])[0]


def _last_sign(records: Path) -> datetime:
    """When the run last wrote a record."""
    newest = max(path.stat().st_mtime for path in records.glob("*.json"))
    return datetime.fromtimestamp(newest, UTC)
