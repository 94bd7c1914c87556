"""`trial verdict`: the newest verdict of a study in the store."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.answer import Answer, ExitCode
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, root_option, store_option
from pipeline.estimates import fixed, interval_text
from pipeline.titles import titled

if TYPE_CHECKING:
    from pipeline.store.verdicts import StoredVerdict

JUDGED_RUN = "JUDGED_RUN"
"""Variable that a delivery's next job finds the run's id in."""


@click.command(cls=Command)
@click.option("--study", required=True, help="Name of the study, as its file has it.")
@click.option("--run", help="Id of a run; the newest if not given.")
@store_option("Address of the store; the SQLite file below the root if not given.")
@root_option
@click.option("--fail-if-refused", is_flag=True, help="Exit code 3 if the model was not blessed.")
@click.option(
    "--dotenv",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Write the run's id to FILE as {JUDGED_RUN}=..., for the next job of a delivery; not "
    "where --fail-if-refused ends with 3.",
)
@json_option
def verdict(
    study: str,
    run: str | None,
    store: str | None,
    root: Path,
    fail_if_refused: bool,
    dotenv: Path | None,
) -> Answer:
    """Show the newest verdict of a study and the difference to the champion."""
    from pipeline.storage import write_whole
    from pipeline.store.sqlite_file import sqlite_address
    from pipeline.store.verdicts import newest_verdict

    address = store or sqlite_address(root.resolve() / "store.sqlite")
    found = newest_verdict(address, study, run)
    click.echo("\n".join(_lines(found)))
    refused = fail_if_refused and not found.blessed
    if dotenv and not refused:
        write_whole(str(dotenv.resolve()), f"{JUDGED_RUN}={found.run}\n".encode())
    return Answer(dataclasses.asdict(found), ExitCode.MODEL_REFUSED if refused else ExitCode.DONE)


def _lines(found: StoredVerdict) -> Iterator[str]:
    outcome = "blessed" if found.blessed else "not blessed"
    yield f"run {found.run}: {outcome}{', the champion now' if found.registered else ''}"
    for task, judged in found.tasks.items():
        said = f"{judged.replace('_', ' ')}{_against_champion(found, task)}"
        yield f"  {titled(task, found.titles)}: {said}"
    for reason in found.reasons:
        yield f"  {reason}"


def _against_champion(found: StoredVerdict, task: str) -> str:
    difference = found.to_champion.get(task)
    if difference is None or difference.value is None:
        return ""
    interval = interval_text(difference, signed=True)
    return f"; AUC minus the champion's {fixed(difference.value, signed=True)}{interval}"
