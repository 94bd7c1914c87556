"""`trial compile`: compiles a study's pipeline for Kubeflow Pipelines and Vertex AI."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command
from pipeline.cli.options import (
    json_option,
    path_option,
    study_option,
    tune_option,
    variable_option,
)
from pipeline.cli.validated_model import model_option, update_method, update_option
from pipeline.errors import UserError
from pipeline.study.shipped import DEFAULT_STUDY

_CALLED = {
    "validate": "validation",
    "score": "scoring",
    "monitor": "monitoring",
    "outcomes": "recording of outcomes",
}


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
@click.option("--image", help="Image of the tasks, in place of that of the settings.")
@tune_option
@variable_option(
    "--validate",
    is_flag=True,
    default=None,
    help="Compile the pipeline that validates a registered model on the study's data.",
)
@variable_option(
    "--score",
    is_flag=True,
    default=None,
    help="Compile the pipeline that scores subjects with a registered model.",
)
@variable_option(
    "--monitor",
    is_flag=True,
    default=None,
    help="Compile the pipeline that follows the predictions of the champion.",
)
@variable_option(
    "--outcomes",
    is_flag=True,
    default=None,
    help="Compile the pipeline that adds outcomes of predicted subjects to the prediction log.",
)
@model_option
@update_option
@json_option
def compile_packages(
    study: str,
    settings: Path | None,
    out: Path,
    image: str | None,
    tune: bool | None,
    validate: bool | None,
    score: bool | None,
    monitor: bool | None,
    outcomes: bool | None,
    model: str | None,
    update: str | None,
) -> Answer:
    """Compile a study's pipeline: YAML for Kubeflow Pipelines 2.x, JSON for Vertex AI."""
    from pipeline.runners.kubeflow.purpose import (
        monitoring,
        recording,
        scoring,
        training,
        validation,
    )
    from pipeline.runners.kubeflow.settings import DEFAULT_SETTINGS
    from pipeline.runners.kubeflow.write_packages import write_packages
    from pipeline.scoring_config import chosen_model
    from pipeline.study.load import load_study
    from pipeline.study.shipped import find_study_file
    from pipeline.validation_config import ModelChoice

    asked = {"validate": validate, "score": score, "monitor": monitor, "outcomes": outcomes}
    given = [option for option, is_given in asked.items() if is_given]
    if len(given) > 1:
        raise UserError(f"--{given[0]} and --{given[1]} are two pipelines: give one of them.")
    if given and tune:
        what = _CALLED[given[0]]
        raise UserError(f"--tune: a {what} trains nothing. Leave out --tune or --{given[0]}.")
    if update and not validate:
        raise UserError("--update is for the pipeline of a validation: give --validate too.")
    if model and not (validate or score):
        raise UserError(
            "--model is for the pipeline of a validation or a scoring: give --validate or --score."
        )
    if monitor:
        purpose, choice = monitoring(), ModelChoice()
    elif outcomes:
        purpose, choice = recording(), ModelChoice()
    elif score:
        purpose = scoring(chosen_model(load_study(find_study_file(study)), model))
        choice = ModelChoice()
    else:
        purpose = validation(update_method(update)) if validate else training(bool(tune))
        choice = ModelChoice.parse(model, None)
    written = write_packages(study, settings or DEFAULT_SETTINGS, out, purpose, choice, image)
    for path in written:
        click.echo(path)
    return Answer({"written": [str(path) for path in written]})
