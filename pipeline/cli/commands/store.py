"""`trial store`: the store's tables and roles."""

from __future__ import annotations

import os

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command, LazyGroup
from pipeline.cli.options import json_option


@click.group(cls=LazyGroup)
def store() -> None:
    """Look after the SQL store."""


@store.command(cls=Command)
@click.argument("address")
@json_option
def migrate(address: str) -> Answer:
    """Make or alter the tables and roles of the store at ADDRESS.

    ADDRESS names a user who may make tables and roles. The roles of PostgreSQL get their
    passwords from TRIAL_WRITER_PASSWORD and TRIAL_READER_PASSWORD.
    """
    from pipeline.store.engine import store_url
    from pipeline.store.migrate import PASSWORDS, set_password
    from pipeline.store.migrate import migrate as migrate_store

    migrate_store(address)
    click.echo("The tables are those of this release.")
    roles: dict[str, str] = {}
    if store_url(address).get_backend_name() == "postgresql":
        for role, variable in PASSWORDS.items():
            if password := os.environ.get(variable):
                set_password(address, role, password)
                click.echo(f"Role {role} has the password of {variable}.")
            else:
                click.echo(f"Role {role} keeps its password: {variable} is not set.")
            roles[role] = "password set" if password else "password kept"
    return Answer({"store": address, "roles": roles})
