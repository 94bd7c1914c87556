"""The parent reports how its process died; a process that ends well is not noticed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.whole_runs import accept_signals, environment

SECONDS = 300
"""Longer than any work here: a signal that is lost shows in what the work returns."""
DIED = "lambda death, notes: f'died: it {death}; it left {[p.name for p in notes.iterdir()]}'"


def start(work: str, folder: Path, ignored: signal.Signals | None = None) -> subprocess.Popen[str]:
    """A program that supervises some work, `work(notes)`, and prints its result."""
    script = folder / "program.py"
    script.write_text(
        "import os, signal, sys, time\n"
        f"{f'signal.signal({int(ignored)}, signal.SIG_IGN)' if ignored else ''}\n"
        "from pipeline.runners.supervise import supervise\n"
        f"def work(notes):\n{textwrap.indent(work, '    ')}\n"
        f"print(supervise(work, {DIED}), flush=True)\n"
    )
    return subprocess.Popen(
        [sys.executable, str(script)],
        env=environment(PYTHONUNBUFFERED=""),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=accept_signals,
        start_new_session=True,
    )


def output(work: str, folder: Path) -> str:
    program = start(work, folder)
    found, _ = program.communicate(timeout=SECONDS)
    return found


@pytest.mark.parametrize(
    ("work", "told"),
    [
        ("os.abort()", "was ended by SIGABRT: a native library failed"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV: a native library failed"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL: as a rule because"),
        ("os._exit(3)", "ended with exit code 3"),
    ],
)
def test_death_of_the_process_is_reported_with_its_signal(
    work: str, told: str, tmp_path: Path
) -> None:
    found = output(f"(notes / 'note').write_text('x')\n{work}", tmp_path)

    assert f"died: it {told}" in found
    assert "it left ['note']" in found


def test_result_is_returned_from_another_process(tmp_path: Path) -> None:
    program = start("return [os.getppid(), os.getpid()]", tmp_path)

    parent, child = program.communicate(timeout=SECONDS)[0].strip("[]\n").split(", ")

    assert int(parent) == program.pid
    assert child != parent


def test_exception_is_raised_in_the_parent(tmp_path: Path) -> None:
    program = start("raise FileNotFoundError(2, 'No such file', 'data.csv')", tmp_path)
    _, errors = program.communicate(timeout=SECONDS)

    assert program.returncode == 1
    assert "FileNotFoundError: [Errno 2] No such file: 'data.csv'" in errors


def test_exception_that_can_not_travel_is_named(tmp_path: Path) -> None:
    work = """\
class Odd(Exception):
    def __init__(self, stage, reason):
        super().__init__(f'{stage}: {reason}')
raise Odd('Trainer', 'no data')
"""
    program = start(work, tmp_path)
    _, errors = program.communicate(timeout=SECONDS)

    assert program.returncode == 1
    assert "RuntimeError: Odd: Trainer: no data" in errors
    assert "in work" in errors


@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["kill", "Ctrl-C of a terminal"])
def test_interrupt_of_the_parent_reaches_the_work_once(
    send: Callable[[int, int], None], tmp_path: Path
) -> None:
    work = """\
interrupts, turns = 0, 300
while turns:
    try:
        if turns == 300:
            print('working', flush=True)
        turns -= 1
        time.sleep(0.2)
    except KeyboardInterrupt:
        # A second one would come at once.
        interrupts, turns = interrupts + 1, 5
return f'interrupts: {interrupts}'
"""
    program = start(work, tmp_path)
    assert program.stdout is not None
    assert program.stdout.readline() == "working\n"

    send(program.pid, signal.SIGINT)

    assert program.communicate(timeout=SECONDS)[0] == "interrupts: 1\n"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["one", "all of a service"])
def test_what_stops_a_program_reaches_the_work_as_an_interrupt(
    send: Callable[[int, int], None], name: str, tmp_path: Path
) -> None:
    work = """\
from pipeline import interrupts
try:
    print('working', flush=True)
    time.sleep(120)
except KeyboardInterrupt:
    return f'{interrupts.end_status()}: {interrupts.end_reason()}'
"""
    program = start(work, tmp_path)
    assert program.stdout is not None
    assert program.stdout.readline() == "working\n"

    send(program.pid, getattr(signal, name))

    assert program.communicate(timeout=SECONDS)[0] == f"killed: ended by {name}\n"


def test_a_hangup_that_is_ignored_as_under_nohup_stays_ignored(tmp_path: Path) -> None:
    work = """\
os.kill(os.getppid(), signal.SIGHUP)
os.kill(os.getpid(), signal.SIGHUP)
return 'done'
"""
    program = start(work, tmp_path, ignored=signal.SIGHUP)

    assert program.communicate(timeout=SECONDS)[0] == "done\n"


def test_work_ends_with_its_parent(tmp_path: Path) -> None:
    program = start("print(os.getpid(), flush=True)\ntime.sleep(120)", tmp_path)
    assert program.stdout is not None
    child = int(program.stdout.readline())

    program.kill()
    program.communicate(timeout=SECONDS)

    end = time.monotonic() + 30
    while not is_gone(child):
        assert time.monotonic() < end
        time.sleep(0.05)


def is_gone(process: int) -> bool:
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_handlers_that_work_registers_for_its_exit_are_called(tmp_path: Path) -> None:
    found = output("import atexit\natexit.register(print, 'tidied up')\nreturn 'done'", tmp_path)

    assert found == "tidied up\ndone\n"
