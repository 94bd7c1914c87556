"""The pipeline's health on the page."""

from __future__ import annotations

from collections.abc import Sequence

from grafana import limits
from grafana.page.study_store import StudyStore, lines_over_runs
from grafana.queries import pipeline_health as queries
from grafana.queries.query import Query, Row
from pipeline.estimates import Estimate
from pipeline.html import charts
from pipeline.html.blocks import (
    Block,
    Cell,
    Column,
    Details,
    Grid,
    KeyFigure,
    KeyFigures,
    Notice,
    Table,
)
from pipeline.html.numbers import MISSING
from pipeline.html.page import Section
from pipeline.html.palette import Tone

_TONES: dict[str, Tone] = {
    "done": "good",
    "failed": "bad",
    "killed": "bad",
    "interrupted": "warn",
    "running": "muted",
    "cached": "muted",
    "stop": "bad",
    "warn": "warn",
    "ok": "good",
}
_MOST_RUNS = 15


def health_section(store: StudyStore) -> Section:
    """Whether a study's runs finish, on which data, at what cost."""
    return Section(
        "Pipeline health",
        (_figures(store), *_runs(store), *_gate(store), *_rows(store), *_costs(store)),
    )


def _figures(store: StudyStore) -> Block:
    outcome = store.one(queries.LAST_OUTCOME)
    status = outcome["status"] if outcome else "not known"
    failures = store.one(queries.FAILURES)
    failed = failures["failed runs"] if failures else 0
    return KeyFigures(
        (
            KeyFigure("Last run", status, tone=_tone(status)),
            KeyFigure("Failed or killed runs", failed, tone="bad" if failed else "good"),
            _age(store, "Since a success", queries.SINCE_SUCCESS, limits.DAYS_WITHOUT_SUCCESS),
            _age(store, "Age of the newest data", queries.AGE_OF_DATA, limits.DAYS_OF_DATA),
            _age(store, "Age of the blessed model", queries.AGE_OF_MODEL, limits.DAYS_OF_MODEL),
        )
    )


def _age(store: StudyStore, label: str, query: Query, limit: float) -> KeyFigure:
    row = store.one(query)
    days = row["days"] if row else None
    if days is None:
        return KeyFigure(label, None, "not known", "muted")
    tone: Tone = "bad" if days > limit else "warn" if days > limit / 2 else "good"
    # Clocks of two machines may differ by a little.
    return KeyFigure(label, max(days, 0.0), "days", tone, decimals=1)


def _runs(store: StudyStore) -> list[Block]:
    rows = store.ask(queries.RUNS)[:_MOST_RUNS]
    if not rows:
        return []
    return [
        Table(
            "Which runs ended how, and why?",
            (
                Column("Started"),
                Column("Run"),
                Column("Ended"),
                Column("Failed in"),
                Column("Reason"),
                Column("Seconds", "end", 0),
                Column("Peak memory, MiB", "end", 0),
                Column("Kind"),
                Column("By"),
            ),
            [
                (
                    f"{row['started']:%Y-%m-%d %H:%M}",
                    row["run"],
                    Cell(row["status"], _tone(row["status"])),
                    row["failed_stage"] or MISSING,
                    row["reason"] or MISSING,
                    row["seconds"],
                    row["memory"],
                    row["kind"],
                    row["started_by"],
                )
                for row in rows
            ],
            ("Newest first; times are UTC.",),
        )
    ]


def _gate(store: StudyStore) -> list[Block]:
    findings = store.ask(queries.FINDINGS)
    objections = [row for row in findings if row["severity"] in ("stop", "warn")]
    blocks: list[Block] = []
    if objections:
        blocks.append(_findings("What are the data gate's objections?", objections))
    elif findings:
        blocks.append(Notice("good", "The data gate had no objections"))
    others = [row for row in findings if row not in objections]
    if others:
        blocks.append(Details("Further measurements", (_findings("Other measurements", others),)))
    return blocks


def _findings(caption: str, rows: Sequence[Row]) -> Table:
    return Table(
        caption,
        (
            Column("About"),
            Column("Rule"),
            Column("Severity"),
            Column("Value", "end"),
            Column("Limit", "end"),
            Column("Finding"),
        ),
        [
            (
                row["about"] or "all",
                row["rule"],
                Cell(row["severity"], _tone(row["severity"])),
                row["value"],
                row["limit"],
                row["message"],
            )
            for row in rows
        ],
    )


def _rows(store: StudyStore) -> list[Block]:
    drift, limit = _with_limit(store.ask(queries.DRIFT), "distance")
    figures = lines_over_runs(
        drift,
        "distance",
        charts.Measure("distance", 2),
        "Do distributions drift? Distance to the champion's run, of those that drifted most.",
        limit,
    )
    rejected, limit = _with_limit(store.ask(queries.REJECTED), "rejected")
    if any(row["rejected"] for row in rejected):
        figures += lines_over_runs(
            rejected,
            "rejected",
            charts.Measure("share of rejected rows", 2, percent=True),
            "Are more rows rejected? The datasets with most of them.",
            limit,
        )
    blocks: list[Block] = [Grid(figures)] if figures else []
    rows = store.ask(queries.ROWS)
    if rows:
        blocks.append(
            Table(
                "Which rows were used?",
                (
                    Column("Dataset"),
                    Column("Read", "end"),
                    Column("Used", "end"),
                    Column("Excluded by the study file", "end"),
                    Column("Rejected", "end"),
                    Column("Share rejected", "end", 2, percent=True),
                ),
                [
                    (
                        row["dataset"],
                        row["rows_in"],
                        row["used"],
                        row["excluded"],
                        row["rejected"],
                        row["rejected_share"],
                    )
                    for row in rows
                ],
            )
        )
    return blocks


def _with_limit(rows: Sequence[Row], value: str) -> tuple[list[Row], charts.Limit | None]:
    """Rows of what the gate measured, and the newest limit among them."""
    limits_set = [row[value] for row in rows if row["metric"] == queries.LIMIT_OF_GATE]
    measured = [row for row in rows if row["metric"] != queries.LIMIT_OF_GATE]
    if not limits_set:
        return measured, None
    return measured, charts.Limit(limits_set[-1], f"{queries.LIMIT_OF_GATE}:")


def _costs(store: StudyStore) -> list[Block]:
    blocks: list[Block] = []
    stages = store.ask(queries.STAGES)
    if stages:
        blocks.append(
            charts.bar_chart(
                [charts.Bar(row["stage"], Estimate(row["seconds"])) for row in stages],
                charts.Measure("seconds", 1),
                "Where did the newest run's time go? Stages from the cache take none.",
            )
        )
    figures = lines_over_runs(
        store.ask(queries.STAGE_SECONDS),
        "seconds",
        charts.Measure("seconds", 0),
        "Does it take longer? The longest stages.",
    )
    figures += lines_over_runs(
        store.ask(queries.STAGE_MEMORY),
        "MiB",
        charts.Measure("peak memory, MiB", 0),
        "Does memory grow? The stages with most of it.",
    )
    return [*blocks, Grid(figures)] if figures else blocks


def _tone(word: str) -> Tone:
    return _TONES.get(word, "neutral")
