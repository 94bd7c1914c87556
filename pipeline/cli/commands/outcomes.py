"""`trial outcomes`: adds what a later data cut says of predicted subjects to the prediction log."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.answer import Answer
from pipeline.cli.commands.run import BEAM_OPTION, beam_options, build_settings, exit_code
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, prediction_log_option, root_option


@click.command(cls=Command)
@click.argument("study")
@click.argument("data")
@prediction_log_option("Where the outcomes are added, and the predictions are: ", required=True)
@click.option(
    "--registry",
    metavar="ADDRESS",
    help="Root of the registry, for its list of forgotten subjects; <root>/registry if not given.",
)
@root_option
@beam_options
@BEAM_OPTION
@json_option
def outcomes(prediction_log: str, registry: str | None, **chosen: Any) -> Answer:
    """Record the outcomes of predicted subjects from DATA, a later data cut of STUDY."""
    from pipeline.permissions import check_store_of
    from pipeline.predictions.open_log import checked_address

    settings = build_settings(chosen)
    check_store_of(settings.root, prediction_log, "--prediction-log")
    address = checked_address(prediction_log)
    from pipeline.runners.local.outcomes import record_outcomes

    outcome = record_outcomes(settings, address, registry)
    return Answer(outcome.to_json(), exit_code(outcome, fail_if_refused=False))
