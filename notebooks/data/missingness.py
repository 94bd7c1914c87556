"""Shares of missing values by group, from counts that disclose no small group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.html.numbers import Suppressed
from pipeline.results.documents import OVERALL, Group
from pipeline.results.suppress import suppressed

_GROUP = "group"
_VALUE = "value"
_MISSING, _KNOWN = "missing", "known"

Share = float | Suppressed


@dataclass(frozen=True)
class Missingness:
    """Shares of subjects without a value.

    Attributes:
        groups: Groups that may be shown, with their subjects.
        overall: Share by column, of all subjects.
        shares: Share by column and group, [groups] each.
        hidden: How many groups are not shown.
    """

    groups: tuple[tuple[str, int], ...]
    overall: dict[str, Share]
    shares: dict[str, tuple[Share, ...]]
    hidden: int


def missingness(
    missing: Mapping[str, NDArray[np.bool_]], groups: Sequence[str], smallest: int
) -> Missingness:
    """Counts missing values by group.

    The subjects who lack a value are a group, and so are those who have it. Both are suppressed if
    too small, together with the groups from which they would follow. Columns without missing values
    are excluded.

    Args:
        missing: Who has no value, by column; [n] each.
        groups: Group of each subject, "" for none; [n].
        smallest: Fewest subjects that a number concerns.
    """
    group_of = np.asarray(groups, object)
    members = {name: group_of == name for name in sorted(set(groups)) if name}
    sizes: dict[Group, int] = {OVERALL: len(groups)}
    sizes |= {((_GROUP, name),): int(inside.sum()) for name, inside in members.items()}
    hidden = suppressed(sizes, [(), (_GROUP,)], smallest)
    shown = [name for name in members if ((_GROUP, name),) not in hidden and OVERALL not in hidden]
    overall: dict[str, Share] = {}
    shares: dict[str, tuple[Share, ...]] = {}
    for column, lacking in missing.items():
        if lacking.any() and OVERALL not in hidden:
            overall[column], shares[column] = _shares(lacking, members, shown, smallest)
    return Missingness(
        groups=tuple((name, int(members[name].sum())) for name in shown),
        overall=overall,
        shares=shares,
        hidden=len(members) - len(shown),
    )


def _shares(
    lacking: NDArray[np.bool_],
    members: Mapping[str, NDArray[np.bool_]],
    shown: Sequence[str],
    smallest: int,
) -> tuple[Share, tuple[Share, ...]]:
    sizes = _cells(lacking, members, shown)
    # Cells are suppressed rather than whole groups: readers look for the overall share first.
    margins = [group for group in sizes if len(group) == 1]
    hidden = suppressed(
        sizes, [(), (_GROUP,), (_VALUE,), (_GROUP, _VALUE)], smallest, shown=margins
    )

    def share(*group: tuple[str, str]) -> Share:
        cells = {value: (*group, (_VALUE, value)) for value in (_MISSING, _KNOWN)}
        # Of two cells that add up to a group that is shown, one follows from the other.
        if any(cell in hidden for cell in cells.values()):
            small = sizes.get(cells[_MISSING], 0) < smallest
            return Suppressed(smallest if small else None)
        return sizes.get(cells[_MISSING], 0) / sizes[tuple(group)]

    return share(), tuple(share((_GROUP, name)) for name in shown)


def _cells(
    lacking: NDArray[np.bool_], members: Mapping[str, NDArray[np.bool_]], shown: Sequence[str]
) -> dict[Group, int]:
    """Subjects of every group, of both values, and of every pair of them.

    Empty groups are excluded: they disclose no subject.
    """
    all_subjects = np.ones(len(lacking), bool)
    sizes: dict[Group, int] = {}
    for group, inside in [(OVERALL, all_subjects)] + [(((_GROUP, n),), members[n]) for n in shown]:
        sizes[group] = int(inside.sum())
        for value, of_value in ((_MISSING, lacking), (_KNOWN, ~lacking)):
            size = int((inside & of_value).sum())
            if size:
                sizes[(*group, (_VALUE, value))] = size
    return sizes
