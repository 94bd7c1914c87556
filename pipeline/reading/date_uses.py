"""Checks the uses of columns of dates, before any row is read."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.errors import UserError
from pipeline.study.references import Reference, Role

_AS_TEXT: frozenset[Role] = frozenset(
    {
        *("arm", "site", "slicing", "feature", "disposition", "event_category"),
        *("event_severity", "visit_name"),
    }
)
"""Uses that take a column's values as text."""


def check_dates(use: Reference, is_dated: bool, qualifiers: Collection[str]) -> None:
    """Checks one use of a column.

    Args:
        use: The use; it names a column.
        is_dated: Whether the column is read as dates, by whichever use.
        qualifiers: Columns of the dataset that a supplemental dataset holds.

    Raises:
        UserError: The date is in a supplemental qualifier, or the column is used as text, too.
    """
    if use.kind == "date" and use.column in qualifiers:
        raise UserError(
            f"{use.key}: column {use.column} is not in the files of dataset {use.dataset}: only "
            "its supplemental qualifiers may hold it, and dates are not read from qualifiers. Add "
            "it to the dataset's own files, or name another column."
        )
    if is_dated and use.kind is None and use.condition is None and use.role in _AS_TEXT:
        raise UserError(
            f"{use.key}: column {use.column} of dataset {use.dataset} is read as dates elsewhere "
            "in the study file, so it can't be a category, arm, site or slice. Name another "
            "column, or add a copy of it to the data."
        )
