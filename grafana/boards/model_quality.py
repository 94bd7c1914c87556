"""The board on model quality."""

from __future__ import annotations

from grafana.boards import board, external_validation, look, references
from grafana.boards.board import Board, Row
from grafana.boards.panels import (
    AnyPanel,
    Size,
    TableColumn,
    Words,
    curve,
    figure,
    grid,
    heat_map,
    lines,
    note,
)
from grafana.queries import model_quality as queries
from grafana.queries.alerts import MODEL_QUALITY
from pipeline.metrics import METRICS

UID = MODEL_QUALITY

_HALF = Size(12, 8)
_FIGURE = Size(6, 4)
_FIRST = """**Read first:** was the newest model blessed, and how does it perform on all subjects
evaluated (top row): those of the test split or, out of fold, every subject by models that never saw
it? Then: did it get worse over runs, and does it perform worse in any group
of patients? Bands are 95 % intervals: two numbers whose bands overlap are not shown to differ.
Choose a run in the history at the bottom to see its groups. `challenger` is the run's own model,
`champion` the current champion on the same subjects."""
_NO_MODEL = "No run of this study has evaluated a model yet"
_NO_CHAMPION = "No champion has been evaluated beside a challenger yet: that takes a second run"
_NO_INTERVALS = "This run has no intervals for this task: too few subjects to calibrate them on"
_NO_GROUPS = "The study file names no groups, or all are too small to show"
_TO_RUN = {
    "title": "The groups of this run",
    "url": f"/d/{UID}?${{study:queryparam}}&${{task:queryparam}}&${{metric:queryparam}}"
    "&${slicing:queryparam}&var-run=${__value.raw}&${__url_time_range}",
}
_SCORE = TableColumn(decimals=3)
_RATE = TableColumn(unit=look.SHARE, decimals=1)


def model_quality() -> Board:
    """The board."""
    return Board(
        uid=UID,
        title="Model quality",
        description="How good a study's models are, over runs and in each group of patients.",
        variables=[
            board.study(),
            board.task(),
            board.metric(),
            board.decision(),
            board.slicing(),
            board.model(),
            board.run(),
        ],
        lead=[note(_FIRST, Size(24, 3)), *_figures(), _overview(), *references.panels()],
        rows=[
            Row("Over runs", _over_runs()),
            Row("Groups of patients in run $run", _groups()),
            Row("History", [_history()]),
            Row("External validation", external_validation.validations()),
        ],
    )


def _figures() -> list[AnyPanel]:
    return [
        figure(
            Words(
                "Is the newest model blessed?",
                "Whether the newest model meets what its study demands of each task, as the "
                "Evaluator recorded it. A model that is blessed for some tasks serves these alone. "
                "The history below has the reasons.",
                _NO_MODEL,
            ),
            queries.VERDICT,
            _FIGURE,
        ),
        figure(
            Words("How well does it rank? (AUC)", METRICS["auc"].says, _NO_MODEL),
            queries.LAST_AUC,
            _FIGURE,
            decimals=3,
        ),
        figure(
            Words(
                "How far are its probabilities off?",
                f"Calibration error. {METRICS['expected_calibration_error'].says}",
                _NO_MODEL,
            ),
            queries.LAST_ERROR,
            _FIGURE,
            look.SHARE,
            1,
        ),
        figure(
            Words(
                "Are its probabilities too extreme?",
                f"Calibration slope. {METRICS['calibration_slope'].says}",
                _NO_MODEL,
            ),
            queries.LAST_SLOPE,
            _FIGURE,
            decimals=2,
        ),
    ]


def _overview() -> AnyPanel:
    return grid(
        Words(
            "How good is run $run at each task?",
            "All subjects evaluated whose label is known; the history below says whether they are "
            "those of the test split or, out of fold, all subjects. PR AUC and Brier score depend "
            "on how frequent the outcome is: compare them within a task only.",
            _NO_MODEL,
        ),
        queries.OVERVIEW,
        Size(24, 6),
        {
            "subjects": TableColumn(unit=look.COUNT),
            "positives": TableColumn(unit=look.COUNT),
            "auc": TableColumn("AUC", decimals=3),
            "auc_lower": TableColumn("from", decimals=3),
            "auc_upper": TableColumn("to", decimals=3),
            "pr_auc": TableColumn("PR AUC", decimals=3),
            "observed_rate": _RATE,
            "brier": TableColumn(decimals=4),
            "calibration_slope": TableColumn(decimals=2),
            "calibration_error": _RATE,
        },
        coloured=("verdict",),
    )


def _over_runs() -> list[AnyPanel]:
    asked = (
        ("Does the ranking hold?", "auc", queries.AUC),
        ("Does it still find the rare ones?", "pr_auc", queries.PR_AUC),
        ("Do its probabilities get closer to the truth?", "brier", queries.BRIER),
        ("Do its probabilities stay of the right size?", "calibration_slope", queries.SLOPE),
    )
    panels = [
        lines(
            Words(
                f"{question} ({METRICS[name].title})",
                f"{METRICS[name].says} Band: 95 % interval of the challenger; dashed: the "
                "study's threshold.",
                _NO_MODEL,
            ),
            query,
            _HALF,
            decimals=3 if name != "calibration_slope" else 2,
        )
        for question, name, query in asked
    ]
    panels.append(
        lines(
            Words(
                "How does the chosen metric go? ($metric)",
                "The metric chosen above, of all subjects, with its 95 % interval.",
                _NO_MODEL,
            ),
            queries.CHOSEN,
            _HALF,
            decimals=3,
        )
    )
    panels.append(
        lines(
            Words(
                "Is the challenger better than the champion? ($metric)",
                "Challenger minus champion on the same subjects, with its 95 % interval. Where the "
                "band includes 0 no difference is shown. Of an error such as the Brier score, less "
                "is better.",
                _NO_CHAMPION,
            ),
            queries.DIFFERENCE,
            _HALF,
            decimals=3,
        )
    )
    return panels


def _groups() -> list[AnyPanel]:
    return [
        grid(
            Words(
                "Does the model serve every group? ($metric by ${slicing:text})",
                "Each group's number with the ends of its 95 % interval, and what the Evaluator "
                "recorded: whether it `passes` or `fails` the study's thresholds. Small groups "
                "are named but not shown, nor is what would disclose them; of runs of version "
                "0.1.0 the outcome is not recorded.",
                _NO_GROUPS,
            ),
            queries.SLICES,
            Size(12, 9),
            {
                "lower": _SCORE,
                "value": TableColumn(decimals=3, bar=True, width=220),
                "upper": _SCORE,
                "subjects": TableColumn(unit=look.COUNT),
                "positives": TableColumn(unit=look.COUNT),
                "at_least": TableColumn(decimals=2),
                "at_most": TableColumn(decimals=2),
            },
            coloured=("verdict",),
        ),
        heat_map(
            Words(
                "Where is it weak, over all tasks? ($metric by ${slicing:text})",
                "A row per group, a column per task; darker cells are greater. A metric of "
                "decisions is shown at each task's lowest decision threshold.",
                _NO_GROUPS,
            ),
            queries.GROUPS_BY_TASK,
            Size(12, 9),
            "group",
            "task",
            "value",
        ),
        lines(
            Words(
                "Do groups drift apart? ($metric by ${slicing:text})",
                "Largest difference between two groups, and what is left of it beyond their 95 % "
                "intervals. The first is never 0, since small groups scatter; an alert looks at "
                "the second, where it was not as large when the model was blessed.",
                _NO_GROUPS,
            ),
            queries.GAPS,
            _HALF,
            decimals=3,
            steps=look.STEPS_GAP,
            from_zero=True,
        ),
        curve(
            Words(
                "Do predicted risks come true? ($model)",
                "Observed share of subjects with the outcome by predicted probability, with 95 % "
                "intervals; on the dashed line both are equal.",
                _NO_MODEL,
            ),
            queries.CALIBRATION,
            _HALF,
            "predicted",
            look.SHARE,
        ),
        curve(
            Words(
                "What is gained by leaving the least certain to people? (${task:text})",
                "Brier score of the subjects kept, by the share left to people: those with the "
                "widest intervals. Less is better: a line that does not fall gains nothing. The "
                "outcome may be rarer or more frequent among those kept: predicting their rate for "
                "each of them reaches the dashed line.",
                _NO_INTERVALS,
            ),
            queries.REFERRAL,
            _HALF,
            "referred",
            look.SCORE,
            3,
        ),
        grid(
            Words(
                "Which groups lie furthest apart?",
                "Largest differences of a rate between two groups in this run. Without regard to "
                "their intervals: look at the groups themselves before concluding.",
                _NO_GROUPS,
            ),
            queries.GAPS_OF_RUN,
            _HALF,
            {"gap": _RATE, "lowest": _RATE, "highest": _RATE},
        ),
        external_validation.between_groups(),
    ]


def _history() -> AnyPanel:
    return grid(
        Words(
            "Which models were blessed, and why not the others?",
            "A line for each reason. Click a run to see its groups above.",
            _NO_MODEL,
        ),
        queries.BLESSINGS,
        Size(24, 10),
        {"run": TableColumn(link=_TO_RUN, width=220), "reason": TableColumn(width=700)},
        coloured=("verdict", "task_verdict"),
    )
