"""Records a stage that runs as a separate process: in the task's log and in the SQL store."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.names import TRAINING, RunKind
from pipeline.observability.runs import send_stage
from pipeline.runs.run_record import recorded, versions
from pipeline.runs.stage_record import StageRecord
from pipeline.version import code_version

if TYPE_CHECKING:
    from pipeline.store.export import RunFacts

logger = logging.getLogger(__name__)

RECORD = "stage record: "
"""Prefix of the line of a task's log that contains the record as JSON."""


@dataclass(frozen=True)
class Task:
    """A task of a run.

    Attributes:
        run: Id of the run.
        stage: Name of the task.
        study: Name of the study.
        store: Address of the SQL store; empty for none.
        kind: What the run does.
    """

    run: str
    stage: str
    study: str
    store: str
    kind: RunKind = TRAINING


@contextmanager
def recorded_task(task: Task) -> Iterator[Path]:
    """Records the status and cost of a task, also when it fails.

    An exit handler, which could export all records of a run, breaks runtime parameters. So each
    task exports its own; an unreachable store does not fail a task.

    Args:
        task: The task.

    Yields:
        A folder for temporary files.
    """
    record = StageRecord(run=task.run, stage=task.stage, versions=versions(code_version()))
    with tempfile.TemporaryDirectory() as folder:
        try:
            with recorded(record, Path(folder)):
                yield Path(folder)
        finally:
            _publish(record, task)


def record_death(task: Task, reason: str, is_kill: bool, started: datetime) -> None:
    """Records a task whose process died before it could write a record.

    Args:
        task: The task.
        reason: How it died.
        is_kill: Whether it was killed from outside.
        started: When it started, in UTC.
    """
    seconds = round((datetime.now(UTC) - started).total_seconds(), 3)
    record = StageRecord(
        run=task.run,
        stage=task.stage,
        status="killed" if is_kill else "failed",
        started=started.replace(microsecond=0),
        seconds=seconds,
        error=reason,
        versions=versions(code_version()),
    )
    _publish(record, task)


def export_run(store: str, facts: RunFacts) -> None:
    """Exports the inputs of a run; an unreachable store does not fail the task.

    Args:
        store: Address of the SQL store.
        facts: The inputs of the run.
    """
    from pipeline.store.writer import export

    try:
        export(store, facts.rows())
    except UserError as error:
        logger.warning("The run is not in the store yet: %s", error)


def _publish(record: StageRecord, task: Task) -> None:
    sys.stderr.write(f"{RECORD}{record.model_dump_json()}\n")
    if task.store:
        _export(task, record)
    try:
        send_stage(record, task.study, task.kind)
    except UserError as error:
        logger.warning("The stage's span was not sent: %s", error)
    except Exception as error:
        # Of OpenTelemetry, as by a variable of its own that is no number: it fails no stage.
        logger.warning("The stage's span was not sent: %s", type(error).__name__)


def _export(task: Task, record: StageRecord) -> None:
    from pipeline.store.export import export_stage

    try:
        export_stage(task.store, task.study, record, task.kind)
    except UserError as error:
        logger.warning("The stage's record is not in the store: %s", error)
