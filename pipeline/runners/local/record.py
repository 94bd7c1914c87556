"""What a local run leaves of itself: `run.json`, rows in the store, a dead stage's record."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from pipeline.documents import Document
from pipeline.errors import UserError
from pipeline.runners.local.display import print_words
from pipeline.runs.run_file import RunFile
from pipeline.runs.stage_record import StageRecord

logger = logging.getLogger(__name__)

_NOTE = "stage.json"
_BESIDE_NOTE = "beside.json"


class StartedStage(Document):
    """A stage that has started: what is left of it where its process dies.

    Attributes:
        file: The run's file as it would be if the run had failed in this stage.
        record: The stage's record.
        records: Folder of the run's records.
    """

    file: RunFile
    record: StageRecord
    records: Path


def note_stage(stage: StartedStage, folder: Path, is_beside: bool = False) -> None:
    """Writes a stage to a folder that outlives its process; the one before is overwritten.

    Args:
        stage: The stage.
        folder: The folder.
        is_beside: Whether the stage runs in the process beside the run's own.
    """
    path = _note(folder, is_beside)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(stage.model_dump_json(), encoding="utf-8")
    unfinished.rename(path)


def forget_beside(folder: Path) -> None:
    """Deletes the note of the stage in the process beside the run's own: it has its record."""
    _note(folder, is_beside=True).unlink()


def read_stage(folder: Path, is_beside: bool = False) -> StartedStage | None:
    """The stage that started last; None before the first, or where it has its record."""
    path = _note(folder, is_beside)
    if not path.exists():
        return None
    return StartedStage.model_validate_json(path.read_text(encoding="utf-8"))


def _note(folder: Path, is_beside: bool) -> Path:
    return folder / (_BESIDE_NOTE if is_beside else _NOTE)


def record_death(
    stage: StartedStage, beside: StartedStage | None, reason: str, console: Console
) -> None:
    """Records that a stage failed, and its run with it.

    Args:
        stage: The stage.
        beside: The one that ran beside it and ended with it.
        reason: How its process ended.
        console: The terminal.
    """
    ended = datetime.now(UTC)
    for each in filter(None, (beside, stage)):
        seconds = round((ended - each.record.started).total_seconds(), 3)
        changes = {"status": "failed", "error": reason, "seconds": seconds}
        each.record.model_copy(update=changes).write(each.records)
    file = stage.file.model_copy(update={"status": "failed", "reason": reason, "ended": ended})
    record_run(file, stage.records, console)


def record_run(file: RunFile, records: Path, console: Console) -> None:
    """Writes `run.json` and exports the run; an unreachable store does not fail the run.

    Args:
        file: The run's file.
        records: Folder of the run's records.
        console: The terminal.
    """
    file.write(records)
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
            f"The run is complete. Repeat the export with: make export RUN={escape(str(records))}",
        )
