"""Commands of click that are imported when they are needed, and fail as `UserError`."""

from __future__ import annotations

import errno
import importlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from pipeline.cli.unblinded import let_in
from pipeline.errors import UserError
from pipeline.permissions import Readers, new_files_for

READERS = "pipeline.readers"
"""Key of the choice of `pipeline.permissions.Readers` in the context of a command."""

_REMEDIES = {
    **dict.fromkeys(
        (
            errno.ENOENT,
            errno.EEXIST,
            errno.ENOTDIR,
            errno.EISDIR,
            errno.ENAMETOOLONG,
            errno.ELOOP,
        ),
        "Name another path.",
    ),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS), "Change its permissions, or name another path."
    ),
    errno.ENOSPC: "Free some space, or name a path on another disk.",
}
"""What to do where a path that the user named can't be used, by the system's error."""


class Command(click.Command):
    """A command that turns mistakes of its user into `UserError`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command.

        Raises:
            UserError: A file or folder that the user named can't be read or written, or lies in a
                root of unblinded runs whose readers are others.
        """
        try:
            is_unblinded = let_in(ctx)
            with self._new_files(ctx, is_unblinded):
                return super().invoke(ctx)
        except OSError as error:
            if error.errno not in _REMEDIES or not _is_named(error.filename, ctx):
                raise
            remedy = _REMEDIES[error.errno]
            raise UserError(f"{error.filename}: {error.strerror}. {remedy}") from error

    def _new_files(self, ctx: click.Context, is_unblinded: bool) -> AbstractContextManager[None]:
        """Limits who may read what the command writes, where it writes below a root."""
        readers = ctx.meta.get(READERS)
        if readers is None:
            return nullcontext()
        named = (ctx.params.get("data"), ctx.params.get("root"))
        folders = [Path(folder) for folder in named if folder]
        if "data" not in ctx.params and not any(folder.is_dir() for folder in folders):
            # A command that reads what runs have left: without a root there is nothing to share.
            readers = Readers.OWNER
        if is_unblinded:
            readers = Readers.OWNER
        return new_files_for(readers, folders)


class LazyGroup(click.Group):
    """A group that imports the module of a command only when the command is asked for.

    Attributes:
        places: Name of each command, in the order of the help text, to `module:attribute`.
    """

    def __init__(self, *args: Any, places: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = dict(places or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands."""
        return [*self.places, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None where there is none."""
        place = self.places.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


def describe_usage_error(error: click.UsageError) -> str:
    """One sentence on what is wrong with a command line, and where its options are listed.

    Args:
        error: What click found.
    """
    ctx = error.ctx
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.ctx.get_help()
    message = error.message if isinstance(error, click.BadParameter) else error.format_message()
    name = _parameter_name(error) if isinstance(error, click.BadParameter) else ""
    if isinstance(error, click.MissingParameter):
        name, message = "", f"{_parameter_name(error)} is missing"
    text = f"{name}: {message}" if name else message
    if ctx is None:
        return text
    return f"{ctx.command_path}: {text.strip().rstrip('.')}. See `{ctx.command_path} --help`."


def _parameter_name(error: click.BadParameter) -> str:
    """Where a wrong value was given: the environment variable, the option or the argument."""
    parameter, ctx = error.param, error.ctx
    if parameter is None or parameter.name is None:
        return error.param_hint if isinstance(error.param_hint, str) else ""
    source = ctx.get_parameter_source(parameter.name) if ctx else None
    if source is ParameterSource.ENVIRONMENT and isinstance(parameter.envvar, str):
        return parameter.envvar
    if isinstance(parameter, click.Option):
        return f"argument {parameter.opts[0]}"
    return f"argument {parameter.human_readable_name}"


def _is_named(filename: object, ctx: click.Context) -> bool:
    """Whether a file is one that the user named, lies below it, or is a folder on the way."""
    if not isinstance(filename, str | bytes):
        return False
    path = Path(filename if isinstance(filename, str) else filename.decode()).resolve()
    return any(
        path == named or named in path.parents or path in named.parents
        for named in _named_paths(ctx.params.values())
    )


def _named_paths(values: Iterable[Any]) -> Iterator[Path]:
    for value in values:
        if isinstance(value, Path | str) and value:
            yield Path(value).resolve()
