"""Who may read what is written below a root: its owner, or the readers of the data.

Below a root of unblinded runs it is always its owner alone (`pipeline.runs.unblinded`); how such a
root is known is here, where every command can ask without importing more.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from pipeline.errors import UserError

UNBLINDED_FOLDER = "unblinded"
"""Folder of unblinded runs below the root of the others."""

ACCESS_LOG = "access.json"
"""The file that marks a root as that of unblinded runs."""

SQLITE = "sqlite:///"
"""What the address of a store in a SQLite file starts with."""

_OTHERS = 0o077
_OF_GROUP = 0o070
_OF_EVERYONE = 0o007
_SEARCHED_BY_GROUP = 0o010
_SEARCHED_BY_EVERYONE = 0o001


class Readers(StrEnum):
    """Accounts that may read new files and folders."""

    OWNER = "owner"
    DATA = "data"


@contextmanager
def new_files_for(readers: Readers, folders: Sequence[Path]) -> Iterator[None]:
    """Gives files and folders that this process and its children make the mode of their readers.

    Args:
        readers: The owner alone: 0600 and 0700; or those of the data: what the mode of a folder
            allows its group and everyone, as far as they can reach the folder.
        folders: The data folder, or what has its mode; the first that exists is asked.

    Raises:
        UserError: There is no such folder, or its group is not that of new files.
    """
    before = os.umask(_OTHERS if readers is Readers.OWNER else _mask(folders))
    try:
        yield
    finally:
        os.umask(before)


def unblinded_root_of(path: Path) -> Path | None:
    """The root of unblinded runs that a path is, or lies in; None for none that can be seen."""
    try:
        absolute = Path(os.path.realpath(path))
        folders = (absolute, *absolute.parents)
        return next((folder for folder in folders if (folder / ACCESS_LOG).is_file()), None)
    except (OSError, ValueError):
        # Text that is no path, or a folder that this account can't see into, nor then open.
        return None


def is_unblinded(root: Path) -> bool:
    """Whether what is written below a root is unblinded."""
    return unblinded_root_of(root) is not None


def check_store_of(root: Path, address: str, option: str = "--store") -> None:
    """Refuses a store or a prediction log for unblinded runs that others can read.

    Args:
        root: Root of the runs, or of their registry.
        address: The store's.
        option: The option that names it.

    Raises:
        UserError: The root is that of unblinded runs, and the store does not lie in it.
    """
    place = unblinded_root_of(root)
    if place and unblinded_root_of(Path(address.removeprefix(SQLITE))) != place:
        raise UserError(
            f"{place}: results by arm of an ongoing trial go into a store below this root alone "
            f"(leave {option} out)."
        )


def account_name() -> str:
    """The account of this process; environment variables do not change it."""
    user = os.getuid()
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _mask(folders: Sequence[Path]) -> int:
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        raise UserError(
            "--readers data: there is no data folder on this machine, and no root yet. Make the "
            "root with the mode that new files shall have, for example `mkdir -m 750 runs`."
        )
    allowed = stat.S_IMODE(folder.stat().st_mode) & _reached(folder)
    group = folder.stat().st_gid
    if allowed & _OF_GROUP and group != os.getegid():
        raise UserError(
            f"--readers data: {folder} is readable by the group {group}, but new files would have "
            f"the group {os.getegid()}. Run the command with that group (`sg`), or give the folder "
            "another one."
        )
    return _OTHERS & ~allowed


def _reached(folder: Path) -> int:
    """What the folders above allow: bits of the group and of everyone who can come so far."""
    reached = _OTHERS
    group = folder.stat().st_gid
    for parent in folder.resolve().parents:
        found = parent.stat()
        if not found.st_mode & _SEARCHED_BY_EVERYONE:
            reached &= ~_OF_EVERYONE
            if found.st_gid != group or not found.st_mode & _SEARCHED_BY_GROUP:
                reached &= ~_OF_GROUP
    return reached
