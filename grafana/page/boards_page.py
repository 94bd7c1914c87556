"""The page: what needs attention, then each study's boards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from grafana.page.health_section import health_section
from grafana.page.models_section import models_section
from grafana.page.progress_section import progress_section
from grafana.page.quality_section import quality_section
from grafana.page.service_section import service_section
from grafana.page.study_store import EVER, StudyStore
from grafana.page.validation_section import validation_sections
from grafana.queries import model_quality, pipeline_health, variables
from grafana.queries.alerts import ALERTS, Alert
from grafana.queries.query import Row
from pipeline.errors import UserError
from pipeline.html.blocks import Block, Cell, Column, Notice, Paragraph, Table
from pipeline.html.numbers import MISSING, count
from pipeline.html.page import Page, Section
from pipeline.html.palette import Tone
from pipeline.metrics import METRICS

_MOST_RUNS = 30
_MOST_OF_AN_ALERT = 8
_TONES: dict[str, Tone] = {
    "done": "good",
    "failed": "bad",
    "killed": "bad",
    "interrupted": "warn",
    "running": "muted",
    "blessed": "good",
    "blessed for some tasks": "warn",
    "refused": "bad",
    "not judged": "warn",
}


def boards_page(connection: Connection, made: datetime) -> Page:
    """Builds the page.

    Args:
        connection: To the store.
        made: When the page is made.

    Raises:
        UserError: The store holds no run.
    """
    studies = variables.STUDIES.rows(connection, {}, EVER)
    if not studies:
        raise UserError("The store holds no run yet: run the pipeline first (make run).")
    stores = [_study_store(connection, row["__value"], row["__text"]) for row in studies]
    return Page(
        title="Models, trials and pipeline",
        lead="How well models perform and in which groups, how trials progress, and whether runs "
        f"finish: {_counted(len(studies))}, the {_MOST_RUNS} newest runs of each at most.",
        kicker="Boards of the store",
        blocks=(*_attention(connection), _studies(stores)),
        sections=[_study(store) for store in stores],
        footer=f"Made {made:%Y-%m-%d %H:%M} UTC. Intervals are 95 % intervals, not adjusted for "
        "the number of comparisons. Small groups are not shown, nor is what would disclose them. "
        "No medical device.",
    )


def _counted(studies: int) -> str:
    return "one study" if studies == 1 else f"{count(studies)} studies"


def _study_store(connection: Connection, study: str, title: str) -> StudyStore:
    """The study with as many runs as are shown."""
    every_run = StudyStore(connection, study, title, EVER)
    started = {row["started"] for row in every_run.ask(pipeline_health.RUNS)}
    return replace(every_run, since=min(sorted(started, reverse=True)[:_MOST_RUNS], default=EVER))


def _attention(connection: Connection) -> list[Block]:
    blocks: list[Block] = []
    for alert in ALERTS:
        happened = [
            row for row in alert.query.rows(connection, {}, EVER) if alert.has_happened(row)
        ]
        if not happened:
            continue
        happened.sort(key=lambda row: -row[alert.number])
        items = [_item(alert, row) for row in happened[:_MOST_OF_AN_ALERT]]
        more = len(happened) - len(items)
        if more > 0:
            items.append(f"and {count(more)} more")
        tone: Tone = "bad" if alert.severity == "critical" else "warn"
        blocks.append(Notice(tone, alert.title, items=items))
    if not blocks:
        blocks.append(Notice("good", "Nothing needs attention", "No alert's condition is met."))
    return blocks


def _item(alert: Alert, row: Row) -> str:
    """An alert's summary, with the measured number and its limit."""
    if alert.query.columns[alert.number] == "count":
        return _summary(alert, row)
    return f"{_summary(alert, row)}: {row[alert.number]:.3g} (limit {alert.limit(row)})"


def _summary(alert: Alert, row: Row) -> str:
    metric = str(row.get("metric"))
    title = METRICS[metric].title if metric in METRICS else metric
    return alert.summary.format(**{**row, "metric": title})


def _studies(stores: list[StudyStore]) -> Block:
    rows = []
    for store in stores:
        newest = store.one(pipeline_health.NEWEST_RUN)
        outcome = store.one(pipeline_health.LAST_OUTCOME)
        verdict = store.one(model_quality.VERDICT)
        status = outcome["status"] if outcome else MISSING
        judged = verdict["verdict"] if verdict else MISSING
        rows.append(
            (
                store.title,
                f"{newest['started']:%Y-%m-%d %H:%M}" if newest else MISSING,
                Cell(status, _TONES.get(status, "muted")),
                Cell(judged, _TONES.get(judged, "muted")),
                newest["code_version"] if newest else MISSING,
            )
        )
    return Table(
        "Which studies are there?",
        (
            Column("Study"),
            Column("Last run started"),
            Column("Last run"),
            Column("Newest model"),
            Column("Version"),
        ),
        rows,
    )


def _study(store: StudyStore) -> Section:
    newest = store.one(pipeline_health.NEWEST_RUN)
    smallest_group = int(newest["smallest_group"]) if newest else 0
    lead = Paragraph(
        "Read first whether the newest model is blessed, then whether it performs worse in any "
        "group, then the data gate's objections."
    )
    return Section(
        store.title,
        (lead,),
        (
            quality_section(store, smallest_group),
            *validation_sections(store),
            progress_section(store),
            health_section(store),
            service_section(store),
            models_section(store),
        ),
    )
