"""OpenTelemetry's Collector, built from its Go modules, that writes what it receives to files."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.version import PROJECT
from tests.kubeflow.manifest_objects import needed_program
from tests.pipeline.observability.receiver import Fields, items

_SOURCES = Path(__file__).parent / "collector"
_BUILT = PROJECT / ".tools" / "otel-collector-0.161.0"
SIGNALS = ("traces", "metrics", "logs")
_SECONDS = 30.0


@dataclass(frozen=True)
class Collector:
    """A collector.

    Attributes:
        address: Where it receives OTLP over HTTP.
        folder: Folder of what it has written: complete once it has ended.
    """

    address: str
    folder: Path

    def written(self, signal: str) -> bytes:
        """What it wrote of a signal: one JSON object a line."""
        return (self.folder / f"{signal}.json").read_bytes()

    def items(self, signal: str, *levels: str) -> list[Fields]:
        """What the last of some nested lists hold, of all that it wrote of a signal."""
        return items([json.loads(line) for line in self.written(signal).splitlines()], *levels)


def _program() -> Path:
    if not _BUILT.exists():
        # An interrupted build leaves no program.
        draft = _BUILT.with_name(f".{_BUILT.name}.{os.getpid()}")
        go = needed_program("go", "install Go as go.mod beside the collector's source asks")
        ran = subprocess.run(
            [go, "build", "-trimpath", "-o", str(draft), "."],
            cwd=_SOURCES,
            env={**os.environ, "CGO_ENABLED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            pytest.fail(ran.stderr)
        draft.replace(_BUILT)
    return _BUILT


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextmanager
def collecting(folder: Path) -> Iterator[Collector]:
    """Runs a collector; afterwards all that it received is in its files.

    Args:
        folder: Its folder; made.
    """
    program = _program()
    folder.mkdir()
    port = _free_port()
    configuration = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "processors": {"deltatocumulative": {}},
        "exporters": {
            f"file/{signal}": {"path": str(folder / f"{signal}.json")} for signal in SIGNALS
        },
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {
                signal: {
                    "receivers": ["otlp"],
                    "processors": ["deltatocumulative"] if signal == "metrics" else [],
                    "exporters": [f"file/{signal}"],
                }
                for signal in SIGNALS
            },
        },
    }
    file = folder / "collector.json"
    file.write_text(json.dumps(configuration))
    log = folder / "collector.log"
    with (
        log.open("w") as said,
        subprocess.Popen([program, f"--config={file}"], stdout=said, stderr=said) as process,
    ):
        try:
            _wait_for(port, process, log)
            yield Collector(f"http://127.0.0.1:{port}", folder)
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > ends:
                pytest.fail(log.read_text())
            time.sleep(0.05)
