"""`trial run`: runs the pipeline on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from pipeline.beam.choices import BEAM_CHOICES, Runner
from pipeline.cli.answer import Answer, ExitCode
from pipeline.cli.lazy import Command, describe_usage_error
from pipeline.cli.options import (
    Decorated,
    ShellWords,
    WholeNumber,
    json_option,
    root_option,
    store_option,
    study_option,
    tune_option,
    variable_option,
)
from pipeline.errors import UserError
from pipeline.permissions import Readers, is_unblinded, new_files_for

if TYPE_CHECKING:
    from pipeline.config import Settings
    from pipeline.runners.local.outcome import RunOutcome


def beam_options(command: Decorated) -> Decorated:
    """The choice of a Beam runner."""
    for choice in reversed(BEAM_CHOICES):
        command = _beam_option(choice.name, choice.options, choice.help)(command)
    return command


def _beam_option(
    name: str, options: Sequence[str], help_text: str
) -> Callable[[Decorated], Decorated]:
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        del ctx, param
        return [runner for runner in Runner if runner.startswith(incomplete)]

    return click.option(
        *options,
        name,
        envvar=f"TRIAL_{name.upper()}",
        show_envvar=True,
        metavar=name.upper(),
        help=help_text,
        shell_complete=complete if name == "runner" else None,
    )


BEAM_OPTION = variable_option(
    "--beam",
    multiple=True,
    type=ShellWords(),
    metavar="OPTION",
    help="A further option of Beam; repeatable.",
)


@click.command(cls=Command)
@study_option()
@variable_option("--data", help="Folder of the study's data.")
@root_option
@variable_option("--subjects", type=WholeNumber(), help="Size of the synthetic trial.")
@variable_option("--seed", type=WholeNumber(), help="Seed of training and of the synthetic trial.")
@variable_option(
    "--steps", type=WholeNumber(), help="Training steps; 0 trains until the eval split stops it."
)
@tune_option
@store_option("Address of the SQL store; a SQLite file below the root if not given.")
@variable_option(
    "--stages-at-once",
    type=click.IntRange(1, 2),
    help="2 runs stages that don't wait for each other at once, in a second process; 1 saves its "
    "memory. [default: 2 where there are two cores]",
)
@beam_options
@BEAM_OPTION
@click.option(
    "--fail-if-refused",
    is_flag=True,
    help="End with exit code 3 where the model is refused or not judged.",
)
@variable_option(
    "--unblinded",
    is_flag=True,
    help="With the arms of a trial that is ongoing, for the `unblinded_readers` of its study file "
    "alone: in a root of its own, `unblinded` below the root.",
)
@json_option
def run(fail_if_refused: bool, unblinded: bool, **chosen: Any) -> Answer:
    """Run the whole pipeline on this machine."""
    from pipeline.study.load import load_study
    from pipeline.study.shipped import find_study_file

    settings = build_settings(chosen)
    sees_arm = unblinded or is_unblinded(settings.root)
    # Errors in the study file are reported before anything is written.
    study_file = find_study_file(settings.study)
    study = load_study(study_file, unblinded=sees_arm)
    if sees_arm:
        from pipeline.runs.unblinded import open_root

        place = open_root(settings.root, study, str(study_file), "trial run")
        settings = replace(settings, root=place)
    from pipeline.runners.local.run import run as run_pipeline

    with new_files_for(Readers.OWNER, ()) if sees_arm else nullcontext():
        outcome = run_pipeline(settings)
    code = exit_code(outcome, fail_if_refused)
    return Answer(outcome.to_json(), code)


def parse_settings(arguments: Sequence[str]) -> Settings:
    """Reads a person's choices from a command line, then from the environment.

    Args:
        arguments: Command line of `trial run`.

    Returns:
        The choices.

    Raises:
        UserError: An option or an environment variable holds something else than was expected.
    """
    try:
        ctx = run.make_context("trial run", list(arguments))
    except click.UsageError as error:
        raise UserError(describe_usage_error(error)) from error
    for name in ("fail_if_refused", "unblinded"):
        ctx.params.pop(name)
    return build_settings(ctx.params)


def build_settings(chosen: dict[str, Any]) -> Settings:
    """A person's choices as the settings of a run.

    Args:
        chosen: Value of each option; None if not given.

    Raises:
        UserError: The choice of a Beam runner can't be carried out.
    """
    from pipeline.beam.options import parse_beam_options
    from pipeline.config import Settings

    given = {name: value for name, value in chosen.items() if value is not None}
    further = given.pop("beam")
    own = [
        f"{choice.options[0]}={given.pop(choice.name)}"
        for choice in BEAM_CHOICES
        if choice.name in given
    ]
    return Settings(**given, beam=parse_beam_options([*own, *further]))


def exit_code(outcome: RunOutcome, fail_if_refused: bool) -> ExitCode:
    """Exit code for the outcome of a run."""
    if outcome.status == "interrupted":
        return ExitCode.INTERRUPTED
    if outcome.status != "done":
        return ExitCode.USER_MUST_FIX if outcome.is_users_to_fix else ExitCode.BROKE
    if fail_if_refused and outcome.verdict in ("refused", "not_judged"):
        return ExitCode.MODEL_REFUSED
    return ExitCode.DONE
