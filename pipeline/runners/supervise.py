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
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypeVar

from pipeline import interrupts
from pipeline.runners.scratch import scratch

Result = TypeVar("Result")

_RESULT_FILE = "result.pickle"
_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""


@dataclass(frozen=True)
class Death:
    """How a process ended that left no result.

    Attributes:
        text: How, as the predicate of a sentence.
        is_kill: Whether it was killed from outside, and did not fail by itself.
    """

    text: str
    is_kill: bool

    def __str__(self) -> str:
        return self.text


def supervise(
    work: Callable[[Path], Result],
    describe_death: Callable[[Death, Path], Result],
    root: Path = Path(),
) -> Result:
    """Calls `work` in a child process.

    Ctrl-C, SIGTERM and SIGHUP are a KeyboardInterrupt to it (`pipeline.interrupts`).

    Where the process has threads or has loaded TensorFlow already, as under TFX's own command
    line, a child would not be safe: then it is called here.

    Args:
        work: Gets a folder for notes that outlive it.
        describe_death: Called with how the child died (see `how_it_died`) and the folder, where
            the child has left no result.
        root: Folder that the work writes below; what it leaves of temporary files if this process
            is killed as well is found by it (`pipeline.runners.scratch`).

    Returns:
        What one of the two returned.

    Raises:
        BaseException: What `work` raised.
    """
    with scratch(root) as place:
        folder = place / "notes"
        folder.mkdir()
        if not _can_fork():
            with interrupts.listening():
                return work(folder)
        status = _call_in_child(lambda: work(folder), folder / _RESULT_FILE)
        if not (folder / _RESULT_FILE).exists():
            return describe_death(how_it_died(status), folder)
        returned, found = pickle.loads((folder / _RESULT_FILE).read_bytes())
        if not returned:
            raise found
        return found


def how_it_died(status: int) -> Death:
    """How a process ended that left no result.

    Args:
        status: Its exit code; the negative number of a signal that ended it.

    Examples:
        >>> how_it_died(-6).text
        'was ended by SIGABRT: a native library failed; the last lines of the log say where'
        >>> how_it_died(3)
        Death(text='ended with exit code 3', is_kill=False)
    """
    if status >= 0:
        return Death(f"ended with exit code {status}", is_kill=False)
    name = signal.Signals(-status).name
    if -status == signal.SIGKILL:
        text = f"was ended by {name}: as a rule because the machine was out of memory"
        return Death(text, is_kill=True)
    if -status in interrupts.ENDING:
        return Death(f"was ended by {name}", is_kill=True)
    text = f"was ended by {name}: a native library failed; the last lines of the log say where"
    return Death(text, is_kill=False)


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
    signal.pthread_sigmask(signal.SIG_BLOCK, interrupts.ENDING)
    parent, child = os.getpid(), os.fork()
    if child == 0:
        _run_child(work, result_file, parent)

    def forward(number: int, _: FrameType | None) -> None:
        os.kill(child, number)

    # Where signals are ignored, as under nohup, they stay ignored.
    handled = [number for number in interrupts.ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, forward) for number in handled}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, interrupts.ENDING)
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
        _write_result(work, result_file)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        status = 0
    finally:
        os._exit(status)


def _write_result(work: Callable[[], object], result_file: Path) -> None:
    try:
        with interrupts.listening(is_last=True):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, interrupts.ENDING)
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
