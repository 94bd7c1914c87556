"""The page's queries to the store about one study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from grafana.queries.query import Query, Row
from pipeline.estimates import Estimate
from pipeline.html import charts
from pipeline.html.blocks import Block

EVER = datetime(1900, 1, 1)
"""Start of what is shown, where nothing is left out."""

MOST_COMPARED = 5
"""Most lines that a chart has distinct colours for."""


@dataclass(frozen=True)
class StudyStore:
    """A study in a store.

    Attributes:
        connection: To the store.
        study: Name of the study.
        title: The study as people read it.
        since: Start of the first run that is shown.
    """

    connection: Connection
    study: str
    title: str
    since: datetime

    def ask(self, query: Query, **parameters: object) -> list[Row]:
        """Rows of a question about the study."""
        return query.rows(self.connection, {"study": self.study, **parameters}, self.since)

    def one(self, query: Query, **parameters: object) -> Row | None:
        """The only row, or None."""
        rows = self.ask(query, **parameters)
        return rows[0] if rows else None

    def values(self, query: Query) -> list[str]:
        """What can be chosen."""
        return [row["value"] for row in self.ask(query)]

    def titles(self, query: Query) -> dict[str, str]:
        """What can be chosen, with what people read, by name."""
        return {row["__value"]: row["__text"] for row in self.ask(query)}


def estimate(row: Row, value: str = "value") -> Estimate:
    """A row's number with its interval."""
    return Estimate(row[value], row["lower"], row["upper"])


def places(times: Sequence[datetime]) -> list[str]:
    """Label of each run on an axis: its day, with the hour where days repeat."""
    days = [f"{time:%d %b}" for time in times]
    if len(set(days)) == len(days):
        return days
    return [f"{time:%d %b %H:%M}" for time in times]


def lines_over_runs(
    rows: Sequence[Row],
    value: str,
    measure: charts.Measure,
    caption: str,
    limit: charts.Limit | None = None,
) -> list[Block]:
    """A chart of rows with `time` and `metric`: the lines with the greatest values.

    Args:
        rows: Rows in time.
        value: Column of the value.
        measure: What it is.
        caption: Below the chart; it names a line that stands alone.
        limit: The threshold's limit.

    Returns:
        The chart, or nothing where there is nothing to draw.
    """
    times = sorted({row["time"] for row in rows})
    found: dict[str, dict[datetime, float]] = {}
    for row in rows:
        if row[value] is not None:
            found.setdefault(row["metric"], {})[row["time"]] = row[value]
    greatest = sorted(found, key=lambda name: (-max(found[name].values()), name))[:MOST_COMPARED]
    if not greatest:
        return []
    if len(greatest) == 1:
        caption = f"{caption} Shown: {greatest[0]}."
    lines = [
        charts.Line(
            name,
            [Estimate(found[name][time]) if time in found[name] else None for time in times],
        )
        for name in greatest
    ]
    return [charts.line_chart(lines, places(times), measure, caption, limit)]


def first_seen(values: Iterable[str]) -> list[str]:
    """Each value once, in the order of their first appearance."""
    return list(dict.fromkeys(values))
