"""Signals that end the work of this process: Ctrl-C, and those of what stops a program.

SIGTERM comes from systemd, a container's runtime or a batch system, SIGHUP from a connection that
closes. Each raises a KeyboardInterrupt in the main thread, so that all of them clean up alike.
Libraries may swallow it (a callback of a weak reference prints and forgets it), or wrap it into an
exception of their own, as Beam's worker does: what was received is remembered here, and within
`insisted` it is raised again until it gets through.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Literal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals, in this process and in the one that supervises it."""

_REPEAT_SECONDS = 3.0
_ONE_PRESS_SECONDS = 1.0
"""What stops a program may send its signal to all of its processes, which pass it on: within this
time it is one and the same."""


@dataclass
class _State:
    """What this process has received.

    Attributes:
        first: The first signal; None if there was none.
        newest: When the last one came, on the monotonic clock.
        is_handled: Whether it got through: another one would only disturb the cleanup.
    """

    first: signal.Signals | None = None
    newest: float = 0.0
    is_handled: bool = False


_state = _State()


@contextmanager
def listening(is_last: bool = False) -> Iterator[None]:
    """Turns the signals into a KeyboardInterrupt in the main thread.

    Signals that are ignored, as SIGHUP under nohup, stay ignored. In another thread than the main
    one nothing changes.

    Args:
        is_last: Whether nothing is to be interrupted afterwards: then the signals are ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state.first, _state.is_handled = None, False
    taken = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, _receive) for number in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if is_last else handler)


@contextmanager
def insisted() -> Iterator[None]:
    """Raises a received signal again every few seconds, until it leaves this block.

    Raises:
        KeyboardInterrupt: A signal was received, before the block or in it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _raise_again)
    try:
        check()
        signal.setitimer(signal.ITIMER_REAL, _REPEAT_SECONDS, _REPEAT_SECONDS)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    check()


def check() -> None:
    """Raises a signal that was received and did not get through.

    Raises:
        KeyboardInterrupt: There is one.
    """
    if _state.first and not _state.is_handled:
        raise KeyboardInterrupt


def handle() -> None:
    """Says that the signal got through: no other one is raised from now on."""
    _state.is_handled = True


def received() -> signal.Signals | None:
    """The first signal that this process has received; None if none."""
    return _state.first


def end_status() -> Literal["interrupted", "killed"]:
    """How what was ended by the signal stands: only Ctrl-C interrupts."""
    return "interrupted" if _state.first in (None, signal.SIGINT) else "killed"


def end_reason() -> str:
    """Why it ended."""
    if end_status() == "interrupted" or _state.first is None:
        return "interrupted"
    return f"ended by {_state.first.name}"


def _receive(number: int, _: FrameType | None) -> None:
    now = time.monotonic()
    is_same = _state.first is not None and now - _state.newest < _ONE_PRESS_SECONDS
    _state.newest = now
    _state.first = _state.first or signal.Signals(number)
    if not (is_same or _state.is_handled):
        raise KeyboardInterrupt


def _raise_again(_: int, __: FrameType | None) -> None:
    check()
