"""The board on registered models."""

from __future__ import annotations

from grafana.boards import board, look
from grafana.boards.board import Board, Row
from grafana.boards.panels import AnyPanel, Size, TableColumn, Words, figure, grid, note
from grafana.boards.prometheus_panels import listed
from grafana.queries import registry as queries
from grafana.queries import service_metrics as metrics
from grafana.queries.alerts import MODEL_QUALITY, MODELS

UID = MODELS

_FIRST = """**Read first:** which model is the champion, since when, and is it what services answer
with? Then: which candidates wait, and who decided what, and why. The registry decides
(`trial models`); each run that registers a model and each decision adds to these tables."""
_NO_MODEL = "No model of this study has been registered yet"
_FIGURE = Size(8, 4)
_TO_RUN = {
    "title": "How good it is",
    "url": f"/d/{MODEL_QUALITY}?${{study:queryparam}}&var-run=${{__value.raw}}"
    "&${__url_time_range}",
}


def models() -> Board:
    """The board."""
    return Board(
        uid=UID,
        title="Models",
        description="Which models are registered, which is served, and who decided it.",
        variables=[board.study(), board.registered()],
        lead=[note(_FIRST, Size(24, 3)), *_figures(), _models(), _served()],
        rows=[
            Row("Decisions", [_champions()]),
            Row("Model $registered", [_decisions()]),
        ],
    )


def _figures() -> list[AnyPanel]:
    return [
        figure(
            Words("Which model is the champion?", "By the registry.", _NO_MODEL),
            queries.CHAMPION,
            _FIGURE,
        ),
        figure(
            Words(
                "How long is it the champion?",
                "Since the champion last changed: by a run, a person, a rollback, or a retirement.",
                _NO_MODEL,
            ),
            queries.SINCE_CHANGE,
            _FIGURE,
            look.DAYS,
            1,
        ),
        figure(
            Words(
                "How many newer models wait?",
                "Candidates that were registered after the champion became it.",
                _NO_MODEL,
            ),
            queries.CANDIDATES,
            _FIGURE,
            look.COUNT,
        ),
    ]


def _models() -> AnyPanel:
    return grid(
        Words(
            "Which models are registered, and in which stage?",
            "The champion, then the others, the one whose stage changed last first. A former "
            "champion is a candidate: it can be promoted again. Click a run to see how good its "
            "model is, a model to see what was decided on it.",
            _NO_MODEL,
        ),
        queries.MODELS,
        Size(24, 9),
        {
            "model": TableColumn(link=board.to_models("model"), width=180),
            "run": TableColumn(link=_TO_RUN, width=220),
            "not_promoted": TableColumn("why not promoted", width=500),
        },
        coloured=("stage", "verdict"),
    )


def _served() -> AnyPanel:
    return listed(
        Words(
            "Who is served what?",
            "Each process of the service with the model that it answers with, by Prometheus.",
            "Prometheus reads no service of this study",
        ),
        metrics.SERVED,
        Size(24, 6),
        {
            "instance": TableColumn(),
            "id": TableColumn("Model", link=board.to_models("id")),
            "version": TableColumn(),
        },
    )


def _champions() -> AnyPanel:
    return grid(
        Words(
            "Which model was the champion when, and who decided it?",
            "Each change of the champion, the newest first.",
            _NO_MODEL,
        ),
        queries.CHAMPIONS,
        Size(24, 9),
        {
            "champion": TableColumn(link=board.to_models("champion"), width=180),
            "reason": TableColumn(width=600),
        },
    )


def _decisions() -> AnyPanel:
    return grid(
        Words(
            "What was decided on model $registered?",
            "All entries of the audit trail about it, the newest first.",
            _NO_MODEL,
        ),
        queries.DECISIONS,
        Size(24, 8),
        {
            "reason": TableColumn(width=500),
            "not_promoted": TableColumn("why not promoted", width=400),
        },
    )
