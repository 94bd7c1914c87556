"""`trial access`: who opened the unblinded runs of ongoing trials."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, root_option
from pipeline.errors import UserError
from pipeline.permissions import UNBLINDED_FOLDER, unblinded_root_of


@click.command(cls=Command)
@root_option
@json_option
def access(root: Path) -> Answer:
    """Show who opened the unblinded runs below a root, when, and by which command.

    The log is chained by digests: an entry that was changed or removed is reported.
    """
    from pipeline.runs.unblinded import check_access, read_accesses

    place = unblinded_root_of(root)
    if place is None:
        place = unblinded_root_of(root / UNBLINDED_FOLDER)
        if place is None:
            raise UserError(f"{root}: there are no unblinded runs below this root.")
        check_access(place, "trial access")
    entries = read_accesses(place)
    for entry in entries:
        refused = "" if entry.allowed else "  REFUSED"
        run = f" {entry.run}" if entry.run else ""
        click.echo(f"{entry.at[:19]}  {entry.account}  {entry.command}{run}{refused}")
    return Answer({"root": str(place), "entries": [entry.model_dump() for entry in entries]})
