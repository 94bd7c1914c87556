"""Runs the service on uvicorn until it is stopped."""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.predictions.open_log import open_log
from pipeline.runs.registry import Registry
from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from pipeline.service.gate import Limits
from pipeline.service.memory import give_back
from pipeline.service.recorder import Recorder
from pipeline.service.tokens import read_tokens

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

logger = logging.getLogger(__name__)

_SECONDS_TO_FINISH = 30
_SECONDS_IDLE = 620
"""How long a connection is kept that has no request: longer than by clients and proxies, of which
some have 600 s. Else it is closed while a request is on its way: the client has a read error."""
_SECONDS_OF_A_THREAD = 0.0005
"""How long a thread runs Python before another one may: those of the model and of the connections
wait for each other, by Python's own choice for 5 ms, which is longer than a request takes."""


@dataclass(frozen=True)
class Place:
    """Where and how a service listens.

    Attributes:
        host: Address that it listens on.
        port: Port; 0 takes a free one.
        tokens: File of the accepted tokens; None accepts all requests.
        certificate: File of the TLS certificate chain; None for plain HTTP.
        key: File of its private key.
        most_bytes: Largest body of a request.
        seconds: Seconds between two looks at the registry.
        most_requests: Requests a second of a client; 0 for any number.
        shadow: Registered model that sees the same requests, see `Shadow`; none where empty.
        prediction_log: Address of the prediction log; empty for none.
    """

    host: str
    port: int
    tokens: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    most_bytes: int = Limits.most_bytes
    seconds: float = 5.0
    most_requests: int = Limits.most_requests
    shadow: str = ""
    prediction_log: str = ""


def configuration(app: ASGIApp, place: Place) -> uvicorn.Config:
    """How uvicorn runs the service.

    Args:
        app: The application.
        place: Where and how it listens.
    """
    import uvicorn

    from pipeline.service.connections import Connection

    return uvicorn.Config(
        app,
        host=place.host,
        port=place.port,
        # A client may put values into the address of a request.
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        timeout_keep_alive=_SECONDS_IDLE,
        http=Connection,
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
    )


def listen(config: uvicorn.Config) -> socket.socket:
    """A socket that listens at the address of a configuration.

    Raises:
        UserError: The address can't be used.
    """
    try:
        listening = config.bind_socket()
    except SystemExit:  # uvicorn's way to say so
        raise UserError(
            f"{config.host}:{config.port}: the address can't be listened on. Name another one "
            "(--host, --port)."
        ) from None
    # Connections inherit it. Otherwise the body of an answer waits 40 ms until the client has
    # acknowledged the head: asyncio does this for sockets alone that it makes itself.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Who reads the address may call it at once.
    listening.listen(config.backlog)
    return listening


def _import_tensorflow() -> None:
    """Imports TensorFlow without Keras, and gives back what only that needed.

    TensorFlow imports Keras to register what a SavedModel needs not. Keras imports what it finds of
    other libraries too: leaving it out saves memory and seconds.
    """
    sys.modules.setdefault("keras", None)  # type: ignore[arg-type]
    import tensorflow as tf

    # Handing the small operations of such a model to other threads takes longer than they do.
    # Where TensorFlow was used before, its threads stay as they are.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    # Before a model is loaded: the highest memory of the process is that of one of the two.
    give_back()


def serve(registry: str, study: str, place: Place) -> None:
    """Serves the champion of a study; returns when the process is asked to stop.

    Requests that have begun are answered before it ends.

    Args:
        registry: Root of the registry.
        study: Name of the study.
        place: Where and how it listens.

    Raises:
        UserError: There is no champion that may be served, the port can't be used, or the address
            of the prediction log is none.
    """
    import uvicorn

    tokens = read_tokens(place.tokens)
    log = open_log(place.prediction_log) if place.prediction_log else None
    if (place.certificate is None) != (place.key is None):
        raise UserError("TLS needs both --certificate and --key.")
    _import_tensorflow()
    follower = Follower(Registry(registry), study)
    champion = follower.served.champion
    assert champion is not None
    limits = Limits(most_bytes=place.most_bytes, most_requests=place.most_requests)
    recorder = Recorder(log, study) if log else None
    app = create_app(follower, tokens, limits, place.seconds, place.shadow, recorder)
    config = configuration(app, place)
    sys.setswitchinterval(_SECONDS_OF_A_THREAD)
    # What was made until now stays. A full collection looks through all else, during a request.
    gc.collect()
    gc.freeze()
    give_back()
    listening = listen(config)
    scheme = "https" if place.certificate else "http"
    logger.info(
        "Serves %s, version %d (%s), at %s://%s:%d; stop it with Ctrl+C.",
        *(study, champion.version, champion.entry.id, scheme),
        *listening.getsockname()[:2],
    )
    if not tokens.scopes:
        logger.info("Without --tokens every request is answered.")
    if log:
        logger.info("Predictions are added to the prediction log, those of the page are not.")
    uvicorn.Server(config).run([listening])
