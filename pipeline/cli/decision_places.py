"""Options that name the places which follow a decision on a registered model."""

from __future__ import annotations

import click

from pipeline.cli.options import Decorated, store_option


def decision_places(command: Decorated) -> Decorated:
    """The folder of a server, and the store that boards read."""
    serving = click.option(
        "--serving",
        metavar="ADDRESS",
        help="Folder of a server that looks for the highest version, such as TensorFlow Serving; "
        "`<root>/<study>/serving` if not given and there.",
    )
    store = store_option(
        "Address of the store that boards read; the SQLite file below the root if not given and "
        "there."
    )
    return serving(store(command))
