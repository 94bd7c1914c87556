"""Panels of the board on what is in service that show what Monitor found by period."""

from __future__ import annotations

from grafana.boards import board, look
from grafana.boards.panels import AnyPanel, Size, TableColumn, Words, figure, grid, lines
from grafana.queries import in_service as queries
from grafana.queries.query import Query

_NOT_MONITORED = "The predictions of this study have not been monitored yet: trial monitor"
_NO_OUTCOMES = "No outcome of a predicted subject is known yet: trial outcomes"
_FIGURE = Size(4, 4)
_HALF = Size(12, 8)
_SCORE = TableColumn(decimals=3)
_COUNT = TableColumn(unit=look.COUNT)


def figures() -> list[AnyPanel]:
    """Alarms, and how long ago they were computed."""
    return [
        figure(
            Words(
                "How many alarms have fired?",
                "Of all alarms on performance and drift together one in twenty fires within a year "
                "though nothing has changed.",
                _NOT_MONITORED,
            ),
            queries.FIRED,
            _FIGURE,
            look.COUNT,
            steps=look.STEPS_NONE,
        ),
        figure(
            Words(
                "How long since predictions were monitored?",
                "Since the newest run of trial monitor.",
                _NOT_MONITORED,
            ),
            queries.SINCE_MONITORED,
            _FIGURE,
            look.DAYS,
            1,
            look.STEPS_DATA,
        ),
    ]


def outcomes() -> list[AnyPanel]:
    """Alarms and performance by period."""
    return [
        grid(
            Words(
                "Which alarms have fired, and since when?",
                "All alarms of the champion after the newest complete week. An alarm that has "
                "fired stays so until another model is the champion.",
                _NOT_MONITORED,
            ),
            queries.ALARMS,
            Size(24, 8),
            {
                "reason": TableColumn(width=600),
                "evidence": TableColumn(decimals=1),
                "boundary": TableColumn(decimals=1),
            },
            coloured=("state",),
        ),
        _by_period(
            "Does the champion separate as expected?",
            "AUC by period of the prediction: expected from its probabilities, observed with its "
            "95 % interval, and that of its evaluation.",
            queries.AUC,
            3,
        ),
        _by_period(
            "Are its predictions as close as expected?",
            "Brier score likewise; smaller is better.",
            queries.BRIER,
            3,
        ),
        lines(
            Words(
                "Do predictions match what happens?",
                "Mean prediction of all subjects, and the observed rate of those whose outcome is "
                "known with its 95 % interval; censored subjects are weighted for.",
                _NOT_MONITORED,
            ),
            queries.RISKS,
            _HALF,
            look.SHARE,
            1,
            from_zero=True,
        ),
        _by_period(
            "Are probabilities too high or too low?",
            "Calibration in the large: log odds that observed outcomes lie above the predictions, "
            "with the 95 % interval; 0 is ideal.",
            queries.CALIBRATION_IN_THE_LARGE,
            2,
        ),
        _by_period(
            "Are probabilities too extreme?",
            "Calibration slope with its 95 % interval: 1 is ideal, below it they are too extreme.",
            queries.CALIBRATION_SLOPE,
            2,
        ),
        lines(
            Words(
                "How many subjects are predicted, and of how many is the outcome known?",
                "By period of the prediction, in multiples of five.",
                _NOT_MONITORED,
            ),
            queries.NUMBERS,
            _HALF,
            look.COUNT,
            0,
            from_zero=True,
        ),
        lines(
            Words(
                "How late are outcomes?",
                "Median days from a prediction until its outcome was known, by period of the "
                "prediction. What is not known yet is not in it: newest periods look too fast.",
                _NO_OUTCOMES,
            ),
            queries.DELAYS,
            _HALF,
            look.DAYS,
            0,
            from_zero=True,
        ),
        grid(
            Words(
                "Does the champion do worse in a group?",
                "Newest period in which the group is large enough, with 95 % intervals and the "
                "value of its evaluation.",
                "No group of a period is large enough to show",
            ),
            queries.GROUPS,
            _HALF,
            dict.fromkeys(("lower", "value", "upper", "reference"), _SCORE) | {"subjects": _COUNT},
        ),
        grid(
            Words(
                "Is a challenger better on the same subjects?",
                "Challenger minus champion, paired by subject, with the ends of the 95 % interval.",
                "No challenger has predicted the champion's subjects",
            ),
            queries.CHALLENGERS,
            Size(24, 8),
            {
                "model": TableColumn(link=board.to_models("model")),
                **dict.fromkeys(("lower", "difference", "upper"), _SCORE),
                "subjects": _COUNT,
            },
        ),
    ]


def _by_period(title: str, description: str, query: Query, decimals: int) -> AnyPanel:
    return lines(Words(title, description, _NO_OUTCOMES), query, _HALF, look.SCORE, decimals)


def drift() -> list[AnyPanel]:
    """Distances from training by period."""
    return [
        lines(
            Words(
                "Do inputs and risks drift from training?",
                "Distance of a period's subjects from the training data, in multiples of what "
                "chance alone exceeds for any of them in one of 20 periods; the 8 that moved most.",
                _NOT_MONITORED,
            ),
            queries.DRIFT,
            Size(24, 9),
            decimals=2,
            steps=look.STEPS_BOUNDARY,
            from_zero=True,
        ),
    ]
