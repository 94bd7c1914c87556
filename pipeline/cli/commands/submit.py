"""`trial submit`: starts a run on Kubeflow Pipelines, or schedules one."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer, ExitCode
from pipeline.cli.lazy import Command
from pipeline.cli.options import json_option, path_option


@click.command(
    cls=Command,
    epilog="A token is taken from TRIAL_KUBEFLOW_TOKEN, or in a pod from its service account.",
)
@path_option("--package", required=True, help="YAML file that `trial compile` wrote.")
@click.option("--endpoint", required=True, help="Address of Kubeflow Pipelines.")
@path_option("--parameters", help="YAML file with values of the run's form.")
@click.option(
    "--set", "lines", multiple=True, metavar="NAME=VALUE", help="A value of the form; repeatable."
)
@click.option("--namespace", help="The profile, where Kubeflow has several users.")
@click.option("--experiment", help="What the run is filed under.")
@click.option(
    "--cron",
    help="Schedule a recurring run: minute, hour, day of the month, month, day of the week, such "
    'as "0 3 * * *".',
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="MINUTES",
    help="Wait for the run's end; exit code 1 if it did not succeed. Not with --cron.",
)
@click.option("--service-account", help="Service account of the tasks.")
@json_option
def submit(
    package: Path,
    parameters: Path | None,
    lines: tuple[str, ...],
    cron: str | None,
    wait: float | None,
    **target: str | None,
) -> Answer:
    """Start a run on Kubeflow Pipelines, or schedule a recurring one."""
    from pipeline.runners.kubeflow.form import read_form, read_values
    from pipeline.runners.kubeflow.submit import Target, schedule
    from pipeline.runners.kubeflow.submit import submit as submit_package
    from pipeline.runners.kubeflow.submit import wait as wait_for

    if cron and wait is not None:
        raise click.UsageError("--wait is for one run, --cron for a schedule: give one of them.")
    place = Target(**{name: value for name, value in target.items() if value})
    form = read_form(package)
    values = read_values(form, parameters, lines)
    if cron:
        found = schedule(place, form, values, cron)
        what, page = "recurring run", place.page(f"recurringrun/details/{found}")
    else:
        found = submit_package(place, form, values)
        what, page = "run", place.page(f"runs/details/{found}")
    click.echo(f"{what} {found}\n{page}")
    content: dict[str, object] = {what.replace(" ", "_"): found, "page": page}
    if wait is None:
        return Answer(content)
    state = wait_for(place, found, wait)
    click.echo(state.lower())
    code = ExitCode.DONE if state == "SUCCEEDED" else ExitCode.BROKE
    return Answer({**content, "state": state.lower()}, code)
