"""Decisions on the models of the store made by hand: by runs, and by two persons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pipeline.results.trail import Actor, TrailEntry
from pipeline.store.registry_rows import rows_of_trail
from pipeline.store.rows import Rows
from tests.pipeline.store.hand_made_monitoring import CHALLENGER, MODEL
from tests.pipeline.store.store_runs import STARTED

NEWER = "1f00aa2233445566"
"""A model that waits for a decision."""

ADA, GRACE = Actor(account="ada@ward", name="Ada"), Actor(account="grace@ward", name="Grace")


def decisions(study: str) -> Rows:
    """Rows of six decisions: the champion was one before, and is again."""
    of_run = {"actor": Actor(account="ci", run="r1")}
    entries = [
        _entry(1, "registered", MODEL, run="r1", champion="", compared_with="none", **of_run),
        _entry(2, "promoted", MODEL, run="r1", **of_run),
        _entry(3, "registered", CHALLENGER, run="r2", refused="a person decides", **of_run),
        _entry(4, "promoted", CHALLENGER, champion=CHALLENGER, actor=ADA, reason="it is better"),
        _entry(5, "rolled_back", MODEL, actor=GRACE, reason="probabilities are too high"),
        _entry(6, "registered", NEWER, run="r9", refused="a person decides", **of_run),
    ]
    return rows_of_trail(study, entries, "digest 6")


def _entry(number: int, action: str, model: str, **further: Any) -> TrailEntry:
    content: dict[str, Any] = {
        "number": number,
        "previous": f"digest {number - 1}" if number > 1 else "",
        "at": (STARTED + timedelta(hours=number)).isoformat(),
        "action": action,
        "model": model,
        "champion": MODEL,
    }
    return TrailEntry.model_validate(content | further)
