"""The mean prediction of each arm of a whole run beside its risk by the horizon."""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from typing import Any

from tests.whole_runs import Run


def departures(run: Run, slicing: str = "arm") -> tuple[int, list[str]]:
    """Arms whose mean prediction lies outside of the interval of their risk.

    The risk is that of the exact counts, for all subjects and for arms of any size; where follow-up
    is complete, or a task has none, the share of known labels with the outcome. On a test split,
    where a study makes some 20 comparisons of small groups, the bound is 3.5 standard errors of
    both: a model differs with the machine that trains it, and one comparison in 60 would depart by
    chance if the two intervals only had to meet.

    Args:
        run: A run that was evaluated.
        slicing: Name of the slicing by arm.

    Returns:
        How many were compared, and a text for each that departs.
    """
    of_part = run.file_of("TrialExampleGen", "rejects", "evaluation.json")["scheme"] == "split"
    records = {
        (record["task"], tuple(record["slice"].items()), record["metric"]): record
        for record in run.metrics
        if record["model"] == "challenger"
        and set(record["slice"]) <= {slicing}
        and record["decision_threshold"] is None
    }
    compared, found = 0, []
    for (task, group, metric), mean in records.items():
        if metric != "mean_prediction":
            continue
        risk = (
            _risk(run.counts["censoring"].get(task), group) or records[task, group, "observed_rate"]
        )
        # Few events have no interval.
        if None in (mean["lower"], mean["upper"], risk["lower"], risk["upper"]):
            continue
        compared += 1
        within = (
            abs(mean["value"] - risk["value"]) <= 3.5 * hypot(_error(mean), _error(risk))
            if of_part
            else risk["lower"] <= mean["value"] <= risk["upper"]
        )
        if not within:
            found.append(f"{task} {group}: {mean}, but {risk}")
    return compared, found


def _error(estimate: Mapping[str, float]) -> float:
    """Standard error of an estimate with a 95 % interval."""
    return (estimate["upper"] - estimate["lower"]) / (2 * 1.96)


def _risk(task: dict[str, Any] | None, group: tuple[tuple[str, str], ...]) -> Any:
    """The risk of the exact counts; None where all follow-up is complete."""
    if task is None or task["is_complete"]:
        return None
    found = task["arms"].get(group[0][1]) if group else task["overall"]
    return found and found["risk"]
