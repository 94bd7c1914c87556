"""The socket that the service listens on, and its connections."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from pipeline.service.server import Place, configuration, listen

IDLE = {"httpx": 5, "requests behind nginx": 60, "Go's client": 90, "Google's load balancers": 600}
"""Seconds for which clients and proxies keep a connection that they do not use."""


def test_an_answer_is_sent_without_waiting_for_an_acknowledgement() -> None:
    listening = listen(uvicorn.Config("none:app", host="127.0.0.1", port=0, log_config=None))
    with listening, socket.create_connection(listening.getsockname()[:2]):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_no_connection_is_closed_before_its_client_would_close_it() -> None:
    """Otherwise a request can be on its way meanwhile: the client then has a read error."""
    config = configuration(FastAPI(), Place("127.0.0.1", 0))
    assert config.timeout_keep_alive > max(IDLE.values())
