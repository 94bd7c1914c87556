"""The service as a process, and an object store that can be gone."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from moto.server import ThreadedMotoServer

from tests.pipeline.service.hand_made import STUDY, SUBJECT
from tests.whole_runs import environment


@dataclass(frozen=True)
class Serving:
    """A service that listens.

    Attributes:
        process: Its process.
        client: A client of it.
    """

    process: subprocess.Popen[str]
    client: httpx.Client

    def death(self) -> float:
        """What it predicts for the subject now."""
        answer = self.client.post("/predict", json={"subject": SUBJECT})
        assert answer.status_code == 200, answer.text
        return float(answer.json()["predictions"]["death"]["probability"])

    def ready(self) -> dict[str, Any]:
        """What it says of itself."""
        answer = self.client.get("/v2/health/ready")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def serving(
    registry: Path | str,
    *further: str,
    port: int = 0,
    trusted: Path | None = None,
    temporary: Path | None = None,
) -> Iterator[Serving]:
    """Runs `trial serve`, which looks at the registry each second.

    Args:
        registry: Root of the registry.
        further: Further options.
        port: Its port; 0 takes a free one.
        trusted: The certificate that its client trusts.
        temporary: Its folder for temporary files.
    """
    options = ["--port", str(port), "--look", "1", "--most-requests", "0", *further]
    command = [sys.executable, "-m", "pipeline.cli", "serve", STUDY, "--registry", str(registry)]
    with subprocess.Popen(
        [*command, *options],
        env=environment(
            TF_CPP_MIN_LOG_LEVEL="3", **({"TMPDIR": str(temporary)} if temporary else {})
        ),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr
            said = next(said for said in map(message, process.stderr) if said.startswith("Serves"))
            address = said.split(" at ")[1].split(";")[0]
            verify = ssl.create_default_context(cafile=trusted)
            with httpx.Client(base_url=address, timeout=60, verify=verify) as client:
                yield Serving(process, client)
        finally:
            process.kill()


def message(line: str) -> str:
    """What a line of a service's log says; other programs' lines are no JSON."""
    if not line.startswith("{"):
        return line
    found: str = json.loads(line)["message"]
    return found


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits for a condition."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.1)


@dataclass
class Stores:
    """An S3-compatible store on a port of this machine, which can be gone and come back.

    Attributes:
        bucket: A bucket in it.
        port: Its port.
    """

    bucket: str
    port: int = 0
    _server: ThreadedMotoServer | None = None

    def start(self) -> None:
        """It answers, with what it had before."""
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port)
        self._server.start()
        _, self.port = self._server.get_host_and_port()

    def stop(self) -> None:
        """It answers no more."""
        if self._server:
            self._server.stop()
        self._server = None
