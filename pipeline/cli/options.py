"""Options and arguments that several commands share, each defined once."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from pipeline.cli.completion import complete_runs, complete_studies
from pipeline.cli.lazy import READERS
from pipeline.names import LARGEST_WHOLE_NUMBER
from pipeline.permissions import Readers

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

DEFAULT_ROOT = Path("runs")
"""Default folder that runs are written below."""


_WHOLE = re.compile("0*[0-9]{1,10}")
_LONGEST_SHOWN = 40


class WholeNumber(click.ParamType[int]):
    """A whole number from a smallest one to 2**31 - 1, which every seed and count fits into."""

    name = "number"

    def __init__(self, smallest: int = 0) -> None:
        self.smallest = smallest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number.

        Raises:
            BadParameter: The text is something else.
        """
        text = str(value)
        if _WHOLE.fullmatch(text) and self.smallest <= int(text) <= LARGEST_WHOLE_NUMBER:
            return int(text)
        return self.fail(
            f"expected a whole number, {self.smallest} or more (at most {LARGEST_WHOLE_NUMBER}), "
            f"found {text[:_LONGEST_SHOWN]!r}",
            param,
            ctx,
        )


class ShellWords(click.ParamType[str]):
    """Text; several values in an environment variable are split as a shell would."""

    name = "option"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Splits the variable's content.

        Raises:
            BadParameter: A quote is not closed.
        """
        try:
            return shlex.split(rv)
        except ValueError as error:
            raise click.BadParameter(f"{error}: close each quote") from error


def variable_option(*names: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    """An option that the environment can set too: `--data` by TRIAL_DATA, for example."""
    (long,) = (name for name in names if name.startswith("--"))
    variable = "TRIAL_" + long.removeprefix("--").upper().replace("-", "_")
    return click.option(*names, envvar=variable, show_envvar=True, **settings)


def path_option(*names: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    """An option whose value is a path."""
    return click.option(*names, type=click.Path(path_type=Path), **settings)


def study_option(**settings: Any) -> Callable[[Decorated], Decorated]:
    """The study: shipped, or a file."""
    return variable_option(
        "--study",
        shell_complete=complete_studies,
        help="Shipped study, or path of a study file.",
        **settings,
    )


tune_option = variable_option(
    "--tune",
    is_flag=True,
    default=None,
    help="Search hyperparameters: on the eval split, or out of fold inside each fold's training "
    "subjects.",
)

_root_option = variable_option(
    "--root",
    type=click.Path(path_type=Path),
    default=DEFAULT_ROOT,
    show_default=True,
    help="Folder that runs are written below.",
)


def _keep_readers(ctx: click.Context, param: click.Parameter, value: str) -> None:
    del param
    ctx.meta[READERS] = Readers(value)


_readers_option = variable_option(
    "--readers",
    type=click.Choice([readers.value for readers in Readers]),
    default=Readers.OWNER.value,
    show_default=True,
    expose_value=False,
    callback=_keep_readers,
    help="Who may read new files: their owner alone, or those whom the data folder's mode allows.",
)


def root_option(command: Decorated) -> Decorated:
    """The folder that runs are written below, and who may read what is written."""
    return _root_option(_readers_option(command))


run_argument = click.argument("run", default="", shell_complete=complete_runs)
"""Id or folder of a run; the newest below the root if none is given."""

json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    help="Write one JSON document to standard output, everything else to standard error.",
)
"""`main` looks for it: errors in the command line are reported as JSON too."""

force_option = click.option("--force", is_flag=True, help="Overwrite an existing file.")


def store_option(help_text: str) -> Callable[[Decorated], Decorated]:
    """The address of a store.

    Args:
        help_text: What it means for the command.
    """
    return variable_option("--store", metavar="ADDRESS", help=help_text)


def prediction_log_option(help_text: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    """The address of a prediction log.

    Args:
        help_text: What it means for the command.
        settings: Further settings of the option.
    """
    places = "a folder, s3://bucket/folder or postgresql://user@host:5432/database."
    return variable_option(
        "--prediction-log", metavar="ADDRESS", help=f"{help_text}{places}", **settings
    )
