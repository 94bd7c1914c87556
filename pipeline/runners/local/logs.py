"""Splits output: messages for the user to the terminal, everything else to a log file.

TensorFlow's C++ code and Beam's workers write to the process's file descriptors, so these are
redirected to the log file.
"""

from __future__ import annotations

import atexit
import errno
import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.errors import reason_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

logger = logging.getLogger(__name__)

_GONE = (errno.EIO, errno.EPIPE)


class _Terminal(io.TextIOWrapper):
    """Standard output, which may go away before the run ends, as with a closed connection.

    Args:
        descriptor: File descriptor to write to.
    """

    def __init__(self, descriptor: int) -> None:
        buffer = io.BufferedWriter(_LosesWhatIsNotRead(descriptor, "wb"))
        super().__init__(buffer, encoding="utf-8", line_buffering=True)


class _LosesWhatIsNotRead(io.FileIO):
    """A file whose reader may go away without ending the run."""

    def write(self, content: Buffer, /) -> int:
        """Writes bytes."""
        try:
            return super().write(content) or 0
        except OSError as error:
            if error.errno not in _GONE:
                raise
            logger.warning("the terminal is gone: %s", reason_of(error))
            return memoryview(content).nbytes


@contextmanager
def terminal_and_log(log_file: Path) -> Iterator[Console]:
    """Sends standard output and standard error of the whole process to a log file.

    Both are restored afterwards; when the interpreter exits, standard error is sent to the log
    again, since TensorFlow still writes to it then.

    Args:
        log_file: The log file, which its owner alone reads; its folder is created.

    Yields:
        A console on the process's own standard output.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved_output, saved_error = os.dup(1), os.dup(2)
    terminal = _Terminal(os.dup(1))
    # Its owner alone reads it, always: a foreign exception may quote a value of a subject.
    log = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    handler = logging.FileHandler(log_file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    os.dup2(log, 1)
    os.dup2(log, 2)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        # Only the terminal wraps lines: a path must stay in one piece to be copied.
        yield Console(file=terminal, highlight=False, soft_wrap=True)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        for finish in (handler.close, sys.stdout.flush, sys.stderr.flush):
            # On a full disk the log lacks its last lines; the terminal has them.
            with suppress(OSError):
                finish()
        for saved, descriptor in ((saved_output, 1), (saved_error, 2)):
            os.dup2(saved, descriptor)
            os.close(saved)
        atexit.register(os.dup2, log, 2)
        terminal.close()
