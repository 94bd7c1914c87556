"""The spans, metrics and lines of a run, as its records have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from pipeline.names import RunKind
from pipeline.observability.identity import span_id, trace_id
from pipeline.observability.sender import Attributes, Ids, Sender, Timed
from pipeline.observability.sent_lines import sent_lines
from pipeline.runs.run_file import RunFile
from pipeline.runs.stage_record import ENDED_EARLY, StageRecord

_SERVICE = "trial-run"
_COUNTED = ("rows_in", "used", "excluded", "rejected")


@contextmanager
def sending() -> Iterator[Sender]:
    """Gives a sender, and sends what it was given."""
    sender = Sender(_SERVICE)
    try:
        yield sender
    finally:
        sender.close()


@contextmanager
def sending_lines(run: str, stage: str) -> Iterator[None]:
    """Sends what this project logs meanwhile, within the span of a run or of its stage."""
    with sending() as sender, sent_lines(sender, trace_id(run), span_id(run, stage)):
        yield


def run_and_stages(sender: Sender, file: RunFile, records: Sequence[StageRecord]) -> None:
    """Sends a run that has ended, with its stages.

    Args:
        sender: Sends.
        file: The run's file.
        records: Records of its stages.
    """
    ended = file.ended or datetime.now(UTC)
    seconds = max(0.0, (ended - file.started).total_seconds())
    attributes = {
        **_identity(file.run, file.study, file.kind),
        "trial.status": file.status,
        "trial.code_version": file.code_version,
        "trial.failed_stage": file.failed_stage,
    }
    error = (file.reason or file.status) if file.status in ENDED_EARLY else None
    run = Timed(f"run {file.study}", file.started, seconds, attributes, error)
    _send_run(sender, run, file.run)
    counted = {"trial.study": file.study, "trial.kind": file.kind, "trial.status": file.status}
    sender.meter.create_counter("trial.runs", "{run}", "Runs that ended.").add(1, counted)
    duration = sender.meter.create_histogram("trial.run.duration", "s", "Duration of runs.")
    duration.record(seconds, counted)
    for record in records:
        one_stage(sender, record, file.study, file.kind)


def start_of_run(sender: Sender, run: str, study: str, kind: RunKind, started: datetime) -> None:
    """Sends the span of a run from its first task: no task lasts as long as the run."""
    seconds = (datetime.now(UTC) - started).total_seconds()
    _send_run(sender, Timed(f"run {study}", started, seconds, _identity(run, study, kind)), run)


def one_stage(sender: Sender, record: StageRecord, study: str, kind: RunKind) -> None:
    """Sends a stage that has ended.

    Args:
        sender: Sends.
        record: The stage's record.
        study: Name of the study.
        kind: What the run does.
    """
    error = (record.shown_error or record.status) if record.status in ENDED_EARLY else None
    attributes = {
        **_identity(record.run, study, kind),
        "trial.stage": record.stage,
        "trial.status": record.status,
        "trial.peak_memory_mb": record.peak_memory_mb,
        **_rows(record),
        **_findings(record),
    }
    ids = Ids(trace_id(record.run), span_id(record.run, record.stage), span_id(record.run))
    stage = Timed(record.stage, record.started, record.seconds, attributes, error)
    sender.send_span(stage, ids)
    counted = {"trial.study": study, "trial.stage": record.stage, "trial.status": record.status}
    sender.meter.create_histogram("trial.stage.duration", "s", "Duration of stages.").record(
        record.seconds, counted
    )


def _identity(run: str, study: str, kind: RunKind) -> dict[str, str]:
    return {"trial.run": run, "trial.study": study, "trial.kind": kind}


def _rows(record: StageRecord) -> Attributes:
    found: dict[str, int] = {}
    for rows in record.rows:
        if rows.dataset is not None:
            for name in _COUNTED:
                if (count := getattr(rows, name)) is not None:
                    found[f"trial.rows.{rows.dataset}.{name}"] = count
        elif rows.task is None and rows.subjects is not None:
            found[f"trial.subjects.{rows.split or 'all'}"] = rows.subjects
    return found


def _findings(record: StageRecord) -> Attributes:
    severities = Counter(finding.severity for finding in record.findings)
    return {f"trial.findings.{severity}": count for severity, count in severities.items()}


def _send_run(sender: Sender, run: Timed, of: str) -> None:
    sender.send_span(run, Ids(trace_id(of), span_id(of)))
