"""Writes the boards of a store as one HTML file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from grafana.page.boards_page import boards_page
from pipeline.errors import UserError
from pipeline.html.page import render
from pipeline.store.engine import store_engine, store_url, transaction
from pipeline.store.migrate import open_current


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
    open_current(address)
    with store_engine(address) as engine, transaction(engine) as connection:
        html = render(boards_page(connection, datetime.now(UTC)))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out}: the page can't be written: {error.strerror}.") from error
