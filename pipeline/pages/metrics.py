"""Metrics in the form that all pages use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.html.blocks import Cell, Column, Table
from pipeline.html.numbers import Value
from pipeline.html.palette import Tone
from pipeline.metrics import METRICS
from pipeline.results.documents import Refusal, Verdict
from pipeline.results.task_verdicts import WORDS, TaskDecision

TONES: Mapping[TaskDecision, Tone] = {"blessed": "good", "refused": "bad", "not_judged": "warn"}
"""Tone of each verdict."""


def metric_title(metric: str, decision_threshold: float | None = None) -> str:
    """A metric's name, with the decision threshold where it needs one."""
    title = METRICS[metric].title
    return title if decision_threshold is None else f"{title} at {decision_threshold:g}"


def reason_texts(reasons: Sequence[Refusal], titles: Mapping[str, str]) -> list[str]:
    """Reasons of a refusal, with titles in place of the study file's names; each once.

    Args:
        reasons: The verdict's reasons.
        titles: Each task's title.
    """
    texts = (
        f"{titles[reason.task]}: "
        + reason.message.removeprefix(f"{reason.task}: ").replace(
            reason.metric, METRICS[reason.metric].title, 1
        )
        for reason in reasons
    )
    return list(dict.fromkeys(texts))


def task_reasons(verdict: Verdict, task: str, title: str) -> list[str]:
    """Why a task is refused or not judged, with its title in place of its name.

    Args:
        verdict: The verdict.
        task: The task.
        title: Its title.
    """
    titled = reason_texts([item for item in verdict.reasons if item.task == task], {task: title})
    if titled:
        return titled
    reasons = verdict.of_task(task).reasons
    return [f"{title}: {reason.removeprefix(f'{task}: ')}" for reason in reasons]


def task_why(verdict: Verdict, task: str, title: str) -> str | None:
    """The task's reasons for a cell of its own row; None without any."""
    reasons = [text.removeprefix(f"{title}: ") for text in task_reasons(verdict, task, title)]
    return "; ".join(reasons) or None


def note_texts(verdict: Verdict, titles: Mapping[str, str]) -> list[str]:
    """The notes of a verdict; one on a task begins with its title in place of its name.

    Args:
        verdict: The verdict.
        titles: Title of each task by name.
    """
    return [
        f"{titles[task]}: {text}" if colon and task in titles else note
        for note in verdict.notes
        for task, colon, text in [note.partition(": ")]
    ]


def task_verdicts_table(
    verdict: Verdict, titles: Mapping[str, str], with_reasons: bool = True
) -> Table:
    """The verdict on each task.

    Args:
        verdict: The verdict.
        titles: Each task's title.
        with_reasons: Whether its reasons are there, too; not where they stand beside the table.
    """
    rows: list[tuple[Value | Cell, ...]] = []
    for task, title in titles.items():
        found = verdict.of_task(task).verdict
        why = (task_why(verdict, task, title),) if with_reasons else ()
        rows.append((title, Cell(WORDS[found], TONES[found]), *why))
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
