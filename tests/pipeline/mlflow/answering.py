"""A small HTTP server that answers as an MLflow server in trouble does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.http_server import running


@dataclass
class Answering:
    """What it answers, and what it was asked.

    Attributes:
        status: Status of each answer.
        body: Body of each answer.
        location: Where it redirects to; empty for nowhere.
        address: Its address.
        asked: Path and `Authorization` of each request.
        may_answer: Answers wait until it is set.
    """

    status: int = 200
    body: str = "{}"
    location: str = ""
    address: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def answering(status: int = 200, body: str = "{}", location: str = "") -> Iterator[Answering]:
    """A server on a port of this machine, until the block ends."""
    said = Answering(status, body, location)
    said.may_answer.set()

    class _Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.asked.append((self.path, self.headers["Authorization"]))
            said.may_answer.wait(30)
            with contextlib.suppress(ConnectionError):
                self.send_response(said.status)
                if said.location:
                    self.send_header("Location", said.location)
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Writes nothing."""

    with running(ThreadingHTTPServer(("127.0.0.1", 0), _Handler)) as said.address:
        try:
            yield said
        finally:
            said.may_answer.set()
