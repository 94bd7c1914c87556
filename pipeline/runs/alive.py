"""Which run is alive in a folder: one at a time, which holds the lock of the folder's file.

The system releases the lock when its holder dies, however it dies. The file then still names the
run: who finds it unlocked and not empty knows that this run died, or that its end could not be
recorded everywhere, as on a full disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
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
        unclosed: Ids of runs that had it before and whose end is not recorded, the newest first.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.unclosed = _named(stream)

    def name(self, *runs: str) -> None:
        """Names the runs whose end is not recorded from now on; the one that is alive is first."""
        content = "\n".join(runs).encode()
        # Written over what is there: a full disk has no place for a file that was emptied before.
        self._stream.seek(0)
        self._stream.write(content)
        self._stream.flush()
        self._stream.truncate(len(content))


def _named(stream: BinaryIO) -> tuple[str, ...]:
    return tuple(stream.read().decode("utf-8", "replace").split())


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


@contextmanager
def no_living_run(folders: Iterable[Path], why: str) -> Iterator[None]:
    """Holds the locks of folders of runs, so that no run starts meanwhile.

    Args:
        folders: Folders that may have such a lock; others have no runs.
        why: Why none may be alive, for the message: a sentence with what to do.

    Raises:
        UserError: A run is alive.
    """
    with ExitStack() as held:
        for folder in sorted(folders):
            if not (folder / RUN_LOCK).exists():
                continue
            try:
                held.enter_context(living_run(folder, patience=0.0))
            except FolderInUseError as error:
                raise UserError(f"{folder}: a run is under way: {why}") from error
        yield


def _lock(stream: BinaryIO, folder: Path, patience: float) -> None:
    if not lock_within(stream, patience, _POLL_SECONDS):
        run = "".join(_named(stream)[:1])
        raise FolderInUseError(
            f"{folder}: another run{f' ({run})' if run else ''} of this study is under way "
            "there. Wait for its end, or give another root (ROOT=, --root)."
        )
