"""Who gives a command: the account of the operating system, and the name that a person states."""

from __future__ import annotations

import socket
from collections.abc import Callable

import click

from pipeline.cli.options import Decorated
from pipeline.permissions import account_name
from pipeline.results.trail import Actor


def current_actor(name: str | None) -> Actor:
    """The person who gives a command.

    Args:
        name: Name that the person states (`--as`).
    """
    stated = " ".join((name or "").split())
    return Actor(account=f"{account_name()}@{socket.gethostname()}", name=stated)


def decision_options(command: Decorated) -> Decorated:
    """The options of every command that changes what is served: why, and by whom."""
    options: tuple[Callable[[Decorated], Decorated], ...] = (
        click.option("--reason", required=True, help="Why, in a sentence, for the audit trail."),
        click.option(
            "--as",
            "name",
            metavar="NAME",
            callback=_printable,
            help="Your name, where several persons share an account. It is written down, not "
            "checked.",
        ),
        click.option(
            "--seen",
            metavar="ID",
            default="",
            help="The champion that you have seen, or `none`: refused if it is another by now.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _printable(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (value.strip() and value.isprintable()):
        raise click.BadParameter("expected a name in one line", ctx, param)
    return value
