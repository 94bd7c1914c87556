"""Net benefit of a model at the decision thresholds of a task, by group."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.results.clinical_curves import DecisionPoint
from pipeline.results.documents import Curves, Group


def net_benefits(
    curves: Curves, task: str, decision_thresholds: Collection[float]
) -> dict[Group, tuple[DecisionPoint, ...]]:
    """Points of the model's decision curves at some thresholds; the curves have more points.

    Args:
        curves: The Evaluator's curves of all groups that may be shown.
        task: The task.
        decision_thresholds: Its decision thresholds.

    Returns:
        The points of each group; a threshold that would cut off too few subjects has none.
    """
    return {
        curve.group: tuple(
            point for point in curve.decision if point.threshold in decision_thresholds
        )
        for curve in curves.curves
        if (curve.task, curve.model) == (task, "challenger")
    }
