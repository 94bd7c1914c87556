"""`trial export`: exports a run to the store again."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, root_option, run_argument, store_option


@click.command(cls=Command)
@run_argument
@store_option("Address of the store; the one that the run named if not given.")
@root_option
@json_option
def export(run: str, store: str | None, root: Path) -> Answer:
    """Export RUN to the store again.

    RUN is the id or the folder of a local run, or the folder or address of what MetricsExporter
    left; the newest local run if none is given. Rows that are in the store stay as they are.
    """
    from pipeline.errors import UserError
    from pipeline.runs.closing import close_if_dead
    from pipeline.runs.run_file import find_run
    from pipeline.store.export import export_local_run
    from pipeline.store.pending import read_export
    from pipeline.store.writer import export as export_rows

    pending = read_export(run) if run else None
    if pending is None:
        folder = find_run(run, root)
        close_if_dead(folder)
        rows = export_local_run(folder, store or "")
    elif pending.status == "with the outcome":
        raise UserError(
            f"{run}: a local run exports its results with its outcome. Name the run, by its id or "
            "its folder of records."
        )
    else:
        rows = export_rows(store or pending.store, pending.pending_rows())
    click.echo(f"{rows:,} rows exported; rows that were in the store are unchanged.")
    return Answer({"rows": rows})
