"""`trial score`: predicts subjects whose outcome is not known with a registered model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipeline.cli.answer import Answer
from pipeline.cli.commands.run import BEAM_OPTION, beam_options, build_settings, exit_code
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, path_option, prediction_log_option, root_option
from pipeline.errors import UserError
from pipeline.permissions import check_store_of, is_unblinded

_STORE = Path("store")
"""What `--out` calls the prediction log."""


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
    help=(
        "File of the predictions, .parquet or .csv, or `store`: the prediction log; a file beside "
        "the run's page if not given."
    ),
)
@prediction_log_option("Where `--out store` adds the predictions: ")
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
    model: str | None,
    registry: str | None,
    out: Path | None,
    prediction_log: str | None,
    with_subject: bool,
    **chosen: Any,
) -> Answer:
    """Predict the subjects of DATA, whose outcome is not known, with a model of STUDY."""
    from pipeline.results.scored_output import check_output
    from pipeline.scoring_config import chosen_model
    from pipeline.study.load import load_study
    from pipeline.study.shipped import find_study_file

    settings = build_settings(chosen)
    # Errors in the study file and the options are reported before anything is written.
    chosen_model(load_study(find_study_file(settings.study), is_unblinded(settings.root)), model)
    log = ""
    if out == _STORE:
        log = _checked_log(settings.root, prediction_log, with_subject)
    elif out is not None:
        check_output(out)
    from pipeline.runners.local.score import ScoringChoice
    from pipeline.runners.local.score import score as run_scoring

    outcome = run_scoring(settings, ScoringChoice(model, registry, out, with_subject, log))
    return Answer(outcome.to_json(), exit_code(outcome, fail_if_refused=False))


def _checked_log(root: Path, address: str | None, with_subject: bool) -> str:
    """The address of the prediction log."""
    if not address:
        raise UserError(
            "--out store adds the predictions to the prediction log, and none is named. Name it: "
            "--prediction-log ADDRESS, or TRIAL_PREDICTION_LOG in the environment."
        )
    if with_subject:
        raise UserError(
            "--with-subject: the prediction log holds pseudonyms alone. Leave the option out, or "
            "write a file (--out FILE)."
        )
    from pipeline.predictions.open_log import checked_address

    check_store_of(root, address, "--prediction-log")
    return checked_address(address)
