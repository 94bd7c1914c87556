"""The model in service on the page: what Monitor found by period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grafana.page.study_store import EVER, StudyStore, lines_over_runs, places
from grafana.queries import in_service as queries
from grafana.queries import variables
from grafana.queries.query import Row
from pipeline.estimates import Estimate
from pipeline.html import charts
from pipeline.html.blocks import (
    Block,
    Cell,
    Column,
    Grid,
    KeyFigure,
    KeyFigures,
    Notice,
    Paragraph,
    Table,
)
from pipeline.html.numbers import MISSING
from pipeline.html.page import Section
from pipeline.html.palette import Tone

_TONES: dict[str, Tone] = {"fired": "bad", "quiet": "good", "not judged": "muted"}
_AUC = charts.Measure("AUC")
_BRIER = charts.Measure("Brier score")
_RISK = charts.Measure("risk", 1, percent=True)
_IN_THE_LARGE = charts.Measure("calibration in the large", 2)
_ELSEWHERE = (
    "Requests, errors, latency, versions and flags of this moment are shown by Grafana alone, "
    'whose board "In service" asks Prometheus.'
)


def service_section(store: StudyStore) -> Section:
    """How well a study's champion predicts, and whether what it is given has changed."""
    store = replace(store, since=EVER)
    monitored = store.one(queries.MONITORED_MODEL)
    if monitored is None:
        nothing = "The predictions of this study have not been monitored yet (trial monitor)."
        return Section("In service", (Notice("muted", "Not monitored", nothing), _elsewhere()))
    blocks = (_figures(store, monitored), *_alarms(store), *_by_task(store), *_drift(store))
    return Section("In service", (*blocks, *_challengers(store), _elsewhere()))


def _elsewhere() -> Block:
    return Paragraph(_ELSEWHERE)


def _figures(store: StudyStore, monitored: Row) -> Block:
    fired = store.one(queries.FIRED)
    number = fired["fired alarms"] if fired else 0
    until = monitored["outcomes_until"]
    return KeyFigures(
        (
            KeyFigure("Alarms that have fired", number, tone="bad" if number else "good"),
            KeyFigure("Monitored model", monitored["model"], f"by {monitored['period']}"),
            KeyFigure("Monitored", f"{monitored['as_of']:%Y-%m-%d}"),
            KeyFigure("Outcomes until", f"{until:%Y-%m-%d}" if until else "none known"),
        )
    )


def _alarms(store: StudyStore) -> list[Block]:
    rows = store.ask(queries.ALARMS)
    if not rows:
        return []
    return [
        Table(
            "Which alarms have fired, and since when?",
            (
                Column("Alarm on"),
                Column("About"),
                Column("State"),
                Column("Since"),
                Column("What changed"),
                Column("Reason"),
            ),
            [
                (
                    row["kind"].replace("_", " "),
                    row["about"],
                    Cell(row["state"], _TONES[row["state"]]),
                    f"{row['since']:%Y-%m-%d}" if row["since"] else MISSING,
                    row["direction"] or MISSING,
                    row["reason"] or MISSING,
                )
                for row in rows
            ],
            ("All alarms together fire in one of twenty years in which nothing changes.",),
        )
    ]


def _by_task(store: StudyStore) -> list[Block]:
    blocks: list[Block] = []
    for task, title in store.titles(variables.TASKS).items():
        figures = _figures_of_task(store, task, title)
        if figures:
            blocks.append(Grid(figures))
    return blocks


def _figures_of_task(store: StudyStore, task: str, title: str) -> list[Block]:
    compared = (
        (queries.AUC, _AUC, "Does the champion separate as expected?", "expected"),
        (queries.BRIER, _BRIER, "Are its predictions as close as expected?", "expected"),
        (queries.RISKS, _RISK, "Do predictions match what happens?", "mean prediction"),
        (
            queries.CALIBRATION_IN_THE_LARGE,
            _IN_THE_LARGE,
            "Are probabilities too high (below 0) or too low?",
            "",
        ),
    )
    found: list[Block] = []
    for query, measure, caption, beside in compared:
        rows = store.ask(query, task=task)
        if rows:
            found.append(_compared(rows, measure, f"{title}. {caption}", beside))
    return found


def _compared(rows: Sequence[Row], measure: charts.Measure, caption: str, beside: str) -> Block:
    """Observed values with their intervals, beside those expected and the evaluation's."""
    lines = [charts.Line("observed", [_observed(row) for row in rows])]
    for name in filter(None, (beside, "when evaluated")):
        values = [row.get(name) for row in rows]
        if any(value is not None for value in values):
            lines.append(charts.Line(name, [None if v is None else Estimate(v) for v in values]))
    return charts.line_chart(
        [line for line in lines if any(line.points)],
        places([row["time"] for row in rows]),
        measure,
        f"{caption} By period of the prediction.",
    )


def _observed(row: Row) -> Estimate | None:
    if row["observed"] is None:
        return None
    return Estimate(row["observed"], row["lower"], row["upper"])


def _drift(store: StudyStore) -> list[Block]:
    figures = lines_over_runs(
        store.ask(queries.DRIFT),
        "distance",
        charts.Measure("multiples of chance", 2),
        "Do inputs and risks drift from training? Distances in multiples of what chance alone "
        "exceeds in one of 20 periods, of those that moved most.",
        charts.Limit(1.0, "chance:"),
    )
    return [Grid(figures)] if figures else []


def _challengers(store: StudyStore) -> list[Block]:
    rows = store.ask(queries.CHALLENGERS)
    if not rows:
        return []
    return [
        Table(
            "Is a challenger better on the same subjects?",
            (
                Column("Period"),
                Column("Challenger"),
                Column("Task"),
                Column("Metric"),
                Column("Challenger minus champion", "end"),
                Column("from", "end"),
                Column("to", "end"),
                Column("Subjects", "end"),
            ),
            [
                (
                    f"{row['period']:%Y-%m-%d}",
                    row["model"],
                    row["task"],
                    row["metric"],
                    row["difference"],
                    row["lower"],
                    row["upper"],
                    row["subjects"],
                )
                for row in rows
            ],
        )
    ]
