"""The columns of a request, whether it has them by subject or by column."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.service.values import ABSENT


@dataclass(frozen=True)
class GivenColumns:
    """Columns of n subjects, as a request names them.

    Attributes:
        rows: n.
        values: The value of each subject by column, `ABSENT` where the request does not have it;
            null, NaN and an empty text are missing values, `[n]`.
    """

    rows: int
    values: Mapping[str, Sequence[object]]


def columns_of_rows(
    rows: Sequence[Mapping[str, object]], most_names: int | None = None
) -> GivenColumns:
    """Columns of subjects that were given one by one.

    Args:
        rows: Columns of each subject by name.
        most_names: Names to keep, those that come first; None for all. With one more than a model
            knows, a request that is cut still has a name that the model does not know. Without a
            limit, subjects with a name of their own each would take the square of their number.

    Examples:
        >>> columns_of_rows([{"AGE": 60, "SEX": "F"}, {"AGE": 70, "SEX": None}])
        GivenColumns(rows=2, values={'AGE': [60, 70], 'SEX': ['F', None]})
    """
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
        if most_names is not None and len(names) >= most_names:
            break
    names = dict.fromkeys(itertools.islice(names, most_names))
    return GivenColumns(
        len(rows), {name: [row.get(name, ABSENT) for row in rows] for name in names}
    )


def joined_columns(parts: Sequence[GivenColumns]) -> GivenColumns:
    """Columns of the subjects of several requests, one after the other.

    Examples:
        >>> joined_columns([GivenColumns(1, {"AGE": [60]}), GivenColumns(2, {"AGE": [70, None]})])
        GivenColumns(rows=3, values={'AGE': [60, 70, None]})
    """
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(name for part in parts for name in part.values)
    values = {
        name: [
            value
            for part in parts
            for value in part.values.get(name) or itertools.repeat(ABSENT, part.rows)
        ]
        for name in names
    }
    return GivenColumns(sum(part.rows for part in parts), values)


def both(first: Sequence[object], second: Sequence[object]) -> tuple[list[object], list[int]]:
    """Values of two names of one column, and the places where both have one.

    Examples:
        >>> both([60, ABSENT, 70], [ABSENT, 65, 75])
        ([60, 65, 70], [2])
    """
    pairs = list(zip(first, second, strict=True))
    twice = [row for row, (a, b) in enumerate(pairs) if a is not ABSENT and b is not ABSENT]
    return [b if a is ABSENT else a for a, b in pairs], twice
