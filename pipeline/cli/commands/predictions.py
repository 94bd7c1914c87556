"""`trial predictions`: tables and roles of the prediction log, its retention, who is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command, LazyGroup
from pipeline.cli.options import (
    WholeNumber,
    json_option,
    prediction_log_option,
    variable_option,
)
from pipeline.cli.subjects import named_subjects

_log_option = prediction_log_option("Address of the log: ", required=True)


@click.group(cls=LazyGroup)
def predictions() -> None:
    """Look after the prediction log."""


@predictions.command(cls=Command)
@click.argument("address")
@json_option
def prepare(address: str) -> Answer:
    """Make or alter the tables and roles of the prediction log in PostgreSQL at ADDRESS.

    ADDRESS names a user who may make a schema and roles; files need no preparation. The roles get
    their passwords from TRIAL_PREDICTION_WRITER_PASSWORD, TRIAL_OUTCOME_WRITER_PASSWORD and
    TRIAL_PREDICTION_READER_PASSWORD.
    """
    from pipeline.predictions.postgres_log import PASSWORDS
    from pipeline.predictions.postgres_log import prepare as prepare_log

    given = prepare_log(address)
    click.echo("The tables are those of this release.")
    for role, has_password in given.items():
        if has_password:
            click.echo(f"Role {role} has the password of {PASSWORDS[role]}.")
        else:
            click.echo(f"Role {role} keeps its password: {PASSWORDS[role]} is not set.")
    roles = {role: "password set" if new else "password kept" for role, new in given.items()}
    return Answer({"prediction_log": address, "roles": roles})


@predictions.command(cls=Command)
@_log_option
@variable_option(
    "--keep-days",
    type=WholeNumber(1),
    required=True,
    help="Retention period: how many days are kept, before today; all earlier rows are removed.",
)
@json_option
def expire(prediction_log: str, keep_days: int) -> Answer:
    """Remove what is older than the retention period. Run it every day."""
    from pipeline.predictions.open_log import open_log

    first = datetime.now(UTC).date() - timedelta(days=keep_days)
    removed = open_log(prediction_log).expire(first)
    click.echo(f"Rows before {first} that were removed: {removed:,}")
    return Answer({"first_day": first.isoformat(), "rows": removed})


@predictions.command(cls=Command)
@click.argument("study")
@click.argument("subject")
@_log_option
@click.option("--pseudonym", is_flag=True, help="SUBJECT is a pseudonym, not an original key.")
@json_option
def forget(study: str, subject: str, prediction_log: str, pseudonym: bool) -> Answer:
    """Remove all rows of SUBJECT, such as one who withdrew consent.

    STUDY is the name of a study or a study file. SUBJECT is an original key, which becomes a
    pseudonym with the subject key; `-` reads any number from standard input, one a line.
    """
    from pipeline.predictions.open_log import open_log

    study, subjects = named_subjects(study, subject, pseudonym)
    removed = open_log(prediction_log).forget(study, subjects)
    click.echo(f"Rows of these subjects that were removed: {removed:,}")
    return Answer({"rows": removed})
