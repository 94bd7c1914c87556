"""What holds between the numbers of counts.json, whatever the data and the runner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pipeline.results.counts import ArmLabelCounts, Counts
from tests.each import each


def assert_conserved(text: str, *, by_arm: bool) -> None:
    """Nothing gets lost: every row and every subject is counted once.

    Args:
        text: Content of counts.json.
        by_arm: Whether the study has arms.
    """
    counts = Counts.model_validate_json(text)
    for name, rows in each(counts.datasets.items()):
        assert rows.used + rows.excluded + rows.rejected == rows.rows_in, name
        assert sum(rows.reasons.values()) == rows.rejected, name
    for task, splits in each(counts.tasks.items()):
        assert splits.keys() == counts.subjects.keys(), task
        for split, labels in each(splits.items()):
            assert labels.positives <= labels.known, (task, split)
            assert labels.known + sum(labels.masked.values()) == counts.subjects[split]
            if by_arm:
                _assert_arms_add_up(labels.arms.values(), labels)


def _assert_arms_add_up(arms: Iterable[ArmLabelCounts], labels: ArmLabelCounts) -> None:
    found = list(each(arms))
    assert sum(arm.known for arm in found) == labels.known
    assert sum(arm.positives for arm in found) == labels.positives
    masked: Counter[str] = Counter()
    for arm in found:
        masked.update(arm.masked)
    assert masked == labels.masked
