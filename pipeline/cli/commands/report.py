"""`trial report`: writes the report of a run."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, root_option, run_argument


@click.command(cls=Command)
@run_argument
@root_option
@json_option
def report(run: str, root: Path) -> Answer:
    """Write the report of RUN (an id or a folder; the newest run if none) as one HTML file."""
    from pipeline.pages.write_report import write_report
    from pipeline.runs.run_file import find_run

    folder = find_run(run, root)
    written = write_report(folder)
    click.echo(written)
    return Answer({"run": folder.name, "written": [str(written)]})
