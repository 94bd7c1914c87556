"""`trial monitor`: follows what a study's champion predicted."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.answer import Answer, ExitCode
from pipeline.cli.commands.run import BEAM_OPTION, beam_options, build_settings, exit_code
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, prediction_log_option, root_option, store_option
from pipeline.errors import UserError
from pipeline.permissions import check_store_of, is_unblinded


@click.command(cls=Command)
@click.argument("study")
@prediction_log_option("What was predicted, and which outcomes became known: ")
@click.option(
    "--registry",
    metavar="ADDRESS",
    help="Root of the registry; <root>/registry if not given.",
)
@click.option(
    "--fail-if-alarmed",
    is_flag=True,
    help="End with exit code 4 where an alarm has fired.",
)
@root_option
@store_option("Address of the SQL store; a SQLite file below the root if not given.")
@beam_options
@BEAM_OPTION
@json_option
def monitor(
    prediction_log: str | None, registry: str | None, fail_if_alarmed: bool, **chosen: Any
) -> Answer:
    """Follow what the champion of STUDY predicted: use, drift, performance, alarms."""
    from pipeline.predictions.open_log import checked_address
    from pipeline.study.load import load_study
    from pipeline.study.shipped import find_study_file

    settings = build_settings(chosen)
    # Errors in the study file and the options are reported before anything is written.
    load_study(find_study_file(settings.study), is_unblinded(settings.root))
    if not prediction_log:
        raise UserError(
            "Nothing to monitor: no prediction log is named. Name the one that scoring and service "
            "write to: --prediction-log ADDRESS, or TRIAL_PREDICTION_LOG in the environment."
        )
    check_store_of(settings.root, prediction_log, "--prediction-log")
    address = checked_address(prediction_log)
    from pipeline.runners.local.monitor import monitor as run_monitoring

    ended = run_monitoring(settings, registry, address)
    code = exit_code(ended.outcome, fail_if_refused=False)
    fired = ended.found.fired if ended.found else ()
    if fired and fail_if_alarmed:
        code = ExitCode.ALARMED
    alarms = [alarm.model_dump(mode="json") for alarm in fired]
    return Answer({**ended.outcome.to_json(), "alarms": alarms}, code)
