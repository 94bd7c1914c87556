"""What every request passes: limits of rate and body, counting, and what happens to a bug."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.observability.requests import RequestSpans
from pipeline.service.problems import ProblemError
from pipeline.service.rates import Rates
from pipeline.service.telemetry import Telemetry

logger = logging.getLogger(__name__)

_OTHER = "other"


@dataclass(frozen=True)
class Limits:
    """Limits of a request.

    Attributes:
        most_bytes: Largest body.
        seconds: Time within which the body must have come.
        most_requests: Requests a second of a client; 0 for any number.
    """

    most_bytes: int = 2**20
    seconds: float = 20.0
    most_requests: int = 500


class _DisconnectedError(Exception):
    """The client has gone before its request was complete."""


class Gate:
    """Reads the body of a request before anything else does, and counts the answer.

    Args:
        app: What answers.
        telemetry: Counts.
        limits: Limits of a request.
        rates: How many requests a client may make.
        spans: Sends requests by OTLP; None sends none.
    """

    def __init__(
        self,
        app: ASGIApp,
        telemetry: Telemetry,
        limits: Limits,
        rates: Rates,
        spans: RequestSpans | None = None,
    ) -> None:
        self._app, self._telemetry, self._limits = app, telemetry, limits
        self._rates, self._spans = rates, spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, statuses = time.perf_counter(), list[int]()

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        try:
            await self._answer(scope, receive, note)
        except _DisconnectedError:
            return
        except Exception as error:
            logger.error("Unexpected %s at %s.", type(error).__name__, _place(error))
            if not statuses:
                await _unexpected().response()(scope, receive, note)
        finally:
            if statuses:
                self._note(scope, statuses[0], time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", _OTHER)
        self._telemetry.note_request(route, status, seconds)
        if self._spans:
            self._spans.note(scope["method"], route, status, seconds, scope["headers"])

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._rates.take(scope)
            async with asyncio.timeout(self._limits.seconds):
                body = await self._body(scope, receive)
        except ProblemError as problem:
            await problem.response()(scope, receive, send)
            return
        except TimeoutError:
            await _too_slow().response()(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                self._check(int(value))
        parts, size, more = list[bytes](), 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _DisconnectedError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            self._check(size)
            more = message.get("more_body", False)
        return b"".join(parts)

    def _check(self, size: int) -> None:
        if size > self._limits.most_bytes:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too-large",
                f"A request has at most {self._limits.most_bytes} bytes: send fewer subjects.",
                headers={"Connection": "close"},
            )


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Hands out a body that was read already."""
    left = [body]

    async def replay() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replay


def _place(error: Exception) -> str:
    """File and line where an error was raised: its message may hold a value."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


def _unexpected() -> ProblemError:
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "unexpected",
        "The service has a fault; its log says where.",
    )


def _too_slow() -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_TIMEOUT,
        "too-slow",
        "The body of the request did not come in time.",
        headers={"Connection": "close"},
    )
