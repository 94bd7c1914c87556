"""A receiver of OTLP over HTTP on a port of this machine, that keeps what it gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.http_server import running

Fields = dict[str, Any]


@dataclass
class Receiver:
    """What was received.

    Attributes:
        address: Where it listens.
        requests: Path and body of each request.
    """

    address: str
    requests: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def spans(self) -> list[Fields]:
        return self._found("/v1/traces", "resourceSpans", "scopeSpans", "spans")

    @property
    def lines(self) -> list[Fields]:
        return self._found("/v1/logs", "resourceLogs", "scopeLogs", "logRecords")

    @property
    def metrics(self) -> list[Fields]:
        return self._found("/v1/metrics", "resourceMetrics", "scopeMetrics", "metrics")

    @property
    def text(self) -> str:
        """All that was received."""
        return "\n".join(body.decode() for _, body in self.requests)

    def _found(self, path: str, *levels: str) -> list[Fields]:
        return items([json.loads(body) for sent, body in self.requests if sent == path], *levels)


def items(requests: list[Fields], *levels: str) -> list[Fields]:
    """What the last of some nested lists hold, of all requests together."""
    found = requests
    for level in levels:
        found = [item for holder in found for item in holder.get(level, [])]
    return found


def attributes(item: Fields) -> Fields:
    """Attributes of a span, a line or a point."""
    return {each["key"]: next(iter(each["value"].values())) for each in item["attributes"]}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Runs a receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the standard library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests.append((self.path, body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        receiver = Receiver(address)
        yield receiver
