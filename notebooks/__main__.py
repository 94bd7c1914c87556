"""Executes the notebooks on a run: `python -m notebooks [RUN] [--root runs] [--only fairness]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from notebooks.execute import execute, notebook_names
from notebooks.opened_run import open_run
from pipeline.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Executes the notebooks and names the files that it wrote.

    Returns:
        0, or 1 for something that a person can put right.
    """
    parser = argparse.ArgumentParser(
        prog="python -m notebooks", description="Executes the notebooks on a run."
    )
    parser.add_argument("run", nargs="?", default="", help="id or folder; the newest run if none")
    parser.add_argument("--root", type=Path, default=Path("runs"), help="folder of the runs")
    parser.add_argument(
        "--only", choices=notebook_names(), action="append", help="a notebook; all if none"
    )
    options = parser.parse_args(arguments)
    try:
        folder = open_run(options.run, options.root).folder
        for name in options.only or notebook_names():
            written = execute(name, folder)
            Console(highlight=False, soft_wrap=True).print(str(written))
    except UserError as error:
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
