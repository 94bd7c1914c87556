"""What every command does that is given a path in a root of unblinded runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from pipeline.errors import UserError
from pipeline.permissions import SQLITE, check_store_of, unblinded_root_of


def let_in(ctx: click.Context) -> bool:
    """Checks that this account may open the unblinded root that a command names, and records it.

    Args:
        ctx: The command's, with the values of its parameters.

    Returns:
        Whether it names one.

    Raises:
        UserError: The account is no named reader; or the command would mix the root with another.
    """
    found = {root for path in _paths(ctx.params.values()) if (root := unblinded_root_of(path))}
    if not found:
        return False
    # What else is needed takes a while to import.
    from pipeline.runs.unblinded import check_access

    run = ctx.params.get("run") or ""
    for place in sorted(found):
        check_access(place, ctx.command_path, str(run))
    root = ctx.params.get("root")
    if root is not None and {unblinded_root_of(Path(root))} != found:
        raise UserError(
            f"{ctx.command_path}: {', '.join(map(str, sorted(found)))} is a root of unblinded "
            "runs: give it as the root of the whole command (--root)."
        )
    if ctx.params.get("store"):
        check_store_of(next(iter(found)), str(ctx.params["store"]))
    return True


def _paths(values: Iterable[Any]) -> Iterator[Path]:
    for value in values:
        if isinstance(value, tuple | list):
            yield from _paths(value)
        elif isinstance(value, Path):
            yield value
        elif isinstance(value, str) and value:
            yield Path(value.removeprefix(SQLITE).removeprefix("file://"))
