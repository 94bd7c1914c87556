"""Registered models on the page: which is served, and who decided it."""

from __future__ import annotations

from dataclasses import replace

from grafana.page.study_store import EVER, StudyStore
from grafana.queries import registry as queries
from pipeline.html.blocks import Block, Cell, Column, Notice, Paragraph, Table
from pipeline.html.numbers import MISSING
from pipeline.html.page import Section
from pipeline.html.palette import Tone

_STAGES: dict[str, Tone] = {"champion": "good", "candidate": "neutral", "retired": "warn"}
_VERDICTS: dict[str, Tone] = {"blessed": "good", "refused": "bad"}
_ELSEWHERE = (
    'Which service answers with which model is shown by Grafana alone, whose board "Models" asks '
    "Prometheus."
)


def models_section(store: StudyStore) -> Section:
    """Which of a study's models are registered, in which stage, by whose decision."""
    store = replace(store, since=EVER)
    rows = store.ask(queries.MODELS)
    if not rows:
        nothing = "The store has no decision of the registry on this study yet."
        return Section("Models", (Notice("muted", "No registered model", nothing),))
    return Section("Models", (_models(store), _champions(store), Paragraph(_ELSEWHERE)))


def _models(store: StudyStore) -> Block:
    return Table(
        "Which models are registered, and in which stage?",
        (
            Column("Model"),
            Column("Stage"),
            Column("Since"),
            Column("Run"),
            Column("Verdict"),
            Column("Why not promoted"),
        ),
        [
            (
                row["model"],
                Cell(row["stage"], _STAGES.get(row["stage"], "neutral")),
                f"{row['since']:%Y-%m-%d %H:%M}",
                row["run"] or MISSING,
                Cell(row["verdict"], _VERDICTS.get(row["verdict"], "muted")),
                row["not_promoted"] or MISSING,
            )
            for row in store.ask(queries.MODELS)
        ],
        ("A former champion is a candidate: it can be promoted again. Times are UTC.",),
    )


def _champions(store: StudyStore) -> Block:
    return Table(
        "Which model was the champion when, and who decided it?",
        (Column("Since"), Column("Champion"), Column("How"), Column("By"), Column("Reason")),
        [
            (
                f"{row['since']:%Y-%m-%d %H:%M}",
                row["champion"],
                row["how"],
                row["actor"],
                row["reason"] or MISSING,
            )
            for row in store.ask(queries.CHAMPIONS)
        ],
        ("Newest first; times are UTC.",),
    )
