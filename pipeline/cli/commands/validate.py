"""`trial validate`: evaluates a registered model on a trial that it was not trained on."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.answer import Answer
from pipeline.cli.commands.run import BEAM_OPTION, beam_options, build_settings, exit_code
from pipeline.cli.lazy import Command
from pipeline.cli.options import (
    WholeNumber,
    json_option,
    root_option,
    study_option,
    variable_option,
)
from pipeline.cli.validated_model import model_option, update_method, update_option
from pipeline.permissions import is_unblinded


@click.command(cls=Command)
@study_option()
@variable_option("--data", help="Folder of the study's data.")
@model_option
@click.option(
    "--registry",
    metavar="ADDRESS",
    help="Root of the registry; <root>/registry if not given.",
)
@update_option
@root_option
@variable_option("--subjects", type=WholeNumber(), help="Size of the synthetic trial.")
@variable_option("--seed", type=WholeNumber(), help="Seed of the synthetic trial.")
@beam_options
@BEAM_OPTION
@json_option
def validate(model: str | None, registry: str | None, update: str | None, **chosen: Any) -> Answer:
    """Evaluate a registered model, unchanged, on another trial's data."""
    from pipeline.study.load import load_study
    from pipeline.study.shipped import find_study_file
    from pipeline.validation_config import ModelChoice

    settings = build_settings(chosen)
    choice = ModelChoice.parse(model, registry)
    # Errors in the study file are reported before anything is written.
    load_study(find_study_file(settings.study), is_unblinded(settings.root))
    from pipeline.runners.local.validate import validate as run_validation

    outcome = run_validation(settings, choice, update_method(update))
    return Answer(outcome.to_json(), exit_code(outcome, fail_if_refused=False))
