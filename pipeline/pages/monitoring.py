"""The page of a monitoring: alarms, performance, drift and use by period; no single subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.estimates import Estimate
from pipeline.html.blocks import Block, Cell, Column, Details, Facts, Notice, Paragraph, Table
from pipeline.html.charts import Line, Measure, line_chart
from pipeline.html.numbers import Suppressed, Value, with_minus
from pipeline.html.page import Page, Section
from pipeline.monitoring.expected import ASSUMES
from pipeline.results.monitoring import (
    DriftKind,
    MonitoredAlarm,
    MonitoredDrift,
    MonitoredMetric,
    MonitoredValue,
    Monitoring,
)
from pipeline.titles import title_or_name

_METRICS: dict[MonitoredMetric, tuple[str, bool]] = {
    "scored": ("Subjects predicted", False),
    "flagged": ("Flagged", True),
    "mean_prediction": ("Mean prediction", True),
    "expected_auc": ("Expected AUC", False),
    "auc": ("AUC", False),
    "expected_brier": ("Expected Brier score", False),
    "brier": ("Brier score", False),
    "calibration_in_the_large": ("Mean prediction − observed rate", True),
    "calibration_slope": ("Calibration slope", False),
    "known": ("Subjects with a known outcome", False),
    "observed_rate": ("Observed rate", True),
    "days_to_outcome": ("Median days to the outcome", False),
}
_USE: tuple[MonitoredMetric, ...] = ("scored", "flagged", "mean_prediction")
_OUTCOMES: tuple[MonitoredMetric, ...] = (
    *("known", "days_to_outcome", "observed_rate", "auc", "brier"),
    *("calibration_in_the_large", "calibration_slope"),
)
_EXPECTED: tuple[MonitoredMetric, ...] = ("expected_auc", "expected_brier")
_PAIRS: tuple[MonitoredMetric, ...] = ("auc", "brier")
KINDS: dict[DriftKind, str] = {
    "values": "distribution of the values",
    "missing": "share without a value",
    "outside": "share beyond the range of training",
    "risk": "distribution of the predicted risk",
}
"""What a distance is of, for people."""

WATCHED = {
    "calibration": "Calibration",
    "auc": "AUC",
    "drift": "Values",
    "missing": "Missing values",
    "risk_drift": "Predicted risk",
}
"""What an alarm watches, for people."""

_STATES = {"fired": "fired", "quiet": "quiet", "not_judged": "not judged yet"}
NOTHING_YET = "No period with enough subjects is complete yet."
"""What stands in place of numbers of a log that is too new."""


def monitoring_page(monitoring: Monitoring, title: str, code_version: str) -> Page:
    """Builds the page.

    Args:
        monitoring: What was found.
        title: Title of the study.
        code_version: Version of the project.
    """
    fired = [with_minus(alarm.reason) for alarm in monitoring.fired]
    beyond = monitoring.outside_training
    notices: list[Block] = []
    if fired:
        notices.append(Notice("bad", f"Alarms: {len(fired)}", "", fired))
    if beyond:
        notices.append(
            Notice(
                "warn",
                "Inputs leave the range of training",
                "What the model predicts beyond it was never checked: the expected performance may "
                "be far off.",
                [_feature(monitoring, name) for name in beyond],
            )
        )
    return Page(
        title=title,
        kicker="Monitoring of a model in service",
        lead=_lead(monitoring),
        blocks=notices,
        sections=[
            Section("Alarms", _alarms(monitoring), id="alarms"),
            *_tasks(monitoring),
            Section("Drift", _drift(monitoring), id="drift"),
            Section("About this page", _about(monitoring, code_version), id="about"),
        ],
        footer="A prediction is no diagnosis, and this is no medical device.",
    )


def _lead(monitoring: Monitoring) -> str:
    periods = len(monitoring.periods)
    shown = f"{periods} {monitoring.period}{'' if periods == 1 else 's'}" if periods else ""
    what = f"Its predictions of {shown} are here." if shown else NOTHING_YET
    outcomes = "" if monitoring.outcomes_until else " No outcome is known yet."
    return f"The model {monitoring.model.id} is the champion. {what}{outcomes}"


def _feature(monitoring: Monitoring, name: str) -> str:
    return next((item.about for item in monitoring.drift if item.feature == name), name)


def _task(monitoring: Monitoring, task: str) -> str:
    return title_or_name(task, monitoring.task_titles.get(task))


def _about_alarm(monitoring: Monitoring, alarm: MonitoredAlarm) -> str:
    if alarm.feature:
        return title_or_name(alarm.feature, alarm.title)
    return _task(monitoring, alarm.task)


def _alarms(monitoring: Monitoring) -> list[Block]:
    if not monitoring.alarms:
        return [Paragraph("Nothing is watched: the registry keeps no evaluation of the model.")]
    note = (
        "All alarms together fire in about one year of twenty in which nothing changes, though "
        "they look every week."
    )
    # There are two of each feature: what did not fire would push all that follows off the screen.
    folded = [alarm for alarm in monitoring.alarms if alarm.feature and not alarm.fired]
    shown = [alarm for alarm in monitoring.alarms if alarm.fired or not alarm.feature]
    blocks: list[Block] = []
    if shown:
        shown.sort(key=lambda of: not of.fired)
        blocks.append(_alarm_table("What is watched", monitoring, shown, [note]))
    else:
        blocks.append(Paragraph(note))
    if folded:
        table = _alarm_table("Features without an alarm", monitoring, folded)
        blocks.append(Details(f"{len(folded)} more of features, none of which fired", [table]))
    return blocks


def _alarm_table(
    caption: str,
    monitoring: Monitoring,
    alarms: Sequence[MonitoredAlarm],
    notes: Sequence[str] = (),
) -> Table:
    columns = (
        *(Column("Watched"), Column("Of"), Column("State"), Column("Since the week of")),
        *(Column("Evidence", "end", 1), Column("Boundary", "end", 1), Column("Found")),
    )
    rows: list[Sequence[Value | Cell]] = [
        [
            WATCHED[alarm.kind],
            _about_alarm(monitoring, alarm),
            Cell(_STATES[alarm.state], "bad" if alarm.fired else "neutral"),
            alarm.since.isoformat() if alarm.since else "",
            alarm.evidence,
            alarm.boundary,
            with_minus(alarm.reason),
        ]
        for alarm in alarms
    ]
    return Table(caption, columns, rows, notes)


def _tasks(monitoring: Monitoring) -> Iterator[Section]:
    for task in dict.fromkeys(value.task for value in monitoring.values):
        own = [value for value in monitoring.values if value.task == task]
        yield Section(
            _task(monitoring, task),
            [
                *_chart(monitoring, task),
                _table("Use by period", monitoring, own, _USE),
                _table(
                    "Performance to be expected, before outcomes are known",
                    monitoring,
                    own,
                    _EXPECTED,
                    ASSUMES,
                ),
                *_observed(monitoring, own),
                *_groups(monitoring, own),
            ],
            id=f"task-{task}",
        )


def _observed(monitoring: Monitoring, own: Sequence[MonitoredValue]) -> Iterator[Block]:
    if not any(value.metric == "known" for value in own):
        yield Paragraph("No outcomes of enough subjects are known yet.")
        return
    yield _table(
        "Once outcomes are known",
        monitoring,
        own,
        _OUTCOMES,
        "Beside it stands what the evaluation found before the model was registered.",
    )
    pairs = [value for value in own if value.role == "difference"]
    if pairs:
        yield Table(
            "A challenger in shadow minus the champion, on the same subjects",
            (Column("Period"), Column("Model"), Column("Metric"), Column("Difference", "end")),
            [
                [
                    value.period_start.isoformat(),
                    value.model,
                    _METRICS[value.metric][0],
                    value.estimate,
                ]
                for value in pairs
            ],
        )


def _table(
    caption: str,
    monitoring: Monitoring,
    own: Sequence[MonitoredValue],
    metrics: Sequence[MonitoredMetric],
    *notes: str,
) -> Table:
    """Values of all subjects by period, a column a metric; those of the evaluation come first."""
    whole = [value for value in own if value.role == "champion" and not value.slice]
    found = {(value.period_start, value.metric): value for value in whole}
    known = {value.metric: value.reference_estimate for value in whole}
    rows: list[Sequence[Value | Cell]] = [
        [start.isoformat(), *(_shown(found.get((start, metric))) for metric in metrics)]
        for start in sorted({value.period_start for value in whole})
    ]
    references = [known.get(metric, Estimate()) for metric in metrics]
    if any(item.value is not None for item in references):
        first = [item if item.value is not None else "" for item in references]
        rows = [["Evaluation", *first], *rows]
    columns = [
        Column(title, "end", 1 if percent else 3, percent)
        for title, percent in (_METRICS[metric] for metric in metrics)
    ]
    return Table(caption, (Column(monitoring.period.capitalize()), *columns), rows, notes)


def _shown(value: MonitoredValue | None) -> Value:
    if value is None:
        return ""
    whole = value.metric in ("scored", "known", "days_to_outcome")
    return round(value.value) if whole else value.estimate


def _groups(monitoring: Monitoring, own: Sequence[MonitoredValue]) -> Iterator[Block]:
    """Groups in the newest period that shows some."""
    of_groups = [value for value in own if value.slice and value.role == "champion"]
    newest = max((value.period_start for value in of_groups), default=None)
    hidden = [item for item in monitoring.suppressed if item.slice and item.period_start == newest]
    if newest is None:
        return
    yield Table(
        f"Groups of the {monitoring.period} from {newest.isoformat()}",
        (Column("Group"), Column("Metric"), Column("Value", "end")),
        [
            [value.group_text, _METRICS[value.metric][0], _shown(value)]
            for value in of_groups
            if value.period_start == newest
        ],
        [f"Groups of fewer than {monitoring.smallest_group} subjects are not shown."]
        if hidden
        else [],
    )


def _chart(monitoring: Monitoring, task: str) -> Iterator[Block]:
    """The AUC by period: what was expected, and what was observed."""
    starts = monitoring.periods
    lines = []
    for name, metric in (("expected", "expected_auc"), ("observed", "auc")):
        found = {
            value.period_start: value.estimate
            for value in monitoring.series(task, "auc" if metric == "auc" else "expected_auc")
        }
        if found:
            lines.append(Line(name, [found.get(start) for start in starts]))
    if len(starts) > 1 and lines:
        yield line_chart(
            lines, [start.isoformat() for start in starts], Measure("AUC"), f"AUC. {ASSUMES}"
        )


def _drift(monitoring: Monitoring) -> list[Block]:
    starts = sorted({item.period_start for item in monitoring.drift})
    if not starts:
        return [
            Paragraph(
                f"Fewer than {monitoring.smallest_group} subjects of a complete period are not "
                "compared with training."
            )
        ]
    newest = [item for item in monitoring.drift if item.period_start == starts[-1]]
    rows = [_drift_row(monitoring, item) for item in sorted(newest, key=lambda of: not of.beyond)]
    note = (
        "A distance lies beyond its boundary if chance explains it in at most 5 % of such periods, "
        "for all distances of the period together. Distances of distributions are Jensen-Shannon "
        "divergences in bits."
    )
    columns = (
        *(Column("Feature or task"), Column("Compared")),
        *(Column("Distance", "end", 3), Column("Boundary", "end", 4)),
    )
    caption = f"The {monitoring.period} from {starts[-1].isoformat()} beside training"
    return [Table(caption, columns, rows, [note])]


def _drift_row(monitoring: Monitoring, item: MonitoredDrift) -> Sequence[Value | Cell]:
    about = item.about if item.feature else _task(monitoring, item.task)
    distance = Cell(item.distance, "warn") if item.beyond else item.distance
    return [about, KINDS[item.kind], distance, item.boundary]


def _about(monitoring: Monitoring, code_version: str) -> list[Block]:
    model = monitoring.model
    return [
        Paragraph(
            "A period is shown once it is complete. What is shown of outcomes grows by the "
            "smallest group of subjects or more; numbers of subjects are multiples of five."
        ),
        Facts(
            (
                ("Model", f"{model.id} of the study {model.study}"),
                ("Registered", model.registered_at),
                ("Models in shadow", ", ".join(monitoring.challengers) or "none"),
                ("As of", monitoring.as_of.isoformat(timespec="seconds")),
                ("Version of the pipeline", code_version),
                ("Smallest group shown", Suppressed(monitoring.smallest_group).fewer_than),
            )
        ),
    ]
