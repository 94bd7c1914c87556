"""A query to the store, in SQL that PostgreSQL and SQLite both understand.

Names such as `:study` are filled in: by Grafana from a board's variables, by the page from the
study that it shows. Two expressions that differ between the databases are macros:
`$__timeFilter(column)`, which is Grafana's own, and `$__daysSince(column)`, which is made here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, text

from pipeline.store.models import UtcTime

Kind = Literal["time", "text", "number", "count"]
"""Type of a column: time, text, number, whole number."""

Row = Mapping[str, Any]

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")
_TIME_FILTER = re.compile(r"\$__timeFilter\(([\w.]+)\)")
_DAYS_SINCE = re.compile(r"\$__daysSince\(([\w.]+)\)")
_DAYS = {
    "postgresql": r"(EXTRACT(EPOCH FROM (CURRENT_TIMESTAMP - \1)) / 86400.0)",
    "sqlite": r"(julianday('now') - julianday(\1))",
}


@dataclass(frozen=True)
class Query:
    """A query to the store.

    Attributes:
        sql: The statement.
        columns: Types of its columns, in their order.
    """

    sql: str
    columns: Mapping[str, Kind]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names that have to be filled in, each once."""
        return tuple(dict.fromkeys(_PARAMETER.findall(self.sql)))

    def for_grafana(self) -> str:
        """The statement with Grafana's variables, quoted by Grafana."""
        sql = _PARAMETER.sub(r"${\1:sqlstring}", self.sql.strip())
        lines = _DAYS_SINCE.sub(_DAYS["postgresql"], sql).splitlines()
        return "\n".join(line.rstrip() for line in lines if line.strip())

    def rows(
        self, connection: Connection, parameters: Mapping[str, Any], since: datetime
    ) -> list[Row]:
        """Executes the query.

        Args:
            connection: To the store.
            parameters: What is filled in; others than the query's are of no effect.
            since: Where the time filter begins; it has no end.

        Returns:
            Rows by column; a number is a `float`, a whole number an `int`, a moment in UTC.
        """
        sql = _TIME_FILTER.sub(r"\1 >= :since", self.sql)
        sql = _DAYS_SINCE.sub(_DAYS[connection.dialect.name], sql)
        given = {name: parameters[name] for name in self.parameters}
        statement = text(sql)
        if ":since" in sql:
            statement = statement.bindparams(bindparam("since", since, UtcTime()))
        moments = {name: UtcTime() for name, kind in self.columns.items() if kind == "time"}
        found = connection.execute(statement.columns(**moments), given)
        return [
            {name: _plain(row[name], kind) for name, kind in self.columns.items()}
            for row in found.mappings()
        ]


TRAINING_RUNS = "(SELECT * FROM runs WHERE kind = 'training')"
"""SQL of the runs that train a model: validations are no runs of their study's pipeline."""


NEWEST_OUTCOMES = """(SELECT run, status, failed_stage, reason, ended FROM (
  SELECT run, status, failed_stage, reason, ended,
         ROW_NUMBER() OVER (PARTITION BY run ORDER BY ended DESC) AS place
  FROM outcomes) every_outcome WHERE place = 1)"""
"""SQL of how each run stands that has ended: a resumed run may have ended before, and one that is
running has no row."""

UNSUCCESSFUL = "('failed', 'killed')"
"""SQL of the statuses that need a person: Ctrl-C was a person's own decision."""


def shown_name(alias: str, about: str) -> str:
    """SQL of what a finding is about, for people: of a feature its title, where it has one.

    Args:
        alias: Alias of `gate_findings`.
        about: The column.
    """
    return f"COALESCE({alias}.title, {alias}.{about})" if about == "feature" else f"{alias}.{about}"


def titled(kind: Literal["task", "slicing"], run: str, name: str) -> str:
    """SQL of a task or slicing, for people: its title in a run, or its name where it has none.

    Args:
        kind: What it is.
        run: SQL of the run's id.
        name: SQL of its name.
    """
    title = (
        f"SELECT known.title FROM titles known WHERE known.run = {run} AND known.kind = '{kind}' "
        f"AND known.name = {name}"
    )
    return f"COALESCE(({title}), {name})"


def newest(table: str) -> str:
    """SQL of the newest run of the chosen study that has rows in a table."""
    return (
        f"(SELECT n.run FROM {TRAINING_RUNS} n WHERE n.study = :study "
        f"AND EXISTS (SELECT 1 FROM {table} e WHERE e.run = n.run) "
        f"ORDER BY n.started DESC LIMIT 1)"
    )


def _plain(value: Any, kind: Kind) -> Any:
    """A value in a type that all databases have; a decimal becomes a float."""
    if value is None:
        return None
    if kind == "number":
        return float(value)
    return int(value) if kind == "count" else value
