"""What a local run leaves of itself: `run.json`, and its row and results in the store."""

from __future__ import annotations

import logging
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from pipeline.errors import UserError
from pipeline.runners.local.display import print_words
from pipeline.runs.closing import close_unnoticed
from pipeline.runs.run_file import RECORDS, RunFile

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


def close_dead_run(own: Path, run: str, console: Console) -> None:
    """Records a run of a folder, whose lock is held, as killed if it died unnoticed, and says so.

    Args:
        own: The folder.
        run: Id of the run.
        console: The terminal.
    """
    records = own / RECORDS / run
    try:
        closed = close_unnoticed(records)
    except UserError as error:
        print_words(console, f"[yellow]The run {run} died.[/yellow] {escape(str(error))}")
        return
    if closed is None:
        return
    at = f" at {closed.failed_stage}" if closed.failed_stage else ""
    print_words(console, f"[yellow]The run {run} died{at}:[/yellow] it is recorded as killed.")
    export_run(closed, records, console)


def record_run(file: RunFile, records: Path, console: Console) -> None:
    """Writes `run.json` and exports the run; an unreachable store does not fail the run.

    Args:
        file: The run's file.
        records: Folder of the run's records.
        console: The terminal.
    """
    file.write(records)
    export_run(file, records, console)


def export_run(file: RunFile, records: Path, console: Console) -> None:
    """Exports a run that has ended; an unreachable store does not fail it.

    Args:
        file: The run's file.
        records: Folder of the run's records.
        console: The terminal.
    """
    if not file.store:
        return
    from pipeline.store.export import export_local_run

    try:
        rows = export_local_run(records)
        console.print(f"store     {escape(file.store)} ({rows:,} rows)")
    except UserError as error:
        logger.warning("the run was not exported: %s", error)
        print_words(console, f"\n[yellow]Not exported.[/yellow] {escape(str(error))}")
        print_words(
            console,
            "The run itself is recorded. Repeat the export with: make export "
            f"RUN={escape(str(records))}",
        )
