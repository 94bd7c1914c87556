"""The console script `trial`: parses the command line and decides how it ends.

Nothing slow is imported here: a command imports what it needs when it runs.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from pipeline.cli.answer import Answer, ExitCode, stdout_to_stderr, write_json
from pipeline.cli.lazy import LazyGroup, describe_usage_error
from pipeline.errors import UserError
from pipeline.version import code_version

_COMMANDS = "pipeline.cli.commands"


@click.group(
    cls=LazyGroup,
    places={
        "run": f"{_COMMANDS}.run:run",
        "validate": f"{_COMMANDS}.validate:validate",
        "score": f"{_COMMANDS}.score:score",
        "monitor": f"{_COMMANDS}.monitor:monitor",
        "outcomes": f"{_COMMANDS}.outcomes:outcomes",
        "serve": f"{_COMMANDS}.serve:serve",
        "retrain": f"{_COMMANDS}.retrain:retrain",
        "report": f"{_COMMANDS}.report:report",
        "notebooks": f"{_COMMANDS}.notebooks:notebooks",
        "boards": f"{_COMMANDS}.boards:boards",
        "export": f"{_COMMANDS}.export:export",
        "predictions": f"{_COMMANDS}.predictions:predictions",
        "store": f"{_COMMANDS}.store:store",
        "backup": f"{_COMMANDS}.backup:backup",
        "restore": f"{_COMMANDS}.backup:restore",
        "forget": f"{_COMMANDS}.forget:forget",
        "draft": f"{_COMMANDS}.draft:draft",
        "synthetic": f"{_COMMANDS}.synthetic:synthetic",
        "verdict": f"{_COMMANDS}.verdict:verdict",
        "models": f"{_COMMANDS}.models:models",
        "access": f"{_COMMANDS}.access:access",
        "freeze": f"{_COMMANDS}.freeze:freeze",
        "compile": f"{_COMMANDS}.compile:compile_packages",
        "submit": f"{_COMMANDS}.submit:submit",
        "flink": f"{_COMMANDS}.flink:flink",
    },
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 it broke, 2 for you to fix, 3 a model was refused "
    "(--fail-if-refused), 4 an alarm has fired (--fail-if-alarmed), 130 interrupted.",
)
@click.version_option(code_version(), message="%(prog)s %(version)s")
def trial() -> None:
    """Machine learning on clinical trial data, from study file to report."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; the one place that decides exit codes.

    Args:
        arguments: Command line without the program's name; None is the process's own.

    Returns:
        An `ExitCode`; docs/cli.md says what each means.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    with stdout_to_stderr() if as_json else nullcontext():
        answer = _run(given)
    if as_json and answer.content:
        write_json(_command_name(given), answer.exit_code, answer.content)
    return int(answer.exit_code)


def _run(arguments: list[str]) -> Answer:
    try:
        answer = trial.main(arguments, prog_name="trial", standalone_mode=False)
    except click.UsageError as error:
        return _failed(describe_usage_error(error), ExitCode.USER_MUST_FIX)
    except UserError as error:
        return _failed(str(error), ExitCode.USER_MUST_FIX)
    except (click.Abort, KeyboardInterrupt):
        return _failed("Interrupted.", ExitCode.INTERRUPTED)
    except Exception as error:
        log = _write_traceback(error)
        return _failed(f"Unexpected {type(error).__name__}; see {log}.", ExitCode.BROKE)
    # For --help and --version click gives an exit code.
    return answer if isinstance(answer, Answer) else Answer(exit_code=ExitCode(answer or 0))


def _failed(message: str, exit_code: ExitCode) -> Answer:
    click.echo(message, err=True)
    return Answer({"error": message}, exit_code)


def _write_traceback(error: Exception) -> Path:
    """Keeps a traceback in a file that its owner alone can read: a message may hold a value."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="trial-", suffix=".log", delete=False
    ) as file:
        traceback.print_exception(error, file=file)
    return Path(file.name)


def _command_name(arguments: Sequence[str]) -> str:
    """Name of the command in a command line, such as `store migrate`."""
    group: click.Command | None = trial
    names = []
    for argument in arguments:
        if not isinstance(group, click.Group):
            break
        group = group.get_command(click.Context(group), argument)
        if group is None:
            break
        names.append(argument)
    return " ".join(names)
