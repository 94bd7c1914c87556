"""Sends what this project logs by OTLP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry._logs import SeverityNumber

from pipeline.observability.lines import exception_type, is_own
from pipeline.observability.sender import Sender, context_of

_SEVERITIES = {
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


@contextmanager
def sent_lines(sender: Sender, trace: int, span: int) -> Iterator[None]:
    """Sends this project's lines meanwhile.

    Args:
        sender: Sends them.
        trace: Id of the trace that they belong to.
        span: Id of the span likewise.
    """
    handler = _ToReceiver(sender, trace, span)
    handler.addFilter(is_own)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


class _ToReceiver(logging.Handler):
    def __init__(self, sender: Sender, trace: int, span: int) -> None:
        super().__init__(logging.INFO)
        self._sender, self._context = sender, context_of(trace, span)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._emit(record)
        except Exception:
            # As logging's own handlers do: a line that can't be sent fails nothing.
            self.handleError(record)

    def _emit(self, record: logging.LogRecord) -> None:
        self._sender.log.emit(
            timestamp=int(record.created * 1e9),
            context=self._context,
            severity_number=_SEVERITIES.get(record.levelno, SeverityNumber.UNSPECIFIED),
            severity_text=record.levelname,
            body=record.getMessage(),
            attributes={"logger.name": record.name, **exception_type(record)},
        )
