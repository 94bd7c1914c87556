"""A run as a trace: its stages are spans, their rows, findings and costs attributes.

OpenTelemetry is imported only where an address is set.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipeline.names import RunKind
from pipeline.observability.address import is_observed
from pipeline.permissions import unblinded_root_of
from pipeline.runs.run_file import RunFile
from pipeline.runs.stage_record import StageRecord, read_records


def send_run(file: RunFile, records: Path) -> None:
    """Sends a run that has ended, with all its stages; nothing where no address is set.

    An unblinded run has results by arm of an ongoing trial, and is sent nowhere.

    Args:
        file: The run's file.
        records: Folder of its records.

    Raises:
        UserError: A record can't be read, or the address is none.
    """
    if not is_observed() or unblinded_root_of(records):
        return
    from pipeline.observability.spans import run_and_stages, sending

    stages = read_records(records)
    with sending() as sender:
        run_and_stages(sender, file, stages)


def send_start(run: str, study: str, kind: RunKind, started: datetime) -> None:
    """Sends the span that those of a run's tasks belong to, from the task that is its first.

    Args:
        run: The run's id.
        study: Name of the study.
        kind: What the run does.
        started: When the task started.

    Raises:
        UserError: The address is none.
    """
    if not is_observed():
        return
    from pipeline.observability.spans import sending, start_of_run

    with sending() as sender:
        start_of_run(sender, run, study, kind, started)


def send_stage(record: StageRecord, study: str, kind: RunKind) -> None:
    """Sends a stage that ran as a separate process and has ended.

    Args:
        record: Its record.
        study: Name of the study.
        kind: What the run does.

    Raises:
        UserError: The address is none.
    """
    if not is_observed():
        return
    from pipeline.observability.spans import one_stage, sending

    with sending() as sender:
        one_stage(sender, record, study, kind)


@contextmanager
def sent_log(run: str, stage: str = "", file: Path | None = None) -> Iterator[None]:
    """Sends what this project logs meanwhile, with the ids of a run's trace.

    Args:
        run: The run's id.
        stage: The stage that logs; empty for the run itself.
        file: The run's log; nothing is sent of an unblinded one.

    Raises:
        UserError: The address is none.
    """
    if not is_observed() or (file and unblinded_root_of(file)):
        yield
        return
    from pipeline.observability.spans import sending_lines

    with sending_lines(run, stage):
        yield
