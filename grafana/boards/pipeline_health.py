"""The board on the pipeline's health."""

from __future__ import annotations

from grafana.boards import board, look
from grafana.boards.board import Board, Row
from grafana.boards.panels import AnyPanel, Size, TableColumn, Words, figure, grid, lines, note
from grafana.queries import pipeline_health as queries
from grafana.queries.alerts import MODEL_QUALITY, PIPELINE_HEALTH

UID = PIPELINE_HEALTH

_FIRST = """**Read first:** did the last run finish, and how old are data and model (top row)? Then:
does the data gate have objections, are rows rejected, do distributions drift? Time and memory are
at the bottom; stages taken from the cache are excluded."""
_NO_RUN = "No run of this study yet"
_NO_STAGES = "No run has executed a stage yet: all were taken from the cache"
_SECONDS = TableColumn(unit=look.SECONDS, decimals=1)
_MEMORY = TableColumn(unit=look.MEMORY, decimals=0)
_COUNT = TableColumn(unit=look.COUNT)
_FIGURE = Size(5, 4)
_HALF = Size(12, 9)
_TO_RUN = {
    "title": "The model of this run",
    "url": f"/d/{MODEL_QUALITY}?${{study:queryparam}}&var-run=${{__value.raw}}"
    "&${__url_time_range}",
}


def pipeline_health() -> Board:
    """The board."""
    return Board(
        uid=UID,
        title="Pipeline health",
        description="Whether runs finish, on which data, at what cost.",
        variables=[board.study()],
        lead=[note(_FIRST, Size(24, 3)), *_figures()],
        rows=[
            Row("Runs", [_runs()]),
            Row("Data", _data()),
            Row("Time and memory", _costs()),
        ],
    )


def _figures() -> list[AnyPanel]:
    return [
        figure(
            Words("Did the last run succeed?", "How the newest run ended.", _NO_RUN),
            queries.LAST_OUTCOME,
            Size(4, 4),
        ),
        figure(
            Words(
                "How many runs failed?",
                "Failed runs in the time range, including those that were resumed.",
                _NO_RUN,
            ),
            queries.FAILURES,
            _FIGURE,
            look.COUNT,
            steps=look.STEPS_NONE,
        ),
        figure(
            Words(
                "How long since a run succeeded?",
                "Since the end of the last run that finished.",
                "No run has finished yet",
            ),
            queries.SINCE_SUCCESS,
            _FIGURE,
            look.DAYS,
            1,
            look.STEPS_SILENCE,
        ),
        figure(
            Words(
                "How old are the newest data?",
                "Since the newest file of the newest run's data was changed.",
                "The data's location provides no modification time",
            ),
            queries.AGE_OF_DATA,
            _FIGURE,
            look.DAYS,
            1,
            look.STEPS_DATA,
        ),
        figure(
            Words(
                "How old is the blessed model?",
                "Since the start of the run that trained the current champion.",
                "No model has been blessed yet",
            ),
            queries.AGE_OF_MODEL,
            _FIGURE,
            look.DAYS,
            1,
            look.STEPS_MODEL,
        ),
    ]


def _runs() -> AnyPanel:
    return grid(
        Words(
            "Which runs ended how, and why?",
            "The 50 newest, also those that are running; of a resumed run the newest outcome. "
            "Click a run to see its model.",
            _NO_RUN,
        ),
        queries.RUNS,
        Size(24, 9),
        {
            "run": TableColumn(link=_TO_RUN, width=220),
            "reason": TableColumn(width=500),
            "seconds": _SECONDS,
            "memory": _MEMORY,
        },
        coloured=("status",),
    )


def _data() -> list[AnyPanel]:
    return [
        grid(
            Words(
                "What does the data gate report?",
                "What the gate measured in the newest run, objections first.",
                "No run has reached the data gate yet",
            ),
            queries.FINDINGS,
            Size(24, 9),
            {
                "value": TableColumn(decimals=3, width=90),
                "limit": TableColumn(decimals=3, width=90),
                "message": TableColumn(width=800),
            },
            coloured=("severity",),
        ),
        lines(
            Words(
                "Do distributions drift?",
                "Distance of a feature's distribution from that of the champion's run, as the data "
                "gate measured it, with the study's limit; the 8 that moved most.",
                "Drift is measured once the study has a champion",
            ),
            queries.DRIFT,
            _HALF,
            from_zero=True,
        ),
        lines(
            Words(
                "Are more rows rejected?",
                "Share of each dataset's rows that could not be used, as the data gate measured "
                "it, with the study's limit.",
                _NO_RUN,
            ),
            queries.REJECTED,
            _HALF,
            look.SHARE,
            1,
            from_zero=True,
        ),
        grid(
            Words(
                "Which rows were used?",
                "Rows of the newest run that counted them: excluded by the study file, or "
                "rejected since a value in them is impossible.",
                _NO_RUN,
            ),
            queries.ROWS,
            Size(24, 7),
            {
                "rows_in": _COUNT,
                "used": _COUNT,
                "excluded": _COUNT,
                "rejected": _COUNT,
                "rejected_share": TableColumn(unit=look.SHARE, decimals=2),
            },
        ),
    ]


def _costs() -> list[AnyPanel]:
    return [
        lines(
            Words("Where does the time go?", "Wall time of each stage.", _NO_STAGES),
            queries.STAGE_SECONDS,
            _HALF,
            look.SECONDS,
            0,
            from_zero=True,
        ),
        lines(
            Words(
                "Does memory grow?",
                "Largest resident memory of the process during each stage. On one machine all "
                "stages share a process, whose memory does not shrink again.",
                _NO_STAGES,
            ),
            queries.STAGE_MEMORY,
            _HALF,
            look.MEMORY,
            0,
            from_zero=True,
        ),
        grid(
            Words(
                "What did the newest run's stages cost?",
                "In the order in which they ran.",
                _NO_STAGES,
            ),
            queries.STAGES,
            Size(24, 10),
            {
                "seconds": _SECONDS,
                "memory": _MEMORY,
                "error": TableColumn(width=700),
            },
            coloured=("status",),
        ),
    ]
