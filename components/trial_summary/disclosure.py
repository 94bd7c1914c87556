"""Disclosure control of a trial's progress.

No group of 1 to n - 1 subjects is shown, n being the study's smallest group, and none follows by
subtraction from what is shown. In the order of the sections:

- **Months** are merged into periods of at least n subjects each, so that the curve of enrolment
  stays complete; a period is named by its last month. Sites, arms and sites within periods are
  suppressed as `pipeline.results.suppress` decides. The sites and arms that are shown here are the
  same in every section.
- **Disposition**: reasons within an arm add up to it. A reason of all arms together is shown if no
  suppressed count of an arm follows from it.
- **Adverse events**: see `event_disclosure`.
- **Means** are of at least n subjects. The number of missing values would follow from their number:
  unless there are none, it is shown rounded down to a multiple of n ("at least").
- **Completeness** counts missing values in multiples of n.

Two summaries of an ongoing trial differ by the subjects enrolled in between: a run that is too near
to an earlier release shows none (`pipeline.results.release`). What this can't prevent: subjects and
rows that only the summary reads are not compared. Readers of several summaries must be authorised
to know that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping

from components.trial_summary.sums import UNKNOWN
from pipeline.results.documents import Group
from pipeline.results.suppress import suppressed

MOST_CELLS = 2_000
"""Largest number of cells of sites by periods; beyond it sites are not divided by period, since
the time to decide on suppression grows faster than the number of cells."""


def shown_groups(
    sizes: Mapping[Group, int], smallest: int, shown: Collection[Group] = ()
) -> dict[Group, int]:
    """Groups that may be shown, with their sizes.

    Args:
        sizes: Subjects of every group, including all subjects (the empty mapping). A group with a
            value `UNKNOWN` is never shown, and neither is an empty one.
        smallest: Fewest subjects that a group is shown for.
        shown: Groups that are shown already.
    """
    named = {
        group: size
        for group, size in sizes.items()
        if size and all(value != UNKNOWN for _, value in group)
    }
    slicings = list(dict.fromkeys(tuple(name for name, _ in group) for group in named))
    hidden = suppressed(named, slicings, smallest, shown) if named else {}
    return {group: size for group, size in named.items() if group not in hidden}


def periods(months: Mapping[str, int], smallest: int) -> dict[str, str]:
    """Merges months into periods with enough subjects.

    Args:
        months: Subjects by month (`YYYY-MM`).
        smallest: Fewest subjects of a period.

    Returns:
        The period of every month, named by its last month; empty if all subjects are too few.
    """
    merged: list[list[str]] = []
    open_: list[str] = []
    for month in sorted(months):
        open_.append(month)
        if sum(months[each] for each in open_) >= smallest:
            merged.append(open_)
            open_ = []
    if not merged:
        return {}
    merged[-1] += open_
    return {month: members[-1] for members in merged for month in members}


def at_least(number: int, whole: int, smallest: int) -> int:
    """Rounds a number of subjects with a value so that no small number of missing ones follows.

    Args:
        number: Subjects with a value; `smallest` or more.
        whole: Number of all subjects of the group.
        smallest: Fewest subjects that a group is shown for.

    Returns:
        `number` if it equals `whole`, otherwise `number` or less.
    """
    without = smallest * math.ceil((whole - number) / smallest)
    return max(smallest, whole - without)


def share_present(present: int, expected: int, smallest: int) -> float:
    """Share of values that are present; missing ones are counted in multiples of `smallest`."""
    missing = smallest * round((expected - present) / smallest)
    return max(0.0, 1 - missing / expected)


def margin(cells: Mapping[tuple[str, str], int], place: int) -> Counter[str]:
    """Sums the cells of a table over the other position of their keys."""
    found: Counter[str] = Counter()
    for key, number in cells.items():
        found[key[place]] += number
    return found
