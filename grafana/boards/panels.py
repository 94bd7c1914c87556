"""Panels: title, description, query, units and the text of an empty panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import barchart, common, stat, table, text, timeseries, trend
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import variants as cogvariants
from grafana_foundation_sdk.models import common as commons
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models import text as texts

from grafana.boards import look
from grafana.queries.pipeline_health import LIMIT_OF_GATE
from grafana.queries.query import Query

AnyPanel = cogbuilder.Builder[dashboard.Panel]

WIDTH = 24
"""Of a board, in Grafana's units."""


class _SqlQuery(cogvariants.Dataquery):
    """A query of Grafana's PostgreSQL data source, for which the SDK has no class."""

    def __init__(self, content: dict[str, object]) -> None:
        self._content = content

    def to_json(self) -> dict[str, object]:
        return self._content


@dataclass(frozen=True)
class SqlTarget(cogbuilder.Builder[cogvariants.Dataquery]):
    """The query of a panel.

    Attributes:
        query: The question.
        series: Whether a column `metric` names the line that a row belongs to.
        ref_id: Its name in the panel.
    """

    query: Query
    series: bool = False
    ref_id: str = "A"

    def build(self) -> cogvariants.Dataquery:
        """The query as Grafana has it."""
        return _SqlQuery(
            {
                "refId": self.ref_id,
                "datasource": {"type": look.DATASOURCE_TYPE, "uid": look.DATASOURCE_UID},
                "editorMode": "code",
                "format": "time_series" if self.series else "table",
                "rawQuery": True,
                "rawSql": self.query.for_grafana(),
            }
        )


@dataclass(frozen=True)
class Words:
    """The texts of a panel.

    Attributes:
        title: The question that it answers.
        description: How to read it.
        nothing: Text shown when there are no data.
    """

    title: str
    description: str
    nothing: str


@dataclass(frozen=True)
class Size:
    """Width, of 24, and height of a panel, in Grafana's units."""

    width: int
    height: int


@dataclass(frozen=True)
class TableColumn:
    """How a column of a table is shown.

    Attributes:
        heading: Its heading; by default it is made of its name.
        unit: Grafana's unit.
        decimals: Digits after the point.
        steps: Colours by value.
        bar: Whether the value is a bar in its cell.
        link: Where a click leads.
        width: In pixels.
    """

    heading: str | None = None
    unit: str | None = None
    decimals: int | None = None
    steps: look.Steps | None = None
    bar: bool = False
    link: dict[str, str] | None = None
    width: int | None = None

    def properties(self, name: str) -> list[dashboard.DynamicConfigValue]:
        """As Grafana has them.

        Args:
            name: The column.
        """
        heading = self.heading or name.replace("_", " ").capitalize()
        values: dict[str, object] = {"displayName": heading}
        if self.unit:
            values["unit"] = self.unit
        if self.decimals is not None:
            values["decimals"] = self.decimals
        if self.steps:
            values["thresholds"] = look.steps_of(self.steps)
            values["custom__cellOptions"] = {"type": "color-text"}
        if self.bar:
            values |= {"min": 0, "max": 1}
            values["custom__cellOptions"] = {"type": "gauge", "mode": "basic"}
        if self.link:
            values["links"] = [self.link]
        if self.width:
            values["custom__width"] = self.width
        return look.properties(**values)


def note(content: str, size: Size) -> AnyPanel:
    """A text."""
    return (
        text.Panel()
        .mode(texts.TextMode.MARKDOWN)
        .content(content)
        .transparent(True)
        .span(size.width)
        .height(size.height)
    )


def figure(
    words: Words,
    query: Query,
    size: Size,
    unit: str = look.SCORE,
    decimals: int | None = None,
    steps: look.Steps = look.STEPS_PLAIN,
) -> AnyPanel:
    """One number or word, coloured."""
    panel = (
        stat.Panel()
        .unit(unit)
        .graph_mode(commons.BigValueGraphMode.NONE)
        .color_mode(commons.BigValueColorMode.VALUE)
        .reduce_options(
            common.ReduceDataOptions()
            .calcs(["lastNotNull"])
            .fields("/.*/" if "text" in query.columns.values() else "")
            .values(False)
        )
        .mappings(look.words())
        .thresholds(look.thresholds(steps))
    )
    if decimals is not None:
        panel.decimals(decimals)
    return _finished(panel, words, SqlTarget(query), size)


def lines(
    words: Words,
    query: Query,
    size: Size,
    unit: str = look.SCORE,
    decimals: int = 2,
    steps: look.Steps | None = None,
    from_zero: bool = False,
) -> AnyPanel:
    """Numbers over time; `lower` and `upper` become a band, limits a dashed line."""
    panel = (
        timeseries.Panel()
        .unit(unit)
        .decimals(decimals)
        .line_width(2)
        .point_size(7)
        .show_points(commons.VisibilityMode.ALWAYS)
        .span_nulls(True)
        .legend(legend())
        .tooltip(
            common.VizTooltipOptions()
            .mode(commons.TooltipDisplayMode.MULTI)
            .sort(commons.SortOrder.DESCENDING)
        )
    )
    if from_zero:
        panel.axis_soft_min(0)
    if steps:
        panel.thresholds(look.thresholds(steps))
        panel.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(commons.GraphThresholdsStyleMode.DASHED)
        )
    for name, values in _styles(_names_of_lines(query)):
        panel.override_by_name(name, look.properties(**values))
    return _finished(panel, words, SqlTarget(query, "metric" in query.columns), size)


def curve(
    words: Words, query: Query, size: Size, across: str, unit: str, decimals: int = 1
) -> AnyPanel:
    """Numbers by another number, a share."""
    panel = (
        trend.Panel()
        .x_field(across)
        .unit(unit)
        .decimals(decimals)
        .line_width(2)
        .point_size(7)
        .show_points(commons.VisibilityMode.ALWAYS)
        .legend(legend())
        .tooltip(common.VizTooltipOptions().mode(commons.TooltipDisplayMode.MULTI))
    )
    if unit != look.SHARE:
        panel.override_by_name(across, look.properties(unit=look.SHARE, decimals=0))
    for name, values in _styles(tuple(query.columns)):
        panel.override_by_name(name, look.properties(**values))
    return _finished(panel, words, SqlTarget(query), size)


def bars(
    words: Words,
    query: Query,
    size: Size,
    across: str,
    unit: str,
    decimals: int = 0,
    by: tuple[str, str] | None = None,
    lying: bool = False,
) -> AnyPanel:
    """Bars.

    Args:
        words: Its texts.
        query: Its query.
        size: Its size.
        across: Column with the names of the bars.
        unit: Unit of their lengths.
        decimals: Digits after the point.
        by: Columns with the names of what is compared and with its values, where bars are in
            groups.
        lying: Whether bars lie.
    """
    lain = commons.VizOrientation.HORIZONTAL if lying else commons.VizOrientation.VERTICAL
    panel = (
        barchart.Panel()
        .x_field(across if by is None else f"{across}\\{by[0]}")
        .orientation(lain)
        .unit(unit)
        .decimals(decimals)
        .axis_soft_min(0)
        .fill_opacity(80)
        .show_value(commons.VisibilityMode.AUTO)
        .x_tick_label_max_length(32)
        .legend(legend())
        .tooltip(common.VizTooltipOptions().mode(commons.TooltipDisplayMode.MULTI))
    )
    if by is not None:
        panel.with_transformation(_matrix(across, *by))
    return _finished(panel, words, SqlTarget(query), size)


def grid(
    words: Words,
    query: Query,
    size: Size,
    columns: Mapping[str, TableColumn] | None = None,
    coloured: Sequence[str] = (),
) -> AnyPanel:
    """A table.

    Args:
        words: Its texts.
        query: Its query.
        size: Its size.
        columns: How columns are shown that are not shown plainly.
        coloured: Columns whose words are coloured.
    """
    panel = table.Panel().show_header(True).cell_height(commons.TableCellHeight.SM)
    shown = columns or {}
    for name in query.columns:
        properties = shown.get(name, TableColumn()).properties(name)
        if name in coloured:
            properties += look.properties(
                mappings=look.words(), custom__cellOptions={"type": "color-text"}
            )
        panel.override_by_name(name, properties)
    return _finished(panel, words, SqlTarget(query), size)


def heat_map(
    words: Words, query: Query, size: Size, rows: str, columns: str, values: str
) -> AnyPanel:
    """A number for each pair of row and column, in a cell coloured by it."""
    panel = (
        table.Panel()
        .show_header(True)
        .cell_height(commons.TableCellHeight.SM)
        .decimals(2)
        .cell_options(
            commons.TableColoredBackgroundCellOptions(
                mode=commons.TableCellBackgroundDisplayMode.GRADIENT
            )
        )
        .with_transformation(_matrix(rows, columns, values))
    )
    panel.color_scheme(builders.FieldColor().mode(dashboard.FieldColorModeId.CONTINUOUS_BLUES))
    panel.override_by_name(
        f"{rows}\\{columns}",
        look.properties(displayName=rows.capitalize(), custom__cellOptions={"type": "auto"}),
    )
    return _finished(panel, words, SqlTarget(query), size)


def _matrix(rows: str, columns: str, values: str) -> dashboard.DataTransformerConfig:
    return dashboard.DataTransformerConfig(
        id_val="groupingToMatrix",
        options={
            "rowField": rows,
            "columnField": columns,
            "valueField": values,
            "emptyValue": "null",
        },
    )


def _names_of_lines(query: Query) -> tuple[str, ...]:
    """Names by which lines can be known: those of columns, or of rows."""
    of_rows = (LIMIT_OF_GATE,) if LIMIT_OF_GATE in query.sql else ()
    return (*query.columns, *of_rows)


def _styles(columns: Sequence[str]) -> list[tuple[str, dict[str, object]]]:
    """How a line looks that is known by its name."""
    hidden = {"legend": True, "tooltip": False, "viz": False}
    edge: dict[str, object] = {
        "custom__lineWidth": 0,
        "custom__showPoints": "never",
        "custom__hideFrom": hidden,
        "color": look.fixed(look.CHALLENGER),
    }
    limit: dict[str, object] = {
        "custom__lineStyle": {"fill": "dash", "dash": [8, 6]},
        "custom__showPoints": "never",
        "color": look.fixed(look.LIMIT),
    }
    aside: dict[str, object] = {"custom__hideFrom": {"legend": True, "tooltip": False, "viz": True}}
    known: dict[str, dict[str, object]] = {
        "challenger": {"color": look.fixed(look.CHALLENGER)},
        "challenger − champion": {"color": look.fixed(look.CHALLENGER)},
        "observed": {"color": look.fixed(look.CHALLENGER)},
        "champion": {"color": look.fixed(look.CHAMPION)},
        "lower": edge,
        "upper": edge | {"custom__fillBelowTo": "lower", "custom__fillOpacity": 15},
        "at least": limit,
        "at most": limit,
        LIMIT_OF_GATE: limit,
        "ideal": limit | {"color": look.fixed(look.PLAIN)},
        "the model": {"color": look.fixed(look.CHALLENGER)},
        "predicting their rate": limit | {"color": look.fixed(look.PLAIN)},
        "subjects": aside | {"unit": look.COUNT, "decimals": 0},
        "observed rate": aside | {"unit": look.SHARE, "decimals": 1},
        "widest interval": aside,
    }
    return [(name, known[name]) for name in columns if name in known]


def legend() -> common.VizLegendOptions:
    """Names of lines, below them."""
    return (
        common.VizLegendOptions()
        .display_mode(commons.LegendDisplayMode.LIST)
        .placement(commons.LegendPlacement.BOTTOM)
        .show_legend(True)
    )


def _finished(panel: Any, words: Words, target: SqlTarget, size: Size) -> AnyPanel:
    finished: AnyPanel = (
        panel.title(words.title)
        .description(words.description)
        .no_value(words.nothing)
        .datasource(look.DATASOURCE)
        .with_target(target)
        .span(size.width)
        .height(size.height)
    )
    return finished
