"""What all protocols share: the served model, who may ask, and what is counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pipeline.service.answers import Predicted, explanations, predict
from pipeline.service.batches import Batches
from pipeline.service.champion import Champion
from pipeline.service.follower import Follower
from pipeline.service.given import GivenColumns, columns_of_rows
from pipeline.service.problems import malformed, no_model, not_found
from pipeline.service.pseudonyms import without_pseudonyms
from pipeline.service.recorder import Recorder
from pipeline.service.shadow import Shadow
from pipeline.service.subject_columns import columns_of_arm
from pipeline.service.telemetry import Telemetry
from pipeline.service.tokens import Scope, Tokens, bearer

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """A running service.

    Attributes:
        follower: What is served.
        tokens: Who may ask.
        telemetry: What is counted.
        seconds: Seconds between two looks at the registry.
        shadow: The challenger that sees the same requests; None for none.
        recorder: Adds predictions for clients to the prediction log; None without one.
        batches: Calls the model.
    """

    follower: Follower
    tokens: Tokens
    telemetry: Telemetry
    seconds: float
    shadow: Shadow | None = None
    recorder: Recorder | None = None
    batches: Batches = field(default_factory=Batches)

    @property
    def champion(self) -> Champion:
        """The model that a request which begins now is answered with.

        Raises:
            ProblemError: There is none.
        """
        champion = self.follower.served.champion
        if champion is None:
            raise no_model("The study has no champion: its model was withdrawn.")
        return champion

    def named(self, request: Request) -> Champion:
        """The model, if it is the one that the path of a request names.

        Raises:
            ProblemError: It has another name or another version.
        """
        champion = self.champion
        model, version = request.path_params["model"], request.path_params.get("version")
        if model != champion.study.study:
            raise not_found(f"This service serves the model {champion.study.study} alone.")
        if version is not None and version != str(champion.version):
            raise not_found(f"Version {champion.version} is served now, and no other one.")
        return champion

    async def predict_recorded(
        self,
        champion: Champion,
        given: GivenColumns,
        explains: bool = False,
    ) -> Predicted:
        """Predicts subjects for a client of a protocol, and adds them to the prediction log.

        Raises:
            InvalidRowsError: Something is wrong with a column, or with a pseudonym.
        """
        given, pseudonyms = without_pseudonyms(given)
        found = await self.predict(champion, given, explains)
        if self.recorder:
            self.recorder.see(found, pseudonyms)
        return found

    async def predict(
        self,
        champion: Champion,
        given: GivenColumns,
        explains: bool = False,
    ) -> Predicted:
        """Predicts subjects, together with those that ask at the same time, and counts them.

        Nothing of them is kept: the page promises so.

        Raises:
            InvalidRowsError: Something is wrong with a column.
        """
        found = await self.batches.predict(champion, given)
        if explains:
            explained = await run_in_threadpool(explanations, champion, found.checked)
            found = replace(found, contributions=explained)
        self.telemetry.note_predictions(found)
        if self.shadow:
            self.shadow.see(found, given)
        return found

    async def predict_arms(self, champion: Champion, subject: GivenColumns) -> Predicted:
        """Predicts a subject under each arm of a randomised trial; these are not counted.

        Args:
            champion: The model.
            subject: Columns of the subject.

        Returns:
            A row for each of the champion's arms.

        Raises:
            ProblemError: The arms are not shown side by side.
        """
        if not champion.arms:
            raise malformed(
                "The arms are not shown side by side: the study file does not say that the trial "
                "is randomised (`analysis.randomised`), or has no two arms that may be shown."
            )
        subject, _ = without_pseudonyms(subject)
        arms = columns_of_rows([columns_of_arm(champion.study, arm) or {} for arm in champion.arms])
        repeated = {name: [*values] * arms.rows for name, values in subject.values.items()}
        given = GivenColumns(arms.rows, {**repeated, **arms.values})
        return await run_in_threadpool(predict, champion, given)

    def route_for(self, scope: Scope) -> type[APIRoute]:
        """Routes whose endpoints take the request alone, which has a token of a scope.

        FastAPI's own handling of a route, with what it offers besides, takes longer than the rest
        of a small request.
        """
        check = self.requires(scope)

        class Direct(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                endpoint = self.endpoint

                async def handle(request: Request) -> Response:
                    await check(request)
                    found: Response = await endpoint(request)
                    return found

                return handle

        return Direct

    def requires(self, scope: Scope) -> Callable[[Request], Awaitable[None]]:
        """A dependency that lets requests with a token of a scope pass."""

        async def check(request: Request) -> None:
            self.tokens.require(bearer(request), scope)

        return check

    async def watch(self) -> None:
        """Looks at the registry again and again; ends only when it is cancelled."""
        if self.shadow:
            await run_in_threadpool(self.shadow.look)
        while True:
            await asyncio.sleep(self.seconds)
            await run_in_threadpool(self.follower.look)
            if self.shadow:
                await run_in_threadpool(self.shadow.look)
