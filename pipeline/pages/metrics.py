"""Metrics in the form that all pages use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.html.blocks import Column
from pipeline.metrics import METRICS
from pipeline.results.documents import Refusal


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


def metric_column(metric: str) -> Column:
    """A metric's column in a table."""
    term = METRICS[metric]
    return Column(term.title, "end", term.decimals, term.percent)
