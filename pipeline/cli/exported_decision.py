"""Adds a decision on a registered model to the store that boards read."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.errors import UserError
from pipeline.runs.trail import read_book
from pipeline.store.registry_rows import registry_rows
from pipeline.store.sqlite_file import sqlite_address
from pipeline.store.writer import export


def export_decision(store: str | None, root: Path, registry: str | None, study: str) -> None:
    """Adds what the store lacks of the trail, and warns where it can't: the decision holds.

    Args:
        store: Address of the store; None takes the SQLite file below the root, where it is there
            and the registry is the root's own.
        root: Root of the runs.
        registry: Root of the registry; None for the one below the root.
        study: Name of the study.
    """
    beside = root.resolve() / "store.sqlite"
    if not store and (registry is not None or not beside.is_file()):
        return
    folder = f"{(registry or str(root.resolve() / 'registry')).rstrip('/')}/{study}"
    try:
        export(store or sqlite_address(beside), registry_rows(read_book(folder, study)))
    except UserError as error:
        click.echo(f"Warning: the decision is not in the store yet: {error}", err=True)
