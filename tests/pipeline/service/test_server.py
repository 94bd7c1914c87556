"""The socket that the service listens on."""

from __future__ import annotations

import socket

import uvicorn

from pipeline.service.server import listen


def test_an_answer_is_sent_without_waiting_for_an_acknowledgement() -> None:
    listening = listen(uvicorn.Config("none:app", host="127.0.0.1", port=0, log_config=None))
    with listening, socket.create_connection(listening.getsockname()[:2]):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
