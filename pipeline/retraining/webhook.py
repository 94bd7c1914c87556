"""The webhook that Grafana's contact point calls: an alert asks for a retraining.

The alert only asks. What decides is the newest monitoring with the study's rules, as for a person:
an alert that is wrong, or repeated, starts nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import FastAPI, Request
from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from pipeline.errors import UserError
from pipeline.results.trail import Actor
from pipeline.retraining.policy import Decision, Situation
from pipeline.retraining.record import Asked, ask, foresee, note_failed_start
from pipeline.retraining.start import Start
from pipeline.service.problems import ProblemError, malformed
from pipeline.service.server import Place, configuration
from pipeline.service.server import listen as listen_at
from pipeline.service.tokens import Tokens, bearer, read_tokens
from pipeline.study.study import Study

logger = logging.getLogger(__name__)

_MOST_BYTES = 2**20
_MOST_ALERTS = 1_000


class Alert(BaseModel):
    """An alert of Grafana's, as its webhook sends it; what else it has is not read.

    Attributes:
        status: Whether it holds.
        fingerprint: Identifies rule and labels.
        startsAt: When it began.
        labels: Its labels; `study` names the study.
    """

    status: Literal["firing", "resolved"]
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]
    startsAt: AwareDatetime  # noqa: N815 (Grafana's name)
    labels: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The same whenever it is sent again, another when it comes back after it was over."""
        return f"{self.fingerprint}@{self.startsAt.astimezone(UTC).isoformat()}"


class Notification(BaseModel):
    """What Grafana's webhook sends.

    Attributes:
        alerts: The alerts of a group.
    """

    alerts: Annotated[tuple[Alert, ...], Field(max_length=_MOST_ALERTS)]


@dataclass(frozen=True)
class Retraining:
    """What a webhook retrains, and how.

    Attributes:
        registry: Root of the registry.
        study: The study.
        actor: Account of the process.
        start: Starts a run.
        look: What is known at a moment.
    """

    registry: str
    study: Study
    actor: Actor
    start: Start
    look: Callable[[datetime], Situation]

    def ask(self, alerts: tuple[str, ...] = ()) -> tuple[Decision, str]:
        """Decides, records it, and starts a run where it is to.

        Args:
            alerts: Names of the alerts that ask.

        Returns:
            The decision, and what was started; empty for nothing.

        Raises:
            UserError: Something can't be read, or the run can't be started.
        """
        decision = self.decided(alerts)
        if not decision.retrain:
            return decision, ""
        try:
            return decision, self.start()
        except UserError as error:
            note_failed_start(self.registry, self.study, Asked(self.actor, alerts), str(error))
            raise

    def decided(self, alerts: tuple[str, ...] = ()) -> Decision:
        """Decides and records it; the caller starts the run."""
        return ask(self.registry, self.study, Asked(self.actor, alerts), self._known())

    def decision(self) -> Decision:
        """What would be decided now; nothing is recorded."""
        return foresee(self.registry, self.study, self._known())

    def _known(self) -> Situation:
        known = self.look(datetime.now(UTC))
        return known if known.running else replace(known, running=self.start.running)


def create_app(retraining: Retraining, tokens: Tokens) -> FastAPI:
    """Makes the application.

    Args:
        retraining: What it retrains.
        tokens: Accepted tokens; `admin` is needed.

    Raises:
        UserError: There is no token.
    """
    if not tokens.scopes:
        raise UserError("The webhook starts runs: name the accepted tokens (--tokens FILE).")
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    one_at_a_time = asyncio.Lock()

    @app.exception_handler(ProblemError)
    async def problem(_: Request, error: ProblemError) -> Response:
        return error.response()

    @app.get("/health")
    async def health() -> Response:
        return JSONResponse({"study": retraining.study.study})

    @app.post("/retrain")
    async def retrain(request: Request) -> Response:
        tokens.require(bearer(request), "admin")
        alerts = _firing(await _body(request), retraining.study.study)
        if not alerts:
            return _answer(Decision(False, ("No alert on this study is firing.",)), "")
        async with one_at_a_time:
            try:
                decision, started = await run_in_threadpool(retraining.ask, alerts)
            except UserError as error:
                logger.error("%s", error)
                raise _unavailable() from None
        (logger.warning if decision.is_for_people else logger.info)(
            "%s %s", f"Started the run {started}." if started else "No retraining.", decision.text
        )
        return _answer(decision, started)

    return app


def listen(retraining: Retraining, place: Place) -> None:
    """Answers alerts until the process is asked to stop.

    Args:
        retraining: What it retrains.
        place: Where and how it listens.

    Raises:
        UserError: There is no token, or the address can't be listened on.
    """
    import uvicorn

    if (place.certificate is None) != (place.key is None):
        raise UserError("TLS needs both --certificate and --key.")
    config = configuration(create_app(retraining, read_tokens(place.tokens)), place)
    listening = listen_at(config)
    host, port = listening.getsockname()[:2]
    scheme = "https" if place.certificate else "http"
    logger.info(
        "Alerts on %s are answered at %s://%s:%d/retrain; stop it with Ctrl+C.",
        *(retraining.study.study, scheme, host, port),
    )
    uvicorn.Server(config).run([listening])


def _answer(decision: Decision, started: str) -> Response:
    status = HTTPStatus.ACCEPTED if decision.retrain else HTTPStatus.OK
    content = {
        "retrain": decision.retrain,
        "reasons": list(decision.reasons),
        "is_for_people": decision.is_for_people,
        "run": started,
    }
    return JSONResponse(content, int(status))


async def _body(request: Request) -> bytes:
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > _MOST_BYTES:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too-large",
                f"A notification has at most {_MOST_BYTES} bytes.",
                headers={"Connection": "close"},
            )
        parts.append(part)
    return b"".join(parts)


def _firing(body: bytes, study: str) -> tuple[str, ...]:
    """Names of the alerts on a study that hold; one without a study is on every one."""
    try:
        found = Notification.model_validate_json(body)
    except ValidationError:
        raise malformed("Expected what Grafana's webhook sends: JSON with `alerts`.") from None
    names = {
        alert.name
        for alert in found.alerts
        if alert.status == "firing" and alert.labels.get("study", study) == study
    }
    return tuple(sorted(names))


def _unavailable() -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        "It can't be decided, or the run can't be started, now; the log says why.",
    )
