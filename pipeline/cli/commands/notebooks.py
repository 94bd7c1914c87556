"""`trial notebooks`: executes the notebooks on a run."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, root_option, run_argument


def _complete_names(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    del ctx, param
    from notebooks.execute import notebook_names

    return [CompletionItem(name) for name in notebook_names() if name.startswith(incomplete)]


def _check_names(
    ctx: click.Context, param: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    del ctx, param
    from notebooks.execute import notebook_names

    for name in names:
        if name not in notebook_names():
            expected = ", ".join(notebook_names())
            raise click.BadParameter(f"there is no notebook {name!r}; expected {expected}")
    return names


@click.command(cls=Command)
@run_argument
@root_option
@click.option(
    "--only",
    multiple=True,
    metavar="NOTEBOOK",
    callback=_check_names,
    shell_complete=_complete_names,
    help="Execute this notebook alone; repeatable.",
)
@json_option
def notebooks(run: str, root: Path, only: tuple[str, ...]) -> Answer:
    """Execute the notebooks on RUN (an id or a folder; the newest run if none)."""
    from notebooks.execute import execute, notebook_names
    from notebooks.opened_run import open_run

    folder = open_run(run, root).folder
    written = []
    for name in only or notebook_names():
        page = execute(name, folder)
        click.echo(page)
        written.append(str(page))
    return Answer({"run": folder.name, "written": written})
