"""The board on the trial's progress."""

from __future__ import annotations

from grafana.boards import board, look
from grafana.boards.board import Board, Row
from grafana.boards.panels import AnyPanel, Size, TableColumn, Words, bars, figure, grid, note
from grafana.queries import trial_progress as queries

UID = "trial-progress"

_FIRST = """**Read first:** how many subjects are in, and do they stay (top row)? Then safety: which
organ classes are affected more often than under control? Numbers are those of the newest run's
summary. Groups of few subjects are not shown, nor is what would disclose them; a panel is empty
where the study's data lack the information."""
_NO_SUMMARY = "No run of this study has a summary with this yet, or its data lack it"
_SHARE = TableColumn(unit=look.SHARE, decimals=1)
_BAR = TableColumn(unit=look.SHARE, decimals=1, bar=True, width=220)
_COUNT = TableColumn(unit=look.COUNT)
_NUMBER = TableColumn(decimals=1)
_HALF = Size(12, 9)


def trial_progress() -> Board:
    """The board."""
    return Board(
        uid=UID,
        title="Trial progress",
        description="What a trial coordinator follows: enrolment, disposition, safety, endpoints.",
        variables=[board.study(), board.parameter()],
        lead=[
            note(_FIRST, Size(18, 4)),
            figure(
                Words(
                    "How many subjects are enrolled?",
                    "Subjects in the newest run's data.",
                    _NO_SUMMARY,
                ),
                queries.SUBJECTS_ENROLLED,
                Size(6, 4),
                look.COUNT,
            ),
        ],
        rows=[
            Row("Enrolment and disposition", _subjects()),
            Row("Safety", _safety()),
            Row("Endpoint and completeness", _endpoint()),
        ],
    )


def _subjects() -> list[AnyPanel]:
    return [
        bars(
            Words(
                "Does enrolment keep its pace?",
                "Subjects by month, and their sum until then. Months of few subjects are counted "
                "with the next.",
                _NO_SUMMARY,
            ),
            queries.ENROLMENT_BY_MONTH,
            _HALF,
            "month",
            look.COUNT,
        ),
        bars(
            Words(
                "Which sites enrol?",
                "The 30 sites with most subjects; small ones are not shown by themselves.",
                _NO_SUMMARY,
            ),
            queries.ENROLMENT_BY_SITE,
            _HALF,
            "site",
            look.COUNT,
            lying=True,
        ),
        grid(
            Words(
                "Do subjects stay to the end?",
                "Share of each arm's subjects who completed the trial, with its 95 % interval.",
                _NO_SUMMARY,
            ),
            queries.COMPLETION,
            Size(8, 8),
            {"completed": _BAR, "lower": _SHARE, "upper": _SHARE, "subjects": _COUNT},
        ),
        bars(
            Words(
                "Why do they leave?",
                "Share of each arm's subjects by how their participation ended.",
                _NO_SUMMARY,
            ),
            queries.REASONS,
            Size(8, 8),
            "reason",
            look.SHARE,
            by=("arm", "share"),
            lying=True,
        ),
        grid(
            Words(
                "How much treatment did they get?",
                "Exposure by arm, of subjects who were treated.",
                _NO_SUMMARY,
            ),
            queries.DURATIONS,
            Size(8, 8),
            {"value": _NUMBER, "lower": _NUMBER, "upper": _NUMBER, "subjects": _COUNT},
        ),
    ]


def _safety() -> list[AnyPanel]:
    return [
        grid(
            Words(
                "Which adverse events are more frequent than under control?",
                "Difference of the share of subjects with at least one treatment-emergent event, "
                "with its 95 % interval, not adjusted for the number of comparisons.",
                _NO_SUMMARY,
            ),
            queries.RISK_DIFFERENCES,
            Size(24, 10),
            {
                "lower": _SHARE,
                "difference": TableColumn(unit=look.SHARE, decimals=1),
                "upper": _SHARE,
                "subjects": _COUNT,
            },
            coloured=("finding",),
        ),
        bars(
            Words(
                "Which organ classes are affected?",
                "Share of each arm's treated subjects with at least one event.",
                _NO_SUMMARY,
            ),
            queries.EVENTS,
            Size(12, 12),
            "organ_class",
            look.SHARE,
            by=("arm", "share"),
            lying=True,
        ),
        grid(
            Words(
                "How severe are they?",
                "Share of each arm's treated subjects with at least one event of this severity; "
                "the 60 largest.",
                _NO_SUMMARY,
            ),
            queries.SEVERITIES,
            Size(12, 12),
            {"share": _BAR, "lower": _SHARE, "upper": _SHARE, "subjects": _COUNT},
        ),
    ]


def _endpoint() -> list[AnyPanel]:
    return [
        bars(
            Words(
                "How does the endpoint go, by arm? ($parameter)",
                "Mean by visit, visits in time. The table beside it has the intervals.",
                _NO_SUMMARY,
            ),
            queries.ENDPOINTS,
            Size(12, 10),
            "visit",
            look.SCORE,
            1,
            by=("arm", "mean"),
        ),
        grid(
            Words(
                "How sure are these means? ($parameter)",
                "Mean with the ends of its 95 % interval. Observed values, not "
                "adjusted for dropout.",
                _NO_SUMMARY,
            ),
            queries.ENDPOINT_INTERVALS,
            Size(12, 10),
            {"lower": _NUMBER, "mean": _NUMBER, "upper": _NUMBER, "subjects": _COUNT},
        ),
        grid(
            Words(
                "Where are data missing?",
                "Share of expected values that are present, the 30 least complete first.",
                _NO_SUMMARY,
            ),
            queries.LEAST_COMPLETE,
            Size(24, 9),
            {
                "complete": TableColumn(unit=look.SHARE, decimals=1, steps=look.STEPS_COMPLETE),
            },
        ),
    ]
