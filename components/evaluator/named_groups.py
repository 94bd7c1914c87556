"""Under which names groups that are not shown are listed.

A list of suppressed groups that left out the empty ones would say in which groups a few subjects
are, and the name of a value that one subject has would be that subject's. So every group that can
be made of the named values is listed, empty or not, and all values of few subjects have one name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from components.evaluator.records import Record
from pipeline.results.documents import OVERALL, Group
from pipeline.results.suppress import SuppressionReason

OTHER = "other (suppressed)"
"""Name of all values of a slicing that few subjects have."""


class NamedGroups:
    """Names of the groups of an evaluation.

    Args:
        records: All records.
        slicings: Names of the slicings of each kind of group.
        smallest: Fewest subjects of a value that is named.
    """

    def __init__(
        self, records: Iterable[Record], slicings: Sequence[tuple[str, ...]], smallest: int
    ) -> None:
        self._slicings = [slicing for slicing in slicings if slicing]
        sizes: dict[tuple[str, str], int] = {}
        for record in records:
            for part in record.group:
                sizes.setdefault(part, 0)
            if len(record.group) == 1:
                size = record.subjects + record.unknown
                sizes[record.group[0]] = max(sizes[record.group[0]], size)
        self._values: dict[str, list[str]] = {}
        self._small = {part for part, size in sizes.items() if size < smallest}
        for name, value in sorted(sizes):
            named = OTHER if (name, value) in self._small else value
            if named not in self._values.setdefault(name, []):
                self._values[name].append(named)

    def of(self, group: Group) -> Group:
        """The name under which a group is listed."""
        return tuple(
            (name, OTHER if (name, value) in self._small else value) for name, value in group
        )

    def not_shown(
        self, hidden: Mapping[Group, SuppressionReason], shown: Iterable[Group]
    ) -> Iterator[tuple[Group, SuppressionReason]]:
        """All groups that are not shown, by their names.

        Args:
            hidden: Suppressed groups of a task with the reason.
            shown: Groups of the task that are shown.
        """
        if OVERALL in hidden:
            yield OVERALL, hidden[OVERALL]
        reasons: dict[Group, SuppressionReason] = {}
        for group, reason in hidden.items():
            reasons.setdefault(self.of(group), reason)
        known = {*shown, OVERALL}
        for slicing in self._slicings:
            for values in itertools.product(*(self._values.get(name, ()) for name in slicing)):
                group = tuple(zip(slicing, values, strict=True))
                if group not in known:
                    yield group, reasons.get(group, "too_small")


def is_merged(group: Group) -> bool:
    """Whether a name may stand for several groups, whose size together has no limit."""
    return any(value == OTHER for _, value in group)
