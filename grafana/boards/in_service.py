"""The board on what is in service: Prometheus' numbers of now, and what Monitor found by period."""

from __future__ import annotations

from grafana import limits
from grafana.boards import board, look, monitored
from grafana.boards.board import Board, Row
from grafana.boards.panels import AnyPanel, Size, TableColumn, Words, note
from grafana.boards.prometheus_panels import listed, now, over_time
from grafana.queries import service_metrics as metrics
from grafana.queries.alerts import IN_SERVICE

UID = IN_SERVICE

_FIRST = """**Read first:** does a service answer, and without errors (top row)? Has an alarm
fired, and does the champion do as it was expected to? What is at the top is of this moment, by
Prometheus; what is below "Outcomes" is of complete periods, by `trial monitor`, and comes as late
as outcomes do.
Expected performance follows from the predicted probabilities alone: it assumes that a risk means
what it meant in training, and sees no change of that."""
_NO_SERVICE = "Prometheus reads no service of this study"
_NO_REQUESTS = "No request within the last minutes"
_NO_PREDICTIONS = "No prediction within the last hour"
_NO_LOG = "The service writes to no prediction log"
_NO_SHADOW = "No challenger is asked beside the champion"
_FIGURE = Size(4, 4)
_HALF = Size(12, 8)
_THIRD = Size(8, 8)


def in_service() -> Board:
    """The board."""
    return Board(
        uid=UID,
        title="In service",
        description="Whether the prediction service answers, with which model, and how well that "
        "predicts now.",
        variables=[board.study(), board.task()],
        lead=[note(_FIRST, Size(24, 4)), *_figures(), *monitored.figures()],
        rows=[
            Row("Service", _service()),
            Row("Predictions", _predictions()),
            Row("Outcomes", monitored.outcomes()),
            Row("Drift", monitored.drift()),
        ],
    )


def _figures() -> list[AnyPanel]:
    return [
        now(
            Words("How many services answer?", "Processes that Prometheus can read.", _NO_SERVICE),
            metrics.INSTANCES,
            _FIGURE,
            look.COUNT,
            steps=look.STEPS_SOME,
        ),
        now(
            Words(
                "How many requests a second?",
                "Of clients, over five minutes; liveness, readiness and metrics are left out.",
                _NO_REQUESTS,
            ),
            metrics.RATE,
            _FIGURE,
            look.PER_SECOND,
            2,
        ),
        now(
            Words(
                "How many end with an error?",
                "Share of requests with an error of the service, over five minutes; what it "
                f"refuses is none. An alert is raised above {limits.ERRORS:.0%}.",
                _NO_REQUESTS,
            ),
            metrics.ERROR_SHARE,
            _FIGURE,
            look.SHARE,
            1,
            look.STEPS_ERRORS,
        ),
        now(
            Words(
                "How slow is one prediction of 100?",
                "99 of 100 requests for predictions were answered within it, over five minutes. An "
                f"alert is raised above {limits.SECONDS_OF_A_REQUEST:g} s.",
                _NO_REQUESTS,
            ),
            metrics.SLOWEST_SECONDS,
            _FIGURE,
            look.SECONDS,
            3,
            look.STEPS_SLOW,
        ),
    ]


def _service() -> list[AnyPanel]:
    return [
        listed(
            Words(
                "Which model is served where?",
                "Each process with the model that it serves. Click a model to see where it comes "
                "from.",
                _NO_SERVICE,
            ),
            metrics.SERVED,
            _HALF,
            {
                "instance": TableColumn(),
                "id": TableColumn("Model", link=board.to_models("id")),
                "version": TableColumn(),
            },
        ),
        listed(
            Words(
                "Which alerts are raised?",
                "By Prometheus' rules. What each means and what to do is in docs/operations.md.",
                "None",
            ),
            metrics.ALERTS,
            _HALF,
            {
                "severity": TableColumn(width=100),
                "alertname": TableColumn("Alert"),
                "instance": TableColumn(),
                "flag": TableColumn(),
            },
        ),
        over_time(
            Words("How are requests answered?", "Requests a second by status.", _NO_REQUESTS),
            (metrics.REQUESTS_BY_STATUS,),
            _THIRD,
            look.PER_SECOND,
        ),
        over_time(
            Words("What is asked for?", "Requests a second by endpoint.", _NO_REQUESTS),
            (metrics.REQUESTS_BY_ENDPOINT,),
            _THIRD,
            look.PER_SECOND,
        ),
        over_time(
            Words(
                "How fast are predictions?",
                "Seconds within which half, 95 and 99 of 100 requests for predictions were "
                "answered; the dashed line is where the alert is raised.",
                _NO_REQUESTS,
            ),
            metrics.LATENCIES,
            _THIRD,
            look.SECONDS,
            3,
            look.STEPS_SLOW,
        ),
    ]


def _predictions() -> list[AnyPanel]:
    return [
        over_time(
            Words(
                "Which flags do subjects have?",
                "Share of the hour's subjects with each flag, and of the week before.",
                _NO_PREDICTIONS,
            ),
            (metrics.FLAGGED_SHARE, metrics.USUALLY_FLAGGED_SHARE),
            _HALF,
            look.SHARE,
            1,
        ),
        over_time(
            Words(
                "How high are predicted risks?",
                "Mean of the hour's predictions by task and version of the model.",
                _NO_PREDICTIONS,
            ),
            (metrics.MEAN_RISK,),
            _HALF,
            look.SHARE,
            1,
        ),
        over_time(
            Words(
                "Do predictions reach the log?",
                "Subjects of an hour that were written or lost, and those that wait.",
                _NO_LOG,
            ),
            (metrics.LOGGED, metrics.WAITING),
            _THIRD,
            look.COUNT,
            0,
        ),
        over_time(
            Words(
                "Does a challenger see the requests?",
                "Requests of an hour that a challenger was to see, by their outcome.",
                _NO_SHADOW,
            ),
            (metrics.SHADOWED,),
            _THIRD,
            look.COUNT,
            0,
        ),
        over_time(
            Words(
                "How far is the challenger from the champion?",
                "Median of its probability minus the champion's of the same subject, of an hour.",
                _NO_SHADOW,
            ),
            (metrics.SHADOW_DIFFERENCE,),
            _THIRD,
            look.SHARE,
            1,
        ),
    ]
