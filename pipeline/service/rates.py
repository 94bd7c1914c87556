"""How many requests a client may make: a bucket of each client that fills as time passes.

Source: token bucket, as in RFC 2697, section 3, with one rate and one burst.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import Scope

from pipeline.service.problems import ProblemError
from pipeline.service.tokens import Tokens, bearer

_MOST_CLIENTS = 10_000
"""Clients whose requests are remembered; of more, the one that has asked least lately is not."""

_FREE = "/v2/health/"


class Rates:
    """Counts requests of clients.

    Args:
        per_second: Requests a second of a client, in the long run and at once; 0 for any number.
        tokens: Accepted tokens: who has one is known by it, others by their address.
        clock: Seconds of a clock that never goes back.
    """

    def __init__(
        self, per_second: int, tokens: Tokens, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second, self._tokens, self._clock = per_second, tokens, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, scope: Scope) -> None:
        """Lets a request pass. Those for liveness and readiness always do.

        Args:
            scope: The request, as ASGI has it.

        Raises:
            ProblemError: The client has made too many.
        """
        if not self._per_second or scope["path"].startswith(_FREE):
            return
        client, now = self._client(scope), self._clock()
        left, then = self._buckets.pop(client, (float(self._per_second), now))
        left = min(left + (now - then) * self._per_second, self._per_second)
        may_pass = left >= 1
        self._buckets[client] = (left - may_pass, now)
        if len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if not may_pass:
            wait = math.ceil((1 - left) / self._per_second)
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many-requests",
                f"A client may make {self._per_second} requests a second: wait, or put subjects "
                "together in one request.",
                headers={"Retry-After": str(wait)},
            )

    def _client(self, scope: Scope) -> str:
        token = bearer(Request(scope))
        if self._tokens.holds(token):
            return hashlib.sha256(token.encode()).hexdigest()
        # A token that is not accepted must not be a way to a bucket of its own.
        return scope["client"][0] if scope.get("client") else ""
