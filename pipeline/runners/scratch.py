"""The folder of a run's temporary files, which the next run in the same root finds if it died.

Libraries keep data of subjects there for a while: Beam its shards, the evaluation a copy of the
model. A run that is killed can't remove them, and they are hard to find among the system's files.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "trial-"
_LETTERS = 12
_VARIABLE = "TMPDIR"


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """Makes a folder that only its owner reads, for all temporary files of this process.

    Children have it, too. It is locked as long as this process or one forked from it lives.

    Args:
        root: Folder that the run writes below; its path is part of the name.

    Yields:
        The folder.
    """
    made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}new-"))
    lock = os.open(made, os.O_RDONLY)
    folder = made.with_name(f"{_prefix(root)}{uuid.uuid4().hex[:_LETTERS]}")
    before = os.environ.get(_VARIABLE), tempfile.tempdir
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Under its own name it is locked from the first moment on.
        made.rename(folder)
        files = folder / "tmp"
        files.mkdir()
        os.environ[_VARIABLE] = tempfile.tempdir = str(files)
        yield folder
    finally:
        tempfile.tempdir = before[1]
        if before[0] is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = before[0]
        # Once it is free another run that starts removes it, too.
        for left in (made, folder):
            shutil.rmtree(left, ignore_errors=True)
        os.close(lock)


def abandoned(root: Path, beside: Path) -> list[Path]:
    """Folders of temporary files that dead runs of a root left.

    Args:
        root: Folder that the runs wrote below.
        beside: The folder of a run that is alive.

    Returns:
        This account's folders that no process holds.
    """
    found = beside.parent.glob(f"{_prefix(root)}*")
    return sorted(folder for folder in found if folder != beside and _is_free(folder))


def _prefix(root: Path) -> str:
    return f"{_PREFIX}{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:_LETTERS]}-"


def _is_free(folder: Path) -> bool:
    try:
        if folder.is_symlink() or folder.lstat().st_uid != os.geteuid():
            return False
        lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        # Its run ended meanwhile.
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
