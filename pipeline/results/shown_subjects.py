"""Which numbers of subjects may be shown, so that few unknown labels don't follow by subtraction.

Of a task the number of subjects with a known label is shown with each of its metrics. Beside it the
number of all subjects gives away how many labels are unknown. Where these are few,
the number of all subjects is suppressed: of the split, and of the trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.results.counts import Counts


@dataclass(frozen=True)
class ShownSubjects:
    """Numbers of subjects that may be shown.

    Attributes:
        total: Whether that of all subjects may be.
        splits: The splits whose number may be.
    """

    total: bool
    splits: frozenset[str]


def shown_subjects(counts: Counts, smallest: int) -> ShownSubjects:
    """Decides which numbers of subjects may be shown beside those of known labels.

    Args:
        counts: Exact counts.
        smallest: Fewest subjects that a number is shown for.

    Returns:
        The numbers that may be shown. No number of unknown labels below `smallest`, of a task in a
        split, in several or in all, follows from them and the numbers of known labels.

    Examples:
        >>> from pipeline.results.counts import Counts, LabelCounts
        >>> tasks = {"death": {"train": LabelCounts(known=97, positives=4)}}
        >>> counts = Counts(datasets={}, subjects={"train": 100}, tasks=tasks)
        >>> shown_subjects(counts, smallest=20).total
        False
    """
    unknown = {
        task: {split: n - _known(counts, task, split) for split, n in counts.subjects.items()}
        for task in counts.tasks
    }
    hidden = {
        split
        for split in counts.subjects
        if any(0 < by_split[split] < smallest for by_split in unknown.values())
    }
    if len(hidden) == 1:
        # Beside the total the number of one split would follow from those of the others.
        others = [(n, split) for split, n in counts.subjects.items() if n and split not in hidden]
        hidden |= {split for _, split in sorted(others)[:1]}
    sums = [
        sum(by_split[split] for split in splits)
        for by_split in unknown.values()
        for splits in (counts.subjects, hidden)
    ]
    total = len(hidden) != 1 and not any(0 < n < smallest for n in sums)
    return ShownSubjects(total, frozenset(counts.subjects) - hidden)


def _known(counts: Counts, task: str, split: str) -> int:
    labels = counts.tasks[task].get(split)
    return labels.known if labels else 0
