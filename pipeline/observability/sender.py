"""Sends spans, metrics and log lines of a process by OTLP."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.json.http import OTLPMetricExporter, OTLPSpanExporter
from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from pipeline.version import code_version

Attributes = Mapping[str, str | int | float | bool]
SCOPE = "clinical-trial-pipeline"
_SECONDS = 3.0
"""How long a receiver that does not answer is waited for: a run must not wait for it."""


@dataclass(frozen=True)
class Ids:
    """Ids of a span, where they are not random.

    Attributes:
        trace: Of its trace.
        span: Its own.
        parent: Of the span that it belongs to; None for the first of a trace.
    """

    trace: int
    span: int
    parent: int | None = None


@dataclass(frozen=True)
class Timed:
    """Something that has ended.

    Attributes:
        name: Name of its span.
        started: When it started.
        seconds: How long it took.
        attributes: What is known of it.
        error: Why it failed; None where it did not.
    """

    name: str
    started: datetime
    seconds: float
    attributes: Attributes = field(default_factory=dict)
    error: str | None = None


class Sender:
    """Sends what it is given; a receiver that is gone is logged, and fails nothing.

    Args:
        service: OpenTelemetry's name of this process, such as `trial-run`.
        adds_up: Whether counts are those since the start of the process, as for a process that
            stays; else those since the last that were sent, as for one that ends.
    """

    def __init__(self, service: str, adds_up: bool = False) -> None:
        resource = Resource.create({SERVICE_NAME: service, SERVICE_VERSION: code_version()})
        self._ids = _GivenIds()
        self._traces = TracerProvider(
            resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        self._traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_SECONDS)))
        kept = AggregationTemporality.CUMULATIVE if adds_up else AggregationTemporality.DELTA
        exporter = OTLPMetricExporter(
            timeout=_SECONDS, preferred_temporality={Counter: kept, Histogram: kept}
        )
        self._metrics = MeterProvider(
            [PeriodicExportingMetricReader(exporter)], resource, shutdown_on_exit=False
        )
        self._logs = LoggerProvider(resource, shutdown_on_exit=False)
        self._logs.add_log_record_processor(
            BatchLogRecordProcessor(OTLPLogExporter(timeout=_SECONDS))
        )
        self._tracer = self._traces.get_tracer(SCOPE)
        self.meter = self._metrics.get_meter(SCOPE)
        self.log = self._logs.get_logger(SCOPE)

    def send_span(
        self,
        timed: Timed,
        ids: Ids | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        within: Context | None = None,
    ) -> None:
        """Sends a span.

        Args:
            timed: What it is of.
            ids: Its ids; random where None.
            kind: OpenTelemetry's kind of it.
            within: What it belongs to, where its ids are random.
        """
        if ids and ids.parent is not None:
            within = context_of(ids.trace, ids.parent)
        start = _nanoseconds(timed.started)
        with self._ids.given(ids):
            span = self._tracer.start_span(
                timed.name,
                context=within or Context(),
                kind=kind,
                attributes=timed.attributes,
                start_time=start,
            )
        if timed.error is not None:
            span.set_status(Status(StatusCode.ERROR, timed.error))
        span.end(start + int(timed.seconds * 1e9))

    def close(self) -> None:
        """Sends what waits, and ends."""
        # At the same time: a receiver that is gone is waited for once.
        with ThreadPoolExecutor() as pool:
            shutdowns = (self._traces.shutdown, self._metrics.shutdown, self._logs.shutdown)
            for done in [pool.submit(shutdown) for shutdown in shutdowns]:
                done.result()


class _GivenIds(RandomIdGenerator):
    """Gives the next span the ids that it was told, and any other span random ones."""

    def __init__(self) -> None:
        self._given: Ids | None = None
        self._lock = threading.Lock()

    @contextmanager
    def given(self, ids: Ids | None) -> Iterator[None]:
        """Holds the ids of the span that is started meanwhile."""
        with self._lock:
            self._given = ids
            try:
                yield
            finally:
                self._given = None

    def generate_trace_id(self) -> int:
        return self._given.trace if self._given else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self._given.span if self._given else super().generate_span_id()


def context_of(trace: int, span: int) -> Context:
    """The context of what belongs to a span of another process."""
    found = SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(found), Context())


def _nanoseconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1e9)
