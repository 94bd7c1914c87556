"""Connections of clients, on a port of this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from pipeline.service.connections import MOST_HEAD_BYTES
from tests.pipeline.service.running import running

_LINE = b"X-Long: " + b"x" * 1000 + b"\r\n"
_CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nX-Own: 1\r\nTransfer-Encoding: chunked\r\n\r\n"


async def _length(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body, and names of headers."""
    if scope["type"] != "http":
        return
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    names = " ".join(name.decode() for name, _ in scope["headers"] if name.startswith(b"x-"))
    await PlainTextResponse(f"{length} {names}".strip())(scope, receive, send)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with running(_length) as found:
        yield found


@contextmanager
def connected(client: httpx.Client) -> Iterator[socket.socket]:
    assert client.base_url.port
    with socket.create_connection(("127.0.0.1", client.base_url.port), timeout=60) as found:
        yield found


@pytest.mark.parametrize("line", [_LINE, b"x" * 1000], ids=["many headers", "one header"])
def test_a_client_that_sends_headers_without_end_is_closed(
    client: httpx.Client, line: bytes
) -> None:
    with connected(client) as connection, pytest.raises(OSError):
        _send_without_end(connection, b"POST / HTTP/1.1\r\nHost: x\r\nX-First: ", line)


@pytest.mark.parametrize("body", [b"", b"1\r\nx\r\n"], ids=["no body", "a body"])
@pytest.mark.parametrize("line", [_LINE, b"x" * 1000], ids=["many headers", "one header"])
def test_a_client_that_sends_headers_without_end_after_a_body_is_closed(
    client: httpx.Client, line: bytes, body: bytes
) -> None:
    with connected(client) as connection, pytest.raises(OSError):
        _send_without_end(connection, _CHUNKED + body + b"0\r\nX-First: ", line)


def test_headers_after_a_body_are_none_of_the_request(client: httpx.Client) -> None:
    with connected(client) as connection:
        for _ in range(2):
            connection.sendall(_CHUNKED)
            connection.sendall(b"3\r\nabc\r\n0\r\n")
            connection.sendall(_LINE * 60 + b"\r\n")
            answer = connection.recv(1000)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b"\r\n\r\n3 x-own")


def test_a_body_of_many_small_parts_is_no_long_head(client: httpx.Client) -> None:
    answer = client.post("/", content=(b"x" for _ in range(MOST_HEAD_BYTES // 4)))
    assert answer.text == "16384"


def _send_without_end(connection: socket.socket, first: bytes, line: bytes) -> None:
    connection.sendall(first)
    # What a system keeps of bytes that are not read is less.
    for _ in range(10_000):
        connection.sendall(line)


def test_its_last_answer_says_why(client: httpx.Client) -> None:
    with connected(client) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + _LINE * (MOST_HEAD_BYTES // len(_LINE) + 1))
        answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"The head of a request has at most 65536 bytes." in answer


def test_many_requests_and_long_bodies_are_no_long_head(client: httpx.Client) -> None:
    headers = {"X-Long": "x" * 1000}
    for _ in range(MOST_HEAD_BYTES // 1000 + 5):
        assert client.post("/", content=b"x", headers=headers).text == "1 x-long"
    for _ in range(MOST_HEAD_BYTES // 1000 + 5):
        assert client.get("/", headers=headers).text == "0 x-long"
    long = client.post("/", content=b"x" * 3 * MOST_HEAD_BYTES, headers=headers)
    assert long.text == "196608 x-long"
