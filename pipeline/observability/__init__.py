"""Runs and requests as traces, metrics and logs of OpenTelemetry; nothing of a single subject."""
