"""Requests of the prediction service as spans and a metric; nothing of their bodies or addresses.

OpenTelemetry is imported only where an address is set.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pipeline.observability.address import is_observed

_SERVICE = "trial-service"
_TRACE_HEADER = b"traceparent"
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
_OTHER_METHOD = "_OTHER"
"""OpenTelemetry's name of a method that is none of the known ones: a client may send any text."""
_SERVER_FAULT = 500
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class RequestSpans:
    """Sends requests by OTLP, with the names of OpenTelemetry's conventions for HTTP.

    https://opentelemetry.io/docs/specs/semconv/http/
    """

    def __init__(self) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        from pipeline.observability.sender import Sender

        self._sender = Sender(_SERVICE, adds_up=True)
        self._propagator = TraceContextTextMapPropagator()
        self._duration = self._sender.meter.create_histogram(
            "http.server.request.duration",
            "s",
            "Duration of requests.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )

    def note(
        self,
        method: str,
        route: str,
        status: int,
        seconds: float,
        headers: Iterable[tuple[bytes, bytes]],
    ) -> None:
        """Sends a request that has been answered.

        Args:
            method: Its HTTP method.
            route: Pattern of its path.
            status: HTTP status of the answer.
            seconds: How long it took.
            headers: Its headers, of which those of W3C's trace context are read.
        """
        from opentelemetry.trace import SpanKind

        from pipeline.observability.sender import Timed

        method = method if method in _METHODS else _OTHER_METHOD
        carrier = {
            name.decode("ascii"): value.decode("latin-1")
            for name, value in headers
            if name == _TRACE_HEADER
        }
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        }
        started = datetime.now(UTC) - timedelta(seconds=seconds)
        error = f"status {status}" if status >= _SERVER_FAULT else None
        self._sender.send_span(
            Timed(f"{method} {route}", started, seconds, attributes, error),
            kind=SpanKind.SERVER,
            within=self._propagator.extract(carrier),
        )
        self._duration.record(seconds, attributes)

    def close(self) -> None:
        """Sends what waits, and ends."""
        self._sender.close()


def request_spans() -> RequestSpans | None:
    """What sends requests; None where no address is set.

    Raises:
        UserError: The address is none.
    """
    return RequestSpans() if is_observed() else None
