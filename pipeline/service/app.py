"""The application: all endpoints, one form of errors, and the registry followed beside them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.observability.requests import request_spans
from pipeline.service.follower import Follower
from pipeline.service.gate import Gate, Limits
from pipeline.service.openapi import openapi_document
from pipeline.service.page.page import page_router
from pipeline.service.problems import ProblemError, invalid_rows, malformed
from pipeline.service.protocols.by_name import by_name_router
from pipeline.service.protocols.open_inference import health_router, open_inference_router
from pipeline.service.protocols.tensorflow_serving import tensorflow_serving_router
from pipeline.service.rates import Rates
from pipeline.service.recorder import Recorder
from pipeline.service.service import Service
from pipeline.service.shadow import Shadow
from pipeline.service.telemetry import Telemetry
from pipeline.service.tokens import Tokens
from pipeline.service.validation import InvalidRowsError

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def create_app(
    follower: Follower,
    tokens: Tokens | None = None,
    limits: Limits | None = None,
    seconds: float = 5.0,
    shadow: str = "",
    recorder: Recorder | None = None,
) -> FastAPI:
    """Makes the application of a service.

    Args:
        follower: What is served.
        tokens: Who may ask; all, by default.
        limits: Limits of a request.
        seconds: Seconds between two looks at the registry.
        shadow: Registered model that sees the same requests, see `Shadow`; none where empty.
        recorder: Adds predictions to the prediction log, and is closed at the end; None for none.

    Raises:
        UserError: No registration has the id of the shadow, or the address of a receiver of
            traces is none.
    """
    telemetry, tokens, limits = Telemetry(follower), tokens or Tokens({}), limits or Limits()
    beside = Shadow(follower.registry, follower.study, shadow, telemetry) if shadow else None
    if recorder:
        telemetry.add(recorder)
    service = Service(follower, tokens, telemetry, seconds, beside, recorder)
    spans = request_spans()

    @contextlib.asynccontextmanager
    async def follow(app: FastAPI) -> AsyncIterator[None]:
        app.state.watch = asyncio.create_task(service.watch())
        yield
        app.state.watch.cancel()
        # One that has ended with a fault does not keep the rest from ending.
        await asyncio.wait([app.state.watch])
        if beside:
            beside.close()
        if recorder:
            await run_in_threadpool(recorder.close)
        if spans:
            await run_in_threadpool(spans.close)

    app = FastAPI(lifespan=follow, openapi_url=None, docs_url=None, redoc_url=None)
    rates = Rates(limits.most_requests, tokens)
    app.add_middleware(Gate, telemetry=telemetry, limits=limits, rates=rates, spans=spans)
    _report_problems(app)
    # Paths are tried in this order: those of clients that ask most often come first.
    for router in (
        open_inference_router(service),
        tensorflow_serving_router(service),
        by_name_router(service),
        page_router(service),
        health_router(service),
    ):
        app.include_router(router)
    _add_descriptions(app, service)
    return app


def _add_descriptions(app: FastAPI, service: Service) -> None:
    """The endpoints for machines that look after the service or call it."""

    @app.get(
        "/openapi.json",
        include_in_schema=False,
        dependencies=[Depends(service.requires("predict"))],
    )
    async def openapi() -> JSONResponse:
        return JSONResponse(openapi_document(app, service.champion))

    @app.get(
        "/metrics",
        summary="What Prometheus reads",
        tags=["operation"],
        dependencies=[Depends(service.requires("admin"))],
    )
    async def metrics() -> Response:
        return Response(service.telemetry.text(), media_type=_PROMETHEUS)


def _report_problems(app: FastAPI) -> None:
    @app.exception_handler(ProblemError)
    async def problem(_: Request, error: ProblemError) -> Response:
        return error.response()

    @app.exception_handler(InvalidRowsError)
    async def rows(_: Request, error: InvalidRowsError) -> Response:
        return invalid_rows(error).response()

    @app.exception_handler(RequestValidationError)
    async def request(_: Request, error: RequestValidationError) -> Response:
        del error  # It quotes what was sent.
        return malformed("The request is not of the form that OpenAPI describes.").response()

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        headers: dict[str, Any] = dict(error.headers or {})
        kind = status.phrase.lower().replace(" ", "-")
        return ProblemError(status, kind, f"{status.phrase}.", headers=headers).response()
