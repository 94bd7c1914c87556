"""`trial boards`: writes the boards of a store as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, path_option, root_option, store_option


@click.command(cls=Command)
@store_option("Address of the store; the SQLite file below the root if not given.")
@root_option
@path_option("--out", help="File to write; boards.html below the root if not given.")
@json_option
def boards(store: str | None, root: Path, out: Path | None) -> Answer:
    """Write the boards of a store as one HTML file."""
    from grafana.page.write_boards import write_boards
    from pipeline.store.sqlite_file import sqlite_address

    out = out or root / "boards.html"
    write_boards(store or sqlite_address(root.resolve() / "store.sqlite"), out)
    click.echo(f"boards    {out}")
    return Answer({"written": [str(out)]})
