"""`trial forget`: removes a subject who withdrew consent from all that runs have kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.answer import Answer
from pipeline.cli.commands.backup import registry_option
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, prediction_log_option, root_option, variable_option
from pipeline.cli.subjects import named_subjects
from pipeline.errors import UserError
from pipeline.permissions import UNBLINDED_FOLDER

if TYPE_CHECKING:
    from pipeline.forgetting.forget import Forgetting


@click.command(cls=Command)
@click.argument("study")
@click.argument("subject")
@root_option
@registry_option
@prediction_log_option("Prediction log that forgets as well; none if not given: ")
@variable_option(
    "--forgotten",
    metavar="FILE",
    help="A second list of who was forgotten, outside of what backups keep: `trial restore` takes "
    "it, so that no earlier backup brings the subject back. A local file or s3://bucket/file.",
)
@click.option("--pseudonym", is_flag=True, help="SUBJECT is a pseudonym, not an original key.")
@json_option
def forget(
    study: str,
    subject: str,
    root: Path,
    registry: str | None,
    prediction_log: str | None,
    forgotten: str | None,
    pseudonym: bool,
) -> Answer:
    """Remove all rows of SUBJECT, who withdrew consent, from what the runs of STUDY have kept.

    STUDY is the name of a study or a study file. SUBJECT is an original key, which becomes a
    pseudonym with the subject key; `-` reads any number from standard input, one a line. Models
    that the subject was in the data of are listed, not changed; input files are yours.
    """
    from pipeline.forgetting.forget import forget_subjects
    from pipeline.runs.forgotten import add_forgotten, forgotten_path, newly_forgotten

    study, pseudonyms = named_subjects(study, subject, pseudonym)
    if any(not re.fullmatch("[0-9a-f]{32}", name) for name in pseudonyms):
        raise UserError("A pseudonym has 32 hexadecimal digits; without --pseudonym give the key.")
    if not root.is_dir():
        raise UserError(f"{root}: there is no root of runs. Name it (--root).")
    place = registry or str(root / "registry")
    new = newly_forgotten(study, pseudonyms)
    # First: a run that starts afterwards must not bring the subject back.
    for path in filter(None, (forgotten, forgotten_path(place, study))):
        add_forgotten(path, new)
    found = forget_subjects(root, place, prediction_log or "", new.of(study), _show_models)
    _show(found, len(pseudonyms), root, prediction_log)
    return Answer(
        {
            "study": study,
            "subjects": len(pseudonyms),
            "files": dict(found.files),
            "rows": dict(found.rows),
            "executions": found.executions,
            "runs": found.runs,
            "models": found.models,
        }
    )


def _show_models(found: Forgetting) -> None:
    click.echo(f"Runs that had them in their data: {', '.join(found.runs) or 'none'}")
    click.echo(f"Models of these: {', '.join(found.models) or 'none'}")


def _show(found: Forgetting, subjects: int, root: Path, prediction_log: str | None) -> None:
    click.echo(f"Forgotten subjects: {subjects:,}")
    for kind in sorted({*found.files, *found.rows}):
        rows = f"{found.rows[kind]:,} rows removed" if kind in found.rows else "removed"
        files = f", {found.files[kind]:,} files" if kind in found.files else ""
        click.echo(f"  {kind}: {rows}{files}")
    if not prediction_log:
        click.echo("  prediction log: none was named (--prediction-log)")
    if (root / UNBLINDED_FOLDER).is_dir():
        click.echo(f"{root / UNBLINDED_FOLDER} is a root of its own: run it with --root for that.")
    click.echo("Input files and files that you had written elsewhere are yours to change.")
