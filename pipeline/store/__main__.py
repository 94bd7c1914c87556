"""The store by hand: `python -m pipeline.store migrate ADDRESS`, `... export [RUN]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipeline.errors import UserError
from pipeline.runs.run_file import find_run
from pipeline.store.engine import store_url
from pipeline.store.export import export_local_run
from pipeline.store.migrate import READER, WRITER, migrate, set_password
from pipeline.store.pending import read_export
from pipeline.store.writer import export

PASSWORDS = {WRITER: "TRIAL_WRITER_PASSWORD", READER: "TRIAL_READER_PASSWORD"}
"""Environment variables with the passwords that roles are to get."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one of the commands.

    Returns:
        0, or 1 for something that a person can put right.
    """
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    try:
        if options.command == "migrate":
            _migrate(options.address, console)
        else:
            rows = _export(options.run, options.store, options.root)
            console.print(f"{rows:,} rows handed over; what was there stayed.")
    except UserError as error:
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(str(error))
        return 1
    return 0


def _export(run: str, store: str, root: Path) -> int:
    pending = read_export(run) if run else None
    if pending is None:
        return export_local_run(find_run(run, root), store)
    return export(store or pending.store, pending.pending_rows())


def _migrate(address: str, console: Console) -> None:
    migrate(address)
    console.print("The tables are those of this release.")
    if store_url(address).get_backend_name() != "postgresql":
        return
    for role, variable in PASSWORDS.items():
        if os.environ.get(variable):
            set_password(address, role, os.environ[variable])
            console.print(f"Role {role} has the password of {variable}.")
        else:
            console.print(f"Role {role} keeps its password: {variable} is not set.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline.store")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("migrate", help="make or alter the store's tables and roles")
    command.add_argument("address", help="address, with a user who may make tables and roles")
    command = commands.add_parser("export", help="export a run again")
    command.add_argument(
        "run",
        nargs="?",
        default="",
        help="id or folder of a local run, or folder or address of what MetricsExporter left; the "
        "newest local run if none",
    )
    command.add_argument("--store", default="", help="address; the one that the run named if none")
    command.add_argument("--root", type=Path, default=Path("runs"), help="folder of the runs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
