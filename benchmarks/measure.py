"""Wall time and peak memory of a command, measured over its whole process tree.

Every benchmark runs its candidates as child processes through :func:`run`, so that imports,
start-up and the workers that a candidate forks are part of what is compared.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

logger = logging.getLogger(__name__)
_MEBIBYTE = 1024 * 1024
_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Measurement:
    """Measurements of one run of a command.

    Attributes:
        seconds: Wall time from just before the start of the process to its end.
        peak_memory_mb: Highest memory of the process tree seen in any sample, in MiB. On Linux
            it is the sum of the proportional set sizes (PSS), which counts a page that several
            processes share once; elsewhere the sum of the unique set sizes (USS). A peak that
            is shorter than the sampling interval can be missed. A library that other running
            programs use as well counts only in part: compare on an idle machine.
        peak_resident_mb: Highest sum of resident set sizes (RSS) of the process tree, in MiB,
            as the run records have it; pages that its processes share count more than once.
        returncode: Exit status; negative if a signal ended the process, as in `subprocess`.
        output_tail: Last lines of standard output and standard error, interleaved.
        cpu_seconds: Processor time, user and system, of the process and of those descendants
            that their parents waited for.
        load_before: Load average of the machine over the minute before the start.
        stopped: Which limit the process tree was ended for, if it was.
    """

    seconds: float
    peak_memory_mb: float
    peak_resident_mb: float
    returncode: int
    output_tail: str
    cpu_seconds: float
    load_before: float
    stopped: Literal["time", "memory"] | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the command finished with status 0."""
        return self.returncode == 0 and self.stopped is None


def run(
    command: Sequence[str],
    *,
    log_path: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_seconds: float | None = None,
    memory_limit_mb: float | None = None,
    interval_seconds: float = 0.2,
    tail_lines: int = 40,
) -> Measurement:
    """Runs a command as a child process and measures it.

    A command that fails, or that a limit ends, is measured like any other: look at `returncode`
    and `stopped`. The memory limit is compared with the measured memory of the whole tree, not
    against address space (RLIMIT_AS), of which TensorFlow reserves far more than it uses.

    Args:
        command: Program and arguments; no shell is involved.
        log_path: File for standard output and standard error. Its folder is created, an older
            file is overwritten.
        cwd: Working directory of the child; the caller's by default.
        env: Variables to add to the caller's environment.
        timeout_seconds: After this time the whole process tree is ended.
        memory_limit_mb: With more memory than this, in MiB, the whole process tree is ended.
        interval_seconds: Pause between two samples of memory, in seconds.
        tail_lines: How many lines of the log `output_tail` keeps.

    Returns:
        Wall time, peak memory, exit status and the end of the output.

    Raises:
        OSError: The program can't be started or the log can't be written.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    cpu_before = _cpu_of_children()
    load_before = os.getloadavg()[0]
    stopped: Literal["time", "memory"] | None = None
    with log_path.open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        sampler = _TreeSampler(process.pid, interval_seconds, memory_limit_mb)
        sampler.start()
        try:
            process.wait(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            stopped = "time"
        finally:
            seconds = time.perf_counter() - started
            sampler.stop()
            sampler.end_survivors()
            _end_session(process.pid)
            returncode = process.wait()
    return Measurement(
        seconds=seconds,
        peak_memory_mb=sampler.peak_bytes / _MEBIBYTE,
        peak_resident_mb=sampler.peak_resident_bytes / _MEBIBYTE,
        returncode=returncode,
        output_tail=_tail(log_path, tail_lines),
        cpu_seconds=_cpu_of_children() - cpu_before,
        load_before=load_before,
        stopped="memory" if sampler.over_limit else stopped,
    )


@contextmanager
def sampled(
    pids: Mapping[str, int], interval_seconds: float = 0.5
) -> Iterator[Callable[[], dict[str, float]]]:
    """Samples the memory of processes that run already, each with its descendants.

    Args:
        pids: Process by the name under which it is reported.
        interval_seconds: Pause between two samples, in seconds.

    Yields:
        A function that gives the peaks until now, proportional set size in MiB.
    """
    samplers = {name: _TreeSampler(pid, interval_seconds, None) for name, pid in pids.items()}
    for sampler in samplers.values():
        sampler.start()
    try:
        yield lambda: {name: s.peak_bytes / _MEBIBYTE for name, s in samplers.items()}
    finally:
        for sampler in samplers.values():
            sampler.stop()


def last_json_object(text: str) -> dict[str, Any]:
    """Returns the last line of a text that is a JSON object.

    Benchmarked commands write their results as one such line; libraries may log after it.

    Args:
        text: Output of a command, for example `Measurement.output_tail`.

    Returns:
        The decoded object.

    Raises:
        ValueError: No line of the text is a JSON object.
    """
    for line in reversed(text.splitlines()):
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(value, dict):
            return value
    raise ValueError("No line of the output is a JSON object; see the log file.")


class _TreeSampler(threading.Thread):
    """Samples the memory of a process and of everything that descends from it."""

    def __init__(self, pid: int, interval_seconds: float, limit_mb: float | None) -> None:
        super().__init__(name=f"memory-of-{pid}", daemon=True)
        self.peak_bytes = 0
        self.peak_resident_bytes = 0
        self.over_limit = False
        self._limit_bytes = float("inf") if limit_mb is None else limit_mb * _MEBIBYTE
        self._interval_seconds = interval_seconds
        self._root_pid = pid
        self._stopped = threading.Event()
        # A descendant whose parent has ended is no longer found from the root: remember it.
        self._seen: set[psutil.Process] = set()

    def run(self) -> None:
        while True:
            self._discover()
            sizes = [_memory_bytes(process) for process in self._seen]
            self.peak_bytes = max(self.peak_bytes, sum(own for own, _ in sizes))
            resident = sum(resident for _, resident in sizes)
            self.peak_resident_bytes = max(self.peak_resident_bytes, resident)
            if self.peak_bytes > self._limit_bytes:
                self.over_limit = True
                for process in self._seen:
                    _send(process, signal.SIGKILL)
                return
            if self._stopped.wait(self._interval_seconds):
                return

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def end_survivors(self) -> None:
        """Ends what the command left running, so that it does not disturb the next one."""
        self._discover()
        survivors = [process for process in self._seen if process.is_running()]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in survivors:
                _send(process, number)
            _, survivors = psutil.wait_procs(survivors, timeout=_GRACE_SECONDS)
            if not survivors:
                return
        logger.warning("%d processes of the command could not be ended.", len(survivors))

    def _discover(self) -> None:
        try:
            root = psutil.Process(self._root_pid)
            self._seen.update([root, *root.children(recursive=True)])
        except psutil.NoSuchProcess:
            pass
        for process in list(self._seen):
            if not process.is_running():
                self._seen.discard(process)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory_bytes(process: psutil.Process) -> tuple[int, int]:
    """Proportional (or unique) and resident set size."""
    try:
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0, 0
    return int(memory.pss if hasattr(memory, "pss") else memory.uss), int(memory.rss)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        logger.debug("Process %d ended by itself.", process.pid)


def _end_session(leader_pid: int) -> None:
    """Ends what outlived the command without ever having been sampled."""
    try:
        os.killpg(leader_pid, signal.SIGKILL)
    except ProcessLookupError:
        logger.debug("Nothing outlived the command.")


def _tail(path: Path, lines: int) -> str:
    with path.open(encoding="utf-8", errors="replace") as log:
        return "".join(deque(log, maxlen=lines))
