"""The generated files as Grafana reads them: variables filled in, macros expanded."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from grafana.queries import (
    alerts,
    external_validation,
    in_service,
    model_quality,
    pipeline_health,
    registry,
    service_metrics,
    service_rules,
    trial_progress,
    variables,
)
from grafana.queries.promql import PromQuery
from grafana.queries.query import Query

FOLDER = Path(__file__).parents[2] / "grafana"
REFERENCE = Path(os.environ.get("TRIAL_REFERENCE_DIR", FOLDER.parents[1] / "shared" / "reference"))
"""Folder of Grafana's own schemas."""
BOARDS = (
    "trial-model-quality",
    "trial-progress",
    "trial-pipeline-health",
    "trial-in-service",
    "trial-models",
)
MODULES = (
    alerts,
    external_validation,
    in_service,
    model_quality,
    pipeline_health,
    registry,
    trial_progress,
    variables,
)

_MACRO = re.compile(r"\$__(\w+)\(([^()]*)\)")
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}")


@dataclass(frozen=True)
class Asked:
    """A query that stands in a file.

    Attributes:
        place: Board and panel, or the alert.
        sql: The statement as it is written.
        format: `table` or `time_series`.
    """

    place: str
    sql: str
    format: str = "table"

    @property
    def query(self) -> Query:
        """What it is in the project."""
        return next(query for query in queries().values() if query.for_grafana() == self.sql)


def queries() -> dict[str, Query]:
    """All questions by their names."""
    return {
        f"{module.__name__.rsplit('.', 1)[-1]}.{name}": value
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, Query)
    }


def board(uid: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / "dashboards" / f"{uid}.json").read_text())
    return content


def provisioned(path: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / "provisioning" / path).read_text())
    return content


def panels(uid: str) -> Iterator[dict[str, Any]]:
    """Panels of a board, those of collapsed rows too, without the rows."""
    for item in board(uid)["panels"]:
        if item["type"] == "row":
            yield from item["panels"]
        else:
            yield item


def panel_queries(uid: str) -> list[Asked]:
    return [
        Asked(f"{uid}: {panel['title']}", target["rawSql"], target["format"])
        for panel in panels(uid)
        for target in panel.get("targets", ())
        if "rawSql" in target
    ]


def prometheus_queries(uid: str) -> list[tuple[str, str]]:
    """Panels of a board that ask Prometheus, each with what it asks."""
    return [
        (panel["title"], target["expr"])
        for panel in panels(uid)
        for target in panel.get("targets", ())
        if "expr" in target
    ]


def known_expressions() -> set[str]:
    """What the project asks Prometheus."""
    found = [value for value in vars(service_metrics).values() if isinstance(value, PromQuery)]
    found += service_metrics.LATENCIES
    found += [alert.raised for alert in service_rules.SERVICE_ALERTS]
    return {query.expression for query in found}


def alert_queries() -> list[Asked]:
    return [
        Asked(rule["uid"], query["model"]["rawSql"], query["model"]["format"])
        for group in provisioned("alerting/rules.yaml")["groups"]
        for rule in group["rules"]
        for query in rule["data"]
        if "rawSql" in query["model"]
    ]


def filled(sql: str, values: Mapping[str, str]) -> str:
    """The statement with its variables: `${name:sqlstring}` is quoted, quotes are doubled."""

    def value(match: re.Match[str]) -> str:
        name, form = match.groups()
        assert form == "sqlstring", f"{match.group()}: unquoted"
        return "'" + values[name].replace("'", "''") + "'"

    return _VARIABLE.sub(value, sql)


def expanded(sql: str, since: str, until: str) -> str:
    """The statement with its macros; an unknown one is an error, as in Grafana.

    Args:
        sql: The statement.
        since: Start of the time range, RFC 3339 in UTC.
        until: Its end.
    """

    def macro(match: re.Match[str]) -> str:
        name, column = match.groups()
        if name == "timeFilter":
            return f"{column} BETWEEN '{since}' AND '{until}'"
        raise AssertionError(f"unknown macro $__{name}")

    found = _MACRO.sub(macro, sql)
    assert "$" not in found, f"left over: {found}"
    return found
