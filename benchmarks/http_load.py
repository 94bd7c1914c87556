"""Requests to a server at a rate, or as fast as it answers, by a client that takes little time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pipeline.errors import UserError

_OK = b"200"


@dataclass(frozen=True)
class Load:
    """How a server answered.

    Attributes:
        seconds: From the first request to the last answer.
        milliseconds: Of each request, sorted. At a rate they count from the moment at which the
            request was due, so that a server that lags behind does not hide it.
    """

    seconds: float
    milliseconds: tuple[float, ...]

    def at(self, share: float) -> float:
        """The milliseconds that a share of the requests did not exceed."""
        last = len(self.milliseconds) - 1
        return self.milliseconds[min(last, int(share * len(self.milliseconds)))]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds


class _Connection:
    """A connection that is kept, with one request at a time."""

    def __init__(self, port: int, path: str, body: bytes) -> None:
        self._port = port
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._request = head.encode() + body

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self) -> None:
        """Sends the request and reads the answer.

        Raises:
            UserError: The answer's status is not 200.
        """
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        [length] = [int(x[15:]) for x in lines if x[:15].lower() == b"content-length:"]
        body = await self._reader.readexactly(length)
        if first.split()[1] != _OK:
            raise UserError(f"The server answered {first.decode()}: {body[:300].decode()}")

    def close(self) -> None:
        self._writer.close()


def at_rate(port: int, path: str, body: bytes, per_second: float, requests: int) -> Load:
    """Sends requests at even distances, over 32 connections.

    Raises:
        UserError: An answer's status is not 200.
    """
    found = list[float]()

    async def ask(connections: list[_Connection]) -> float:
        free: asyncio.Queue[_Connection] = asyncio.Queue()
        for connection in connections:
            free.put_nowait(connection)

        async def one(due: float) -> None:
            connection = await free.get()
            await connection.ask()
            found.append((time.perf_counter() - due) * 1000)
            free.put_nowait(connection)

        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(requests):
                due = started + number / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(one(due))
        return time.perf_counter() - started

    seconds = asyncio.run(_with_connections(32, port, path, body, ask))
    return Load(seconds, tuple(sorted(found)))


def as_fast_as_answered(port: int, path: str, body: bytes, clients: int, requests: int) -> Load:
    """Sends requests by clients that each wait for their answer.

    Raises:
        UserError: An answer's status is not 200.
    """
    found = list[float]()

    async def ask(connections: list[_Connection]) -> float:
        async def client(connection: _Connection) -> None:
            for _ in range(requests // clients):
                began = time.perf_counter()
                await connection.ask()
                found.append((time.perf_counter() - began) * 1000)

        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(client(connection))
        return time.perf_counter() - started

    seconds = asyncio.run(_with_connections(clients, port, path, body, ask))
    return Load(seconds, tuple(sorted(found)))


async def _with_connections(
    number: int,
    port: int,
    path: str,
    body: bytes,
    ask: Callable[[list[_Connection]], Awaitable[float]],
) -> float:
    connections = [_Connection(port, path, body) for _ in range(number)]
    for connection in connections:
        await connection.open()
    try:
        return await ask(connections)
    finally:
        for connection in connections:
            connection.close()
