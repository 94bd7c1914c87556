"""`trial compile`: compiles a study's pipeline for Kubeflow Pipelines and Vertex AI."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, path_option, study_option, tune_option
from pipeline.study.shipped import DEFAULT_STUDY


@click.command(name="compile", cls=Command)
@study_option(default=DEFAULT_STUDY, show_default=True)
@path_option(
    "--settings",
    envvar="TRIAL_SETTINGS",
    show_envvar=True,
    help="What the package needs to know of the cluster; kubeflow/settings.yaml if not given.",
)
@path_option(
    "--out",
    default=Path("packages"),
    show_default=True,
    envvar="TRIAL_OUT",
    show_envvar=True,
    help="Folder for the packages.",
)
@tune_option
@json_option
def compile_packages(study: str, settings: Path | None, out: Path, tune: bool | None) -> Answer:
    """Compile a study's pipeline: YAML for Kubeflow Pipelines 2.x, JSON for Vertex AI."""
    from pipeline.runners.kubeflow.settings import DEFAULT_SETTINGS
    from pipeline.runners.kubeflow.write_packages import write_packages

    written = write_packages(study, settings or DEFAULT_SETTINGS, out, bool(tune))
    for path in written:
        click.echo(path)
    return Answer({"written": [str(path) for path in written]})
