"""The trial's progress on the page."""

from __future__ import annotations

from collections.abc import Sequence

from grafana.page.study_store import MOST_COMPARED, StudyStore, estimate, first_seen
from grafana.queries import trial_progress as queries
from grafana.queries import variables
from grafana.queries.query import Row
from pipeline.estimates import Estimate
from pipeline.html import charts
from pipeline.html.blocks import (
    Block,
    Column,
    Details,
    Grid,
    KeyFigure,
    KeyFigures,
    Notice,
    Table,
)
from pipeline.html.page import Section

_MOST_SITES = 15
_MOST_CLASSES = 25


def progress_section(store: StudyStore) -> Section:
    """Enrolment, disposition, safety and endpoints, for a trial coordinator."""
    blocks = [
        *_key_figures(store),
        *_enrolment(store),
        *_disposition(store),
        *_safety(store),
        *_endpoints(store),
        *_completeness(store),
    ]
    if not blocks:
        blocks = [
            Notice(
                "muted",
                "No summary yet",
                "No run of this study has exported a summary of the trial's progress.",
            )
        ]
    return Section("Trial progress", blocks)


def _key_figures(store: StudyStore) -> list[Block]:
    enrolled = store.one(queries.SUBJECTS_ENROLLED)
    if enrolled is None or enrolled["subjects"] is None:
        return []
    figures = [KeyFigure("Subjects enrolled", round(enrolled["subjects"]))]
    figures += [
        KeyFigure(f"Completed, {row['arm']}", row["completed"], decimals=1, percent=True)
        for row in store.ask(queries.COMPLETION)
    ]
    return [KeyFigures(figures)]


def _enrolment(store: StudyStore) -> list[Block]:
    blocks: list[Block] = []
    months = store.ask(queries.ENROLMENT_BY_MONTH)
    if months:
        blocks.append(
            charts.line_chart(
                [charts.Line("subjects", [Estimate(row["until then"]) for row in months])],
                [row["month"] for row in months],
                charts.Measure("subjects", 0),
                "Does enrolment keep its pace? Subjects until the end of each month; months of few "
                "subjects are excluded.",
            )
        )
    sites = store.ask(queries.ENROLMENT_BY_SITE)[:_MOST_SITES]
    if sites:
        blocks.append(
            charts.bar_chart(
                [charts.Bar(row["site"], Estimate(row["subjects"])) for row in sites],
                charts.Measure("subjects", 0),
                "Which sites enrol? Those with most subjects.",
            )
        )
    return blocks


def _disposition(store: StudyStore) -> list[Block]:
    blocks: list[Block] = []
    reasons = store.ask(queries.REASONS)
    if reasons:
        blocks.append(_by_arm(reasons, "Why do subjects leave?", "reason", "share"))
    durations = store.ask(queries.DURATIONS)
    if durations:
        blocks.append(
            Table(
                "How much treatment did they get?",
                (
                    Column("Arm"),
                    Column("What"),
                    Column("Measure"),
                    Column("Value", "end", 1),
                    Column("Subjects", "end"),
                ),
                [
                    (
                        row["arm"],
                        row["parameter"],
                        row["measure"],
                        row["value"] if row["lower"] is None else estimate(row),
                        row["subjects"],
                    )
                    for row in durations
                ],
            )
        )
    return blocks


def _by_arm(rows: Sequence[Row], caption: str, line: str, value: str) -> Table:
    """A table with a line for each of something and a column for each arm."""
    arms = first_seen(row["arm"] for row in rows)
    found = {(row[line], row["arm"]): row[value] for row in rows}
    return Table(
        caption,
        (
            Column(line.replace("_", " ").capitalize()),
            *(Column(arm, "end", 1, percent=True) for arm in arms),
        ),
        [
            (name, *(found.get((name, arm)) for arm in arms))
            for name in first_seen(row[line] for row in rows)
        ],
    )


def _safety(store: StudyStore) -> list[Block]:
    blocks: list[Block] = []
    differences = store.ask(queries.RISK_DIFFERENCES)[:_MOST_CLASSES]
    if differences:
        arms = first_seen(row["arm"] or "" for row in differences)
        rows: list[charts.ForestRow | str] = []
        for arm in arms:
            rows.append(arm or "treated")
            rows += [
                charts.ForestRow(row["organ_class"], estimate(row, "difference"), row["subjects"])
                for row in differences
                if (row["arm"] or "") == arm
            ]
        blocks.append(
            charts.forest_plot(
                rows,
                charts.Measure("difference of shares to control", 1, percent=True),
                "Which adverse events are more frequent than under control? Intervals are not "
                "adjusted for the number of comparisons.",
                reference=0.0,
            )
        )
    events = store.ask(queries.EVENTS)
    if events:
        title = "Which organ classes are affected? Share of subjects with an event"
        table = _by_arm(events, title, "organ_class", "share")
        blocks.append(table)
    severities = store.ask(queries.SEVERITIES)
    if severities:
        blocks.append(
            Details(
                "How severe are they?",
                (
                    Table(
                        "Share of subjects with an event of this severity",
                        (
                            Column("Organ class"),
                            Column("Severity"),
                            Column("Arm"),
                            Column("Share", "end", 1, percent=True),
                            Column("Subjects", "end"),
                        ),
                        [
                            (
                                row["organ_class"],
                                row["severity"],
                                row["arm"],
                                estimate(row, "share"),
                                row["subjects"],
                            )
                            for row in severities
                        ],
                    ),
                ),
            )
        )
    return blocks


def _endpoints(store: StudyStore) -> list[Block]:
    figures: list[Block] = []
    for parameter in store.values(variables.PARAMETERS):
        rows = [
            row
            for row in store.ask(queries.ENDPOINT_INTERVALS, parameter=parameter)
            if row["visit"]
        ]
        visits = first_seen(row["visit"] for row in rows)
        if not visits:
            continue
        found = {(row["arm"], row["visit"]): estimate(row, "mean") for row in rows}
        figures.append(
            charts.line_chart(
                [
                    charts.Line(arm, [found.get((arm, visit)) for visit in visits])
                    for arm in first_seen(row["arm"] for row in rows)[:MOST_COMPARED]
                ],
                visits,
                charts.Measure(f"mean of {parameter}", 1),
                f"How does {parameter} go, by arm? Observed values, 95 % intervals.",
            )
        )
    return [Grid(figures)] if figures else []


def _completeness(store: StudyStore) -> list[Block]:
    rows = store.ask(queries.LEAST_COMPLETE)[:_MOST_SITES]
    if not rows:
        return []
    return [
        charts.bar_chart(
            [charts.Bar(row["site"], Estimate(row["complete"])) for row in rows],
            charts.Measure("share of values present", 1, percent=True),
            "Where are data missing? The least complete first.",
        )
    ]
