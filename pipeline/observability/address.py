"""Whether anything is sent: where to is named by OpenTelemetry's own variables."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from pipeline.errors import UserError

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""Address of an OTLP receiver over HTTP, such as `http://collector:4318`; OpenTelemetry's
specification names it so (https://opentelemetry.io/docs/specs/otel/protocol/exporter/)."""


def is_observed() -> bool:
    """Whether an address is set; without one OpenTelemetry is not even imported.

    Raises:
        UserError: It is no address of a receiver over HTTP.
    """
    address = os.environ.get(ENDPOINT, "").strip()
    if not address:
        return False
    try:
        parts = urlsplit(address)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise UserError(
            f"{ENDPOINT} is no address of an OTLP receiver over HTTP: give one such as "
            "http://collector:4318, or unset the variable to send nothing."
        )
    return True
