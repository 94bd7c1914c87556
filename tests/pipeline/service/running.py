"""A service on a port of this machine, in a thread of the test's process."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from pipeline.service.problems import MEDIA_TYPE
from pipeline.service.server import Place, configuration, listen


class _Server(uvicorn.Server):
    """Says when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()


@contextlib.contextmanager
def running(app: ASGIApp) -> Iterator[httpx.Client]:
    """Runs an application; a client of it."""
    config = configuration(app, Place("127.0.0.1", 0))
    place = listen(config)
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([place],))
    thread.start()
    assert server.has_started.wait(60)
    try:
        host, port = place.getsockname()[:2]
        with httpx.Client(base_url=f"http://{host}:{port}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem details of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert set(found) >= {"type", "title", "detail", "error"}
    return found


def problems(answer: httpx.Response) -> set[tuple[int, str, str]]:
    """Row, column and kind of what is wrong with the columns of a request."""
    found = problem(answer, 422)["errors"]
    return {(error["row"], error["column"], error["problem"]) for error in found}
