"""Coverage of the prediction sets of a whole run beside the share that they promise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Any

FEWEST = 500
MANY = 4_000


def uncovered(records: Iterable[Mapping[str, Any]], folds: int) -> tuple[int, list[str]]:
    """Groups of a level whose coverage is not .90 within the bound.

    The bound is 3.5 standard deviations, and .02 where both parts have 4,000 subjects or more.
    Groups are those that sets are conditional on: at least 500 of the level to calibrate on.

    Args:
        records: Metrics of a run that was evaluated out of fold.
        folds: Its folds; sets of a fold are calibrated on the others.

    Returns:
        How many were compared, and a text for each that departs.
    """
    compared, found = 0, []
    for record in records:
        if record["model"] != "challenger" or not record["metric"].startswith("coverage_"):
            continue
        positives, subjects = record["positives"], record["subjects"]
        tested = positives if record["metric"] == "coverage_positive" else subjects - positives
        calibrating = tested * (folds - 1) / folds
        if calibrating < FEWEST:
            continue
        compared += 1
        bound = 3.5 * sqrt(0.09 * (1 / calibrating + 1 / tested))
        bound = min(bound, 0.02) if calibrating >= MANY else bound
        if abs(record["value"] - 0.9) > bound:
            found.append(f"{record['task']} {record['slice']}: {record['metric']} {record}")
    return compared, found
