"""What the store knows of one study, as the page asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from grafana.queries.query import Query, Row
from pipeline.html import charts
from pipeline.html.numbers import Estimate

MOST_COMPARED = 5
"""Lines that a chart can tell apart."""


@dataclass(frozen=True)
class StudyStore:
    """A study in a store.

    Attributes:
        connection: To the store.
        study: Name of the study.
        since: Start of the first run that is shown.
    """

    connection: Connection
    study: str
    since: datetime

    def ask(self, query: Query, **parameters: object) -> list[Row]:
        """Rows of a question about the study."""
        return query.rows(self.connection, {"study": self.study, **parameters}, self.since)

    def one(self, query: Query, **parameters: object) -> Row | None:
        """The only row, or None."""
        rows = self.ask(query, **parameters)
        return rows[0] if rows else None

    def values(self, query: Query, **parameters: object) -> list[str]:
        """What can be chosen."""
        return [row["value"] for row in self.ask(query, **parameters)]


def estimate(row: Row, value: str = "value") -> Estimate:
    """A row's number with its interval."""
    return Estimate(row[value], row["lower"], row["upper"])


def places(times: Sequence[datetime]) -> list[str]:
    """What stands at each run of an axis: its day, with the hour where days repeat."""
    days = [f"{time:%d %b}" for time in times]
    if len(set(days)) == len(days):
        return days
    return [f"{time:%d %b %H:%M}" for time in times]


def lines_by_name(
    rows: Sequence[Row], value: str, most: int = MOST_COMPARED
) -> tuple[list[charts.Line], list[datetime]]:
    """Lines of rows with `time` and `metric`, those with the greatest values.

    Args:
        rows: Rows in time.
        value: Column of the value.
        most: How many lines.

    Returns:
        The lines and the times of their points.
    """
    times = sorted({row["time"] for row in rows})
    found: dict[str, dict[datetime, float]] = {}
    for row in rows:
        if row[value] is not None:
            found.setdefault(row["metric"], {})[row["time"]] = row[value]
    greatest = sorted(found, key=lambda name: (-max(found[name].values()), name))[:most]
    lines = [
        charts.Line(
            name,
            [Estimate(found[name][time]) if time in found[name] else None for time in times],
        )
        for name in greatest
    ]
    return lines, times


def first_seen(values: Iterable[str]) -> list[str]:
    """Each value once, in the order of their first appearance."""
    return list(dict.fromkeys(values))
