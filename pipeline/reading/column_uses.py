"""What the uses of a dataset ask of its columns."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import UserError
from pipeline.reading.formats import StoredType
from pipeline.study.references import DOMAIN, RECORD_KEY, RELATED_DOMAIN, Kind, Reference
from pipeline.study.sections import Dataset


def named_columns(uses: Iterable[Reference], dataset: str) -> list[str]:
    """Columns of a dataset, each once."""
    found = (use.column for use in uses if use.dataset == dataset and use.column)
    return list(dict.fromkeys(found))


def kinds_of(uses: Iterable[Reference], dataset: str, column: str) -> set[Kind | None]:
    """What the uses of a column ask it to be."""
    return {use.kind for use in uses if (use.dataset, use.column) == (dataset, column)}


def helpful_columns(dataset: Dataset, has_supplement: bool, found: Iterable[str]) -> list[str]:
    """Columns that no section names but that qualifiers refer to."""
    if dataset.supplements:
        return [column for column in found if column == RELATED_DOMAIN]
    if has_supplement:
        return [c for c in found if c == DOMAIN or RECORD_KEY.fullmatch(c)]
    return []


def counts_dates(dataset: Dataset, column: str, stored: dict[str, StoredType]) -> bool:
    """Whether a column's dates are numbers."""
    declared = dataset.columns.get(column)
    if declared is None or declared.type not in ("date", "datetime"):
        return False
    return declared.counts_time or "number" in stored.values()


def expect_type(found: str, use: Reference) -> None:
    """Refuses a column that does not hold what a use asks of it.

    Args:
        found: Its type.
        use: The use.

    Raises:
        UserError: It holds something else.
    """
    if use.kind is None or use.kind == "moment":
        return
    allowed = ("date", "datetime", "text") if use.kind == "date" else (use.kind,)
    if found not in allowed and use.kind != "text":
        raise UserError(
            f"{use.key}: column {use.column} holds {found}, expected a {use.kind}. Name another "
            f"column, or declare its type (datasets.{use.dataset}.columns.{use.column}.type)."
        )
