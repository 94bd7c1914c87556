"""Rows of what leaving the least certain subjects to people gains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.results.documents import Curves


def referral_rows(run: str, tasks: Iterable[str], curves: Curves) -> list[dict[str, Any]]:
    """Rows of the points that the page shows.

    Args:
        run: Id of the run.
        tasks: Tasks of the study.
        curves: The Evaluator's curves.
    """
    return [
        {"run": run, "task": task, "point": place, **point.model_dump()}
        for task in tasks
        for place, point in enumerate(curves.referral(task))
    ]
