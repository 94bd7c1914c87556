"""Connections of clients: HTTP as httptools reads it, with a limit of what is no body."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 2**16
"""Largest first line and headers of a request, and lines between or after the parts of a body:
httptools would keep any number of headers, also of those that follow a body (trailers)."""


class Connection(HttpToolsProtocol):
    """A connection; one whose client sends headers without end is closed."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head = True
        self._head_bytes = 0
        """Bytes since the request began, or since a part of its body."""

    def data_received(self, data: bytes) -> None:
        """Reads what has come."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of a request has at most {MOST_HEAD_BYTES} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header; none that follows a body is one (RFC 9110, 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The body follows."""
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body; what it has at most is for the application to say."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Another request may follow."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_complete()
