"""`trial report`: writes the report of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, root_option, run_argument

if TYPE_CHECKING:
    from pipeline.runs.run_file import RunFile


@click.command(cls=Command)
@run_argument
@root_option
@json_option
def report(run: str, root: Path) -> Answer:
    """Write the report of RUN (an id or a folder; the newest run if none) as one HTML file.

    Where the study file says `disclosure: internal`, a second file for the owners of the data.
    """
    from pipeline.pages.write_report import write_report
    from pipeline.runs.closing import close_if_dead
    from pipeline.runs.run_file import find_run, read_training_run

    folder = find_run(run, root)
    close_if_dead(folder)
    found = read_training_run(folder)
    written = write_report(folder, found)
    click.echo(written)
    internal = _write_internal(folder, found)
    if internal:
        click.echo(f"{internal} (internal: not to be passed on)")
    paths = [written, *([internal] if internal else [])]
    return Answer({"run": folder.name, "written": [str(path) for path in paths]})


def _write_internal(folder: Path, run: RunFile) -> Path | None:
    if run.study_file.get("disclosure") != "internal":
        return None
    # What reads the examples takes seconds to import.
    from pipeline.internal_report import write_internal_report

    return write_internal_report(folder, run)
