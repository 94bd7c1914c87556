"""Which run is alive in a folder: one at a time, which holds the lock of the folder's file.

The system releases the lock when its holder dies, however it dies. The file then still names the
run: who finds it unlocked and not empty knows that this run died.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import UserError
from pipeline.file_lock import lock_within

RUN_LOCK = "run.lock"
"""The file, in the folder of a study's runs, of its validations or of its scorings."""

_POLL_SECONDS = 0.1
_OF_A_DYING_PROCESS = 5.0
"""A process that was killed a moment ago may still be cleared away by the system."""


class FolderInUseError(UserError):
    """Another run is alive in the folder; the message says which."""


class LivingRun:
    """The right to run in a folder, while the lock is held.

    Args:
        stream: The locked file.

    Attributes:
        died: Id of the run that had it before and died with it; empty if it ended.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.died = stream.read().decode("utf-8", "replace").strip()

    def name(self, run: str) -> None:
        """Names the run that is alive from now on; empty for none."""
        self._stream.seek(0)
        self._stream.truncate()
        self._stream.write(run.encode())
        self._stream.flush()


@contextmanager
def living_run(folder: Path, patience: float = _OF_A_DYING_PROCESS) -> Iterator[LivingRun]:
    """Holds the lock of a folder.

    Args:
        folder: The folder.
        patience: How many seconds another holder is waited for.

    Yields:
        The right to run there.

    Raises:
        FolderInUseError: Another run is alive.
        OSError: The file can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RUN_LOCK
    # The file stays for ever: were it removed, two runs could hold locks of two files.
    path.touch()
    with path.open("r+b") as stream:
        _lock(stream, folder, patience)
        yield LivingRun(stream)


def _lock(stream: BinaryIO, folder: Path, patience: float) -> None:
    if not lock_within(stream, patience, _POLL_SECONDS):
        run = stream.read().decode("utf-8", "replace").strip()
        raise FolderInUseError(
            f"{folder}: another run{f' ({run})' if run else ''} of this study is under way "
            "there. Wait for its end, or give another root (ROOT=, --root)."
        )
