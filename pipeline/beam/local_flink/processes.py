"""The processes of a local cluster: finds and ends them."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from pipeline.beam.local_flink.hosts import Host

_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Member:
    """A process of the cluster.

    Attributes:
        name: `jobmanager`, `taskmanager-0`, `pool-0`, ...
        pid: Its process.
        created: Start of the process, seconds since 1970: pids are reused.
        host: Where it runs.
    """

    name: str
    pid: int
    created: float
    host: Host

    @property
    def process(self) -> psutil.Process | None:
        """The process; None when it has ended."""
        try:
            found = psutil.Process(self.pid)
            same = found.create_time() == self.created
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def end_processes(members: Sequence[Member], number: signal.Signals) -> None:
    """Terminates processes with their children; kills those that do not end."""
    found = [process for member in members if (process := member.process)]
    every = [child for process in found for child in process.children(recursive=True)] + found
    for process in every if number == signal.SIGKILL else found:
        _send(process, number)
    _, alive = psutil.wait_procs(every, timeout=_STOP_SECONDS)
    for process in alive:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=_STOP_SECONDS)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
