"""What a local run leaves of itself: `run.json`, and its row and results in the store."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from pipeline.errors import UserError
from pipeline.observability.runs import send_run
from pipeline.runners.local.display import print_words
from pipeline.runs.closing import close_unnoticed
from pipeline.runs.run_file import RECORDS, RUN_FILE, RunFile, read_run_file

logger = logging.getLogger(__name__)

_NOTE = "records"


def note_records(records: Path, notes: Path) -> None:
    """Writes down where a run's records are, for who reports its death."""
    (notes / _NOTE).write_text(str(records), encoding="utf-8")


def noted_records(notes: Path) -> Path | None:
    """Folder of the records of a run that has started; None before."""
    note = notes / _NOTE
    return Path(note.read_text(encoding="utf-8")) if note.exists() else None


def record_start(file: RunFile, records: Path) -> None:
    """Writes `run.json` of a run that starts, and adds its row to the store.

    Args:
        file: The run's file.
        records: Folder of the run's records.
    """
    file.write(records)
    if not file.store:
        return
    from pipeline.store.export import export_start

    try:
        export_start(file)
    except UserError as error:
        logger.warning("the run is not in the store yet: %s", error)


def close_runs(own: Path, runs: Iterable[str], console: Console) -> tuple[str, ...]:
    """Records the end of runs that could not do so themselves, and says so.

    One that died unnoticed is recorded as killed; one that ended while the store was down, or on
    the same full disk, is exported.

    Args:
        own: The runs' folder, whose lock is held.
        runs: Their ids.
        console: The terminal.

    Returns:
        Those whose end is still not in the store.
    """
    return tuple(run for run in runs if not _is_closed(own / RECORDS / run, console))


def _is_closed(records: Path, console: Console) -> bool:
    run = records.name
    if not (records / RUN_FILE).exists():
        return True
    try:
        closed = close_unnoticed(records)
        file = closed or read_run_file(records)
    except UserError as error:
        print_words(console, f"[yellow]The run {run} died.[/yellow] {escape(str(error))}")
        return True
    if closed:
        at = f" at {closed.failed_stage}" if closed.failed_stage else ""
        print_words(
            console, f"[yellow]The run {run} died{at}:[/yellow] it is recorded as {closed.status}."
        )
    elif not _is_to_be_exported(file):
        return True
    else:
        console.print(f"The run {run} has ended without an entry in the store: it is exported now.")
    return export_run(file, records, console, attempts=1)


def _is_to_be_exported(file: RunFile) -> bool:
    """Whether the store lacks the end of a run, or can't be asked."""
    if not file.store:
        return False
    from pipeline.store.export import has_outcome

    try:
        return not has_outcome(file.store, file.run)
    except UserError:
        return True


def record_run(file: RunFile, records: Path, console: Console) -> bool:
    """Writes `run.json` and exports the run; an unreachable store does not fail the run.

    Args:
        file: The run's file.
        records: Folder of the run's records.
        console: The terminal.

    Returns:
        As `export_run`.
    """
    file.write(records)
    return export_run(file, records, console)


def export_run(file: RunFile, records: Path, console: Console, attempts: int | None = None) -> bool:
    """Exports a run that has ended; an unreachable store does not fail it.

    Args:
        file: The run's file.
        records: Folder of the run's records.
        console: The terminal.
        attempts: How often a store that does not answer is asked; the environment's if None.

    Returns:
        Whether there is nothing left to try: False where the store is down.
    """
    exported = _export(file, records, console, attempts)
    _send(file, records)
    return exported


def _export(file: RunFile, records: Path, console: Console, attempts: int | None) -> bool:
    if not file.store:
        return True
    from pipeline.store.engine import StoreDownError
    from pipeline.store.export import export_local_run
    from pipeline.store.writer import Patience

    try:
        rows = export_local_run(records, patience=Patience(attempts) if attempts else None)
        console.print(f"store     {escape(file.store)} ({rows:,} rows)")
    except UserError as error:
        logger.warning("the run was not exported: %s", error)
        print_words(console, f"\n[yellow]Not exported.[/yellow] {escape(str(error))}")
        print_words(
            console,
            "The run itself is recorded. Repeat the export with: make export "
            f"RUN={escape(str(records))}",
        )
        return not isinstance(error, StoreDownError)
    return True


def _send(file: RunFile, records: Path) -> None:
    try:
        send_run(file, records)
    except UserError as error:
        logger.warning("the run's trace was not sent: %s", error)
    except Exception as error:
        # Of OpenTelemetry, as by a variable of its own that is no number: it fails no run.
        logger.warning("the run's trace was not sent: %s", type(error).__name__)
