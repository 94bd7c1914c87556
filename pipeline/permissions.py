"""Who may read what is written below a root: its owner, or the readers of the data."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

_ALL = 0o777
_OTHERS = 0o077


class Readers(StrEnum):
    """Accounts that may read new files and folders."""

    OWNER = "owner"
    DATA = "data"


@contextmanager
def new_files_for(readers: Readers, folders: Sequence[Path]) -> Iterator[None]:
    """Gives files and folders that this process and its children make the mode of their readers.

    Args:
        readers: The owner alone: 0600 and 0700; or those of the data: the mode of a folder, where
            files are not executable.
        folders: The data folder, or what has its mode; the first that exists is asked. The owner
            alone where there is none.
    """
    before = os.umask(_mask(readers, folders))
    try:
        yield
    finally:
        os.umask(before)


def _mask(readers: Readers, folders: Sequence[Path]) -> int:
    if readers is Readers.OWNER:
        return _OTHERS
    for folder in folders:
        if folder.is_dir():
            return _ALL & ~stat.S_IMODE(folder.stat().st_mode)
    return _OTHERS
