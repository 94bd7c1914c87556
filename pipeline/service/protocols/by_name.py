"""`/predict`: one subject's columns by name, and an answer that explains itself."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request

from pipeline.service.answers import answer, arms_of
from pipeline.service.bodies import JsonAnswer, flag_of, read_json
from pipeline.service.given import GivenColumns, columns_of_rows
from pipeline.service.problems import malformed
from pipeline.service.service import Service

SUBJECT = "subject"
CONTRIBUTIONS = "contributions"
ARMS = "arms"


def by_name_router(service: Service) -> APIRouter:
    """The endpoint `/predict`."""
    router = APIRouter(dependencies=[Depends(service.requires("predict"))])

    @router.post("/predict", summary="Predict one subject", tags=["prediction"])
    async def predict(request: Request) -> JsonAnswer:
        body = read_json(await request.body())
        subject, explains = _subject(body), flag_of(body, CONTRIBUTIONS)
        shows_arms, champion = flag_of(body, ARMS), service.champion
        found = await service.predict_recorded(champion, subject, explains)
        content = answer(found, 0, explains)
        if shows_arms:
            content[ARMS] = arms_of(await service.predict_arms(champion, subject))
        return JsonAnswer(content, headers={"Cache-Control": "no-store"})

    return router


def _subject(body: dict[str, Any]) -> GivenColumns:
    if not set(body) <= {SUBJECT, CONTRIBUTIONS, ARMS}:
        raise malformed(f"Expected the keys `{SUBJECT}`, `{CONTRIBUTIONS}` and `{ARMS}` alone.")
    found = body.get(SUBJECT)
    if not isinstance(found, dict):
        raise malformed(f"Expected `{SUBJECT}` as an object with the subject's columns.")
    return columns_of_rows([found])
