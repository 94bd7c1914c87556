"""Signals that end the work are remembered, and raised again until they get through."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from pipeline import interrupts

_LONGEST_SECONDS = 20


def _is_not_taken(number: int, _: FrameType | None) -> None:
    raise AssertionError(f"signal {number} was not taken")


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Signals are taken as in a run, and none is left over."""
    before = {
        number: signal.signal(number, _is_not_taken)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        with interrupts.listening():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        interrupts.handle()
        with interrupts.listening():
            pass


@pytest.mark.parametrize(
    ("number", "status", "reason"),
    [
        (signal.SIGINT, "interrupted", "interrupted"),
        (signal.SIGTERM, "killed", "ended by SIGTERM"),
        (signal.SIGHUP, "killed", "ended by SIGHUP"),
    ],
)
def test_only_ctrl_c_is_an_interrupt(number: signal.Signals, status: str, reason: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)

    assert interrupts.received() == number
    assert (interrupts.end_status(), interrupts.end_reason()) == (status, reason)


def test_a_signal_that_all_processes_of_a_service_pass_on_is_one() -> None:
    raised = 0
    for _ in range(2):
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raised += 1

    assert raised == 1


def test_what_swallowed_a_signal_does_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_REPEAT_SECONDS", 0.01)

    def work() -> None:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        threading.Event().wait(_LONGEST_SECONDS)

    with pytest.raises(KeyboardInterrupt), interrupts.insisted():
        work()


def test_a_swallowed_signal_is_raised_at_the_end_of_the_work_and_before_the_next() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts.insisted(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), interrupts.insisted():
        raise AssertionError("it began")


def test_what_got_through_is_not_raised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_ONE_PRESS_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    interrupts.handle()

    signal.raise_signal(signal.SIGINT)
    with interrupts.insisted():
        interrupts.check()
