"""Lays the counts of rows, subjects and labels out as `counts.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any


def counts_document(counter: Counter[tuple[str, ...]], datasets: Iterable[str]) -> dict[str, Any]:
    """Lays merged counters out as `counts.json`."""
    document: dict[str, Any] = {"datasets": {}, "subjects": {}, "tasks": {}}
    for name in datasets:
        described = {
            what: counter["datasets", name, what]
            for what in ("rows_in", "used", "left_out", "rejected")
        }
        reasons = {key[2]: n for key, n in sorted(counter.items()) if key[:2] == ("reasons", name)}
        document["datasets"][name] = described | {"reasons": reasons}
    document["qualifiers"] = {
        f"{key[1]}.{key[2]}": n for key, n in sorted(counter.items()) if key[0] == "qualifiers"
    }
    document["problems"] = sorted(key[1] for key in counter if key[0] == "problems")
    for key, n in sorted(counter.items()):
        if key[0] == "subjects":
            document["subjects"][key[1]] = n
        elif key[0] == "tasks":
            splits = document["tasks"].setdefault(key[1], {})
            splits.setdefault(key[2], {"known": 0, "positives": 0})[key[3]] = n
    return document
