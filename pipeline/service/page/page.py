"""`/` and `/card`: what people open in a browser. Nothing that is entered is kept anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from jinja2 import Template
from starlette.requests import Request
from starlette.responses import HTMLResponse

from pipeline.html.page import style, templates_of
from pipeline.pages.conduct import unblinded_banner
from pipeline.service.about import about
from pipeline.service.answers import answer, arms_of
from pipeline.service.champion import Champion
from pipeline.service.given import columns_of_rows
from pipeline.service.page.form import TOKEN, columns_of, fields_of, read_form
from pipeline.service.page.words import (
    arm_words,
    flag_words,
    group_words,
    unjudged_words,
    unknown_words,
    words_of,
)
from pipeline.service.problems import ProblemError, not_found
from pipeline.service.service import Service
from pipeline.service.validation import InputProblem, InvalidRowsError

_CARD_PAGE = "card.html"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}


def page_router(service: Service) -> APIRouter:
    """The page, and the card that it links to: both are for people, and open without a token."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def form() -> HTMLResponse:
        return _page(service, service.champion, {})

    @router.post("/")
    async def predict(request: Request) -> HTMLResponse:
        champion, given = service.champion, read_form(await request.body())
        token = given.pop(TOKEN, "")
        try:
            service.tokens.require(token.strip(), "predict")
        except ProblemError as problem:
            return _page(service, champion, given, refusal=problem)
        try:
            subject = columns_of_rows([columns_of(champion.inputs, given)])
            found = await service.predict(champion, subject, explains=True)
            arms = arms_of(await service.predict_arms(champion, subject)) if champion.arms else []
        except InvalidRowsError as error:
            return _page(service, champion, given, problems=error.problems)
        content = answer(found, 0, explains=True) | {"arms": arms}
        return _page(service, champion, given, answer=content)

    @router.get("/card")
    async def card() -> HTMLResponse:
        content = service.champion.documents.get(_CARD_PAGE)
        if content is None:
            raise not_found("The registry has no page of this model's card.")
        return HTMLResponse(content, headers=_HEADERS)

    return router


def _page(
    service: Service,
    champion: Champion,
    given: Mapping[str, str],
    *,
    problems: tuple[InputProblem, ...] = (),
    refusal: ProblemError | None = None,
    answer: Mapping[str, Any] | None = None,
) -> HTMLResponse:
    described = about(champion)
    coverage = champion.uncertainty.coverage if champion.uncertainty else None
    shown = {column.name for column in champion.inputs.all}
    text = _template().render(
        about=described,
        unjudged=unjudged_words(described["not_judged_in"]),
        banner=unblinded_banner(champion.study),
        fields=fields_of(champion.inputs, given, problems),
        problems=problems,
        others=[problem for problem in problems if problem.column not in shown],
        refusal=refusal.detail if refusal else "",
        token=TOKEN if service.tokens.scopes else "",
        answer=answer,
        words=words_of(answer, coverage) if answer else (),
        flags=flag_words(answer["flags"], champion.inputs.titles) if answer else (),
        arms=arm_words(answer["arms"]) if answer else (),
        unknown=unknown_words(answer["not_told"]) if answer else (),
        groups=group_words(answer["groups"]) if answer and champion.model.slicings else "",
        titles=champion.inputs.titles,
        has_card=_CARD_PAGE in champion.documents,
        style=style(),
    )
    status = refusal.status if refusal else HTTPStatus.OK
    if problems:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return HTMLResponse(text, int(status), headers=_HEADERS)


@lru_cache(maxsize=1)
def _template() -> Template:
    return templates_of("pipeline.service.page").get_template("service.html")
