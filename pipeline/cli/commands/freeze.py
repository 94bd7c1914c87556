"""`trial freeze`: records that tasks, thresholds and evaluation are fixed from now on."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, root_option, study_option, variable_option
from pipeline.permissions import is_unblinded
from pipeline.study.shipped import DEFAULT_STUDY


@click.command(cls=Command)
@study_option(default=DEFAULT_STUDY, show_default=True)
@root_option
@variable_option(
    "--registry",
    metavar="ADDRESS",
    help="Root of the registry of models; `registry` below the root if not given.",
)
@json_option
def freeze(study: str, root: Path, registry: str | None) -> Answer:
    """Record that a study's tasks, thresholds and evaluation are fixed from now on."""
    from pipeline.runs.looks import freeze_protocol
    from pipeline.study.load import load_study
    from pipeline.study.shipped import find_study_file

    registry_root = registry or str(root.resolve() / "registry")
    record, first = freeze_protocol(
        registry_root, load_study(find_study_file(study), is_unblinded(root))
    )
    seen = "before any result" if first else "after a result had been seen"
    click.echo(f"frozen    {record.protocol[:16]} at {record.at}, {seen}")
    return Answer({"protocol": record.protocol, "at": record.at, "before_first_result": first})
