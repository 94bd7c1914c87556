"""Servers as processes: started, ready, measured, and stopped again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipeline.errors import UserError
from pipeline.version import PROJECT

_LONGEST_START = 120.0
_LOOK_SECONDS = 0.02
_STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A server that answers.

    Attributes:
        port: Its port on 127.0.0.1.
        pid: Its process.
        ready_seconds: From the start of the process until it said that it is ready.
        log: What it wrote.
    """

    port: int
    pid: int
    ready_seconds: float
    log: Path

    @property
    def address(self) -> str:
        """Address of its root."""
        return f"http://127.0.0.1:{self.port}"

    def peak_memory_mb(self) -> float:
        """Highest resident memory of its processes so far, in MB of 10^6 bytes; of each its own."""
        process = psutil.Process(self.pid)
        return sum(_peak_bytes(p.pid) for p in (process, *process.children(recursive=True))) / 1e6

    def cpu_seconds(self) -> float:
        """Processor time of its processes so far, user and system."""
        process = psutil.Process(self.pid)
        times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
        return sum(found.user + found.system for found in times)


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str | Path],
    port: int,
    ready: str,
    log: Path,
    env: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Runs a server until the block ends.

    Args:
        command: Program and arguments.
        port: Port that it listens on by its arguments.
        ready: Path that answers with 200 once it is ready.
        log: File for what it writes.
        env: Variables to add to the caller's environment.

    Raises:
        UserError: It ends before it is ready, or takes two minutes.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=PROJECT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            while not _answers(f"http://127.0.0.1:{port}{ready}"):
                waited = time.perf_counter() - started
                if process.poll() is not None or waited > _LONGEST_START:
                    raise UserError(f"{command[0]}: the server is not ready; see {log}.")
                time.sleep(_LOOK_SECONDS)
            yield Server(port, process.pid, time.perf_counter() - started, log)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def service(
    study: str, registry: str, log: Path, python: str | Path = sys.executable
) -> Iterator[Server]:
    """Runs the prediction service with the champion of a registry, without a limit of requests.

    Args:
        study: Name of the study.
        registry: Root of the registry.
        log: File for what it writes.
        python: Python of the environment that it runs in.

    Raises:
        UserError: It does not start.
    """
    port = free_port()
    command = [python, "-m", "pipeline.cli", "serve", study, "--registry", registry]
    options = ["--port", str(port), "--most-requests", "0"]
    env = {"PYTHONPATH": str(PROJECT), "TF_CPP_MIN_LOG_LEVEL": "2"}
    with running([*command, *options], port, "/v2/health/ready", log, env) as server:
        yield server


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _peak_bytes(pid: int) -> int:
    """Highest resident memory of a process; where the system does not keep it, the present one."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return int(psutil.Process(pid).memory_info().rss)
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
