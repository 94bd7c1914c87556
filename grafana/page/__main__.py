"""Writes the boards of a store as one HTML file: `python -m grafana.page`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from grafana.page.boards_page import boards_page
from pipeline.errors import UserError
from pipeline.html.page import render
from pipeline.store.engine import sqlite_address, store_engine, store_url, transaction
from pipeline.store.migrate import check_current


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page.

    Returns:
        0, or 1 for something that a person can put right.
    """
    options = _parser().parse_args(arguments)
    out = options.out or options.root / "boards.html"
    address = options.store or sqlite_address(options.root.resolve() / "store.sqlite")
    try:
        write_boards(address, out)
    except UserError as error:
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(str(error))
        return 1
    Console(highlight=False, soft_wrap=True).print(f"boards    {out}")
    return 0


def write_boards(address: str, out: Path) -> None:
    """Writes the boards of a store.

    Args:
        address: The store's.
        out: The HTML file.

    Raises:
        UserError: There is no store, it has to be migrated, it holds no run, or the file can't be
            written.
    """
    url = store_url(address)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise UserError(
            f"{url.database}: there is no store. Run the pipeline first (make run), or name the "
            "store (STORE=) or the root of the runs (ROOT=)."
        )
    with store_engine(address) as engine:
        check_current(engine)
        with transaction(engine) as connection:
            html = render(boards_page(connection, datetime.now(UTC)))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out}: the page can't be written: {error.strerror}.") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grafana.page", description=__doc__)
    parser.add_argument("--store", default="", help="address; SQLite below the root if none")
    parser.add_argument("--root", type=Path, default=Path("runs"), help="folder of the runs")
    parser.add_argument("--out", type=Path, help="the file; boards.html below the root if none")
    return parser


if __name__ == "__main__":
    sys.exit(main())
