"""Runs work in a child process, so that the parent can report how it ended.

A native library that aborts (TensorFlow, oneDNN), or a system that is out of memory, ends the
process without an exception. The parent has imported nothing heavy and only waits.
"""

from __future__ import annotations

import atexit
import ctypes
import faulthandler
import os
import pickle
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypeVar

Result = TypeVar("Result")

_FORWARDED = (signal.SIGINT, signal.SIGTERM)
_RESULT_FILE = "result.pickle"
_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""


def supervise(
    work: Callable[[Path], Result], describe_death: Callable[[str, Path], Result]
) -> Result:
    """Calls `work` in a child process.

    Where the process has threads or has loaded TensorFlow already, as under TFX's own command
    line, a child would not be safe: then it is called here.

    Args:
        work: Gets a folder for notes that outlive it.
        describe_death: Called with how the child died (see `how_it_died`) and the folder, where
            the child has left no result.

    Returns:
        What one of the two returned.

    Raises:
        BaseException: What `work` raised.
    """
    with tempfile.TemporaryDirectory(prefix="trial-") as name:
        folder = Path(name)
        if not _can_fork():
            return work(folder)
        status = _call_in_child(lambda: work(folder), folder / _RESULT_FILE)
        if not (folder / _RESULT_FILE).exists():
            return describe_death(how_it_died(status), folder)
        returned, found = pickle.loads((folder / _RESULT_FILE).read_bytes())
        if not returned:
            raise found
        return found


def how_it_died(status: int) -> str:
    """How a process ended that left no result.

    Args:
        status: Its exit code; the negative number of a signal that ended it.

    Examples:
        >>> how_it_died(-6)
        'was ended by SIGABRT: a native library failed; the last lines of the log say where'
        >>> how_it_died(3)
        'ended with exit code 3'
    """
    if status >= 0:
        return f"ended with exit code {status}"
    name = signal.Signals(-status).name
    if -status == signal.SIGKILL:
        return f"was ended by {name}: as a rule because the machine was out of memory"
    if -status in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        return f"was ended by {name}"
    return f"was ended by {name}: a native library failed; the last lines of the log say where"


def _can_fork() -> bool:
    loaded = "tensorflow" in sys.modules or "tfx" in sys.modules
    return hasattr(os, "fork") and not loaded and threading.active_count() == 1


def _call_in_child(work: Callable[[], object], result_file: Path) -> int:
    """Forks, and waits; signals to this process go to the child.

    Returns:
        The child's exit code, or the negative number of the signal that ended it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # A signal between fork and handlers waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    parent, child = os.getpid(), os.fork()
    if child == 0:
        _run_child(work, result_file, parent)

    def forward(number: int, _: FrameType | None) -> None:
        os.kill(child, number)

    # Where signals are ignored, as under nohup, they stay ignored.
    handled = [number for number in _FORWARDED if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, forward) for number in handled}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run_child(work: Callable[[], object], result_file: Path, parent: int) -> NoReturn:
    status = 1
    try:
        # What the parent has registered is the parent's to do.
        atexit._clear()
        # Ctrl-C reaches the parent alone, which passes it on: twice would be once too often.
        os.setpgid(0, 0)
        die_with(parent)
        faulthandler.enable()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
        _write_result(work, result_file)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        status = 0
    finally:
        os._exit(status)


def _write_result(work: Callable[[], object], result_file: Path) -> None:
    try:
        content = pickle.dumps((True, work()))
    except BaseException as error:
        error.add_note("".join(traceback.format_exception(error)))
        content = pickle.dumps((False, can_travel(error)))
    unfinished = result_file.with_suffix(".unfinished")
    unfinished.write_bytes(content)
    unfinished.rename(result_file)


def can_travel(error: BaseException) -> BaseException:
    """An exception for another process.

    Args:
        error: The exception.

    Returns:
        The exception itself, or, where it can't be pickled, a RuntimeError that names it.
    """
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        named = RuntimeError(f"{type(error).__name__}: {error}")
        named.__notes__ = error.__notes__
        return named
    return error


def die_with(parent: int) -> None:
    """Ends this process when its parent is killed, where the system can do that.

    Args:
        parent: The parent's number.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
