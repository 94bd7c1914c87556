"""Metrics in the form that all pages use."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.html.blocks import Cell, Column, Table
from pipeline.html.numbers import Value
from pipeline.html.palette import Tone
from pipeline.metrics import METRICS
from pipeline.results.documents import Verdict
from pipeline.results.task_verdicts import WORDS, TaskDecision
from pipeline.titles import Titles

TONES: Mapping[TaskDecision, Tone] = {"blessed": "good", "refused": "bad", "not_judged": "warn"}
"""Tone of each verdict."""


def metric_title(metric: str, decision_threshold: float | None = None) -> str:
    """A metric's name, with the decision threshold where it needs one."""
    title = METRICS[metric].title
    return title if decision_threshold is None else f"{title} at {decision_threshold:g}"


def task_verdicts_table(
    verdict: Verdict, titles: Mapping[str, str], with_reasons: bool = True
) -> Table:
    """The verdict on each task.

    Args:
        verdict: The verdict.
        titles: Each task's title; the verdict's groups have theirs (`with_titles`).
        with_reasons: Whether its reasons are there, too; not where they stand beside the table.
    """
    rows: list[tuple[Value | Cell, ...]] = []
    for task, title in titles.items():
        found = verdict.of_task(task)
        why = (found.why(Titles(titles)) or None,) if with_reasons else ()
        rows.append((title, Cell(WORDS[found.verdict], TONES[found.verdict]), *why))
    return Table(
        "Verdict on each task",
        (Column("Task"), Column("Verdict"), *((Column("Why"),) if with_reasons else ())),
        rows,
        ("A blessed model serves its blessed tasks only.",),
    )


def metric_column(metric: str) -> Column:
    """A metric's column in a table."""
    term = METRICS[metric]
    return Column(term.title, "end", term.decimals, term.percent)
