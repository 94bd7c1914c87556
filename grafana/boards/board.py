"""A board around its panels: variables, links, time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard

from grafana.boards import look
from grafana.boards.panels import AnyPanel
from grafana.queries import registry, variables
from grafana.queries.alerts import MODELS
from grafana.queries.query import Query

TAG = "clinical-trial"
_MODELS = "challenger,champion"


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: Sequence[AnyPanel]


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes:
        uid: Its fixed id; also the name of its file.
        title: Its title.
        description: What it is for.
        variables: What can be chosen on it.
        lead: Panels before the first heading.
        rows: The others.
    """

    uid: str
    title: str
    description: str
    variables: Sequence[builders.QueryVariable | builders.CustomVariable]
    lead: Sequence[AnyPanel]
    rows: Sequence[Row]

    def build(self) -> dashboard.Dashboard:
        """The board in Grafana's form."""
        board = (
            builders.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .readonly()
            .timezone("browser")
            .time("now-1y", "now")
            .refresh("5m")
            .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
            .link(
                builders.DashboardLink("Other boards")
                .type(dashboard.DashboardLinkType.DASHBOARDS)
                .tags([TAG])
                .as_dropdown(True)
                .include_vars(True)
                .keep_time(True)
            )
        )
        for variable in self.variables:
            board.with_variable(variable)
        for panel in self.lead:
            board.with_panel(panel)
        for row in self.rows:
            board.with_row(builders.Row(row.title))
            for panel in row.panels:
                board.with_panel(panel)
        built = board.build()
        for place, item in enumerate(_panels(built), start=1):
            item.id_val = place
        return built


def to_models(label: str) -> dict[str, str]:
    """A link from a model to where it comes from.

    Args:
        label: Column with its id.
    """
    return {
        "title": "Where this model comes from",
        "url": f"/d/{MODELS}?${{study:queryparam}}&var-registered=${{__data.fields.{label}}}",
    }


def study() -> builders.QueryVariable:
    """The study; the latest to run comes first."""
    return _chosen("study", "Study", variables.STUDIES)


def task() -> builders.QueryVariable:
    """Which task of the study."""
    return _chosen("task", "Task", variables.TASKS)


def metric() -> builders.QueryVariable:
    """Which metric."""
    return _chosen("metric", "Metric", variables.METRICS)


def decision() -> builders.QueryVariable:
    """Which decision threshold, for metrics of decisions; 0 for all others."""
    return _chosen("decision", "Decision threshold", variables.DECISION_THRESHOLDS)


def slicing() -> builders.QueryVariable:
    """The slicing."""
    return _chosen("slicing", "Slicing", variables.SLICINGS)


def run() -> builders.QueryVariable:
    """Which run; the newest comes first."""
    return _chosen("run", "Run", variables.RUNS)


def registered() -> builders.QueryVariable:
    """Which registered model; the champion comes first."""
    return _chosen("registered", "Model", registry.REGISTERED)


def parameter() -> builders.QueryVariable:
    """Which endpoint."""
    return _chosen("parameter", "Endpoint", variables.PARAMETERS)


def model() -> builders.CustomVariable:
    """The run's own model, or the champion on the same subjects."""
    first = _MODELS.split(",")[0]
    return (
        builders.CustomVariable("model")
        .label("Model")
        .values(_MODELS)
        .current(dashboard.VariableOption(text=first, value=first, selected=True))
        .multi(False)
        .include_all(False)
    )


def _chosen(name: str, label: str, query: Query) -> builders.QueryVariable:
    sql = query.for_grafana()
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(look.DATASOURCE)
        .query(sql)
        .definition(sql)
        .refresh(dashboard.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(dashboard.VariableSort.DISABLED)
        .multi(False)
        .include_all(False)
    )


def _panels(board: dashboard.Dashboard) -> Iterator[dashboard.Panel | dashboard.RowPanel]:
    for item in board.panels or []:
        yield item
        if isinstance(item, dashboard.RowPanel):
            yield from item.panels
