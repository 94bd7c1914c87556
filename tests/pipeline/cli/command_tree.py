"""All commands of `trial`, and what the tests need to call them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from pipeline.cli.main import trial

HEAVY = ("tensorflow", "tfx", "apache_beam", "pandas", "sqlalchemy", "numpy", "kfp", "nbclient")
"""Libraries that take long to import."""


def commands(
    group: click.Group = trial, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command that is no group, with the words that name it."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())
