"""Lays the counts of rows, subjects and labels out as `counts.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pipeline.results.counts import Counts, DatasetCounts, LabelCounts


def counts_document(counter: Counter[tuple[str, ...]], datasets: Iterable[str]) -> Counts:
    """Lays merged counters out as `counts.json`."""
    found = sorted(counter.items())
    labels: dict[str, dict[str, dict[str, int]]] = {}
    for key, number in found:
        if key[0] == "tasks":
            _, task, split, what = key
            labels.setdefault(task, {}).setdefault(split, {"known": 0, "positives": 0})[what] = (
                number
            )
    return Counts(
        datasets={
            name: DatasetCounts(
                rows_in=counter["datasets", name, "rows_in"],
                used=counter["datasets", name, "used"],
                excluded=counter["datasets", name, "excluded"],
                rejected=counter["datasets", name, "rejected"],
                reasons={key[2]: n for key, n in found if key[:2] == ("reasons", name)},
            )
            for name in datasets
        },
        subjects={key[1]: n for key, n in found if key[0] == "subjects"},
        tasks={
            task: {split: LabelCounts(**counts) for split, counts in splits.items()}
            for task, splits in labels.items()
        },
        qualifiers={f"{key[1]}.{key[2]}": n for key, n in found if key[0] == "qualifiers"},
        problems=tuple(sorted(key[1] for key in counter if key[0] == "problems")),
    )
