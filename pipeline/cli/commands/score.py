"""`trial score`: predicts subjects whose outcome is not known with a registered model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipeline.cli.answer import Answer
from pipeline.cli.commands.run import BEAM_OPTION, beam_options, build_settings, exit_code
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, path_option, root_option
from pipeline.permissions import is_unblinded


@click.command(cls=Command)
@click.argument("study")
@click.argument("data")
@click.option(
    "--model",
    metavar="[STUDY/]ID",
    envvar="TRIAL_MODEL",
    show_envvar=True,
    help="A registration of the study; its champion if not given.",
)
@click.option(
    "--registry",
    metavar="ADDRESS",
    help="Root of the registry; <root>/registry if not given.",
)
@path_option(
    "--out",
    envvar="TRIAL_OUT",
    show_envvar=True,
    metavar="FILE",
    help="File of the predictions, .parquet or .csv; one beside the run's page if not given.",
)
@click.option(
    "--with-subject",
    is_flag=True,
    help="Put the original key of each subject beside its pseudonym; needs the subject key.",
)
@root_option
@beam_options
@BEAM_OPTION
@json_option
def score(
    model: str | None, registry: str | None, out: Path | None, with_subject: bool, **chosen: Any
) -> Answer:
    """Predict the subjects of DATA, whose outcome is not known, with a model of STUDY."""
    from pipeline.results.scored_output import check_output
    from pipeline.scoring_config import chosen_model
    from pipeline.study.load import load_study
    from pipeline.study.shipped import find_study_file

    settings = build_settings(chosen)
    # Errors in the study file and the options are reported before anything is written.
    chosen_model(load_study(find_study_file(settings.study), is_unblinded(settings.root)), model)
    if out is not None:
        check_output(out)
    from pipeline.runners.local.score import ScoringChoice
    from pipeline.runners.local.score import score as run_scoring

    outcome = run_scoring(settings, ScoringChoice(model, registry, out, with_subject))
    return Answer(outcome.to_json(), exit_code(outcome, fail_if_refused=False))
