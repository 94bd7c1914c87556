"""Panels of what Prometheus has, where `panels` shows what the store has."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import common, stat, table, timeseries
from grafana_foundation_sdk.builders import prometheus as builders
from grafana_foundation_sdk.models import common as commons
from grafana_foundation_sdk.models import dashboard, prometheus

from grafana.boards import look
from grafana.boards.panels import AnyPanel, Size, TableColumn, Words, legend
from grafana.queries.promql import PromQuery


def now(
    words: Words,
    query: PromQuery,
    size: Size,
    unit: str = look.SCORE,
    decimals: int | None = None,
    steps: look.Steps = look.STEPS_PLAIN,
) -> AnyPanel:
    """One number of this moment, coloured."""
    panel = (
        stat.Panel()
        .unit(unit)
        .graph_mode(commons.BigValueGraphMode.NONE)
        .color_mode(commons.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .thresholds(look.thresholds(steps))
    )
    if decimals is not None:
        panel.decimals(decimals)
    return _finished(panel, words, [prometheus_target(query, instant=True)], size)


def over_time(
    words: Words,
    queries: tuple[PromQuery, ...],
    size: Size,
    unit: str = look.SCORE,
    decimals: int = 2,
    steps: look.Steps | None = None,
) -> AnyPanel:
    """Numbers over time; a limit is a dashed line."""
    panel = (
        timeseries.Panel()
        .unit(unit)
        .decimals(decimals)
        .line_width(2)
        .axis_soft_min(0)
        .legend(legend())
        .tooltip(
            common.VizTooltipOptions()
            .mode(commons.TooltipDisplayMode.MULTI)
            .sort(commons.SortOrder.DESCENDING)
        )
    )
    if steps:
        panel.thresholds(look.thresholds(steps))
        panel.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(commons.GraphThresholdsStyleMode.DASHED)
        )
    targets = [
        prometheus_target(query, ref_id=ref_id)
        for query, ref_id in zip(queries, ascii_uppercase, strict=False)
    ]
    return _finished(panel, words, targets, size)


def listed(
    words: Words, query: PromQuery, size: Size, columns: Mapping[str, TableColumn]
) -> AnyPanel:
    """A table of labels of this moment.

    Args:
        words: Its texts.
        query: Its query.
        size: Its size.
        columns: Labels that are shown, in their order; `Value` is the number.
    """
    panel = table.Panel().show_header(True).cell_height(commons.TableCellHeight.SM)
    panel.with_transformation(
        dashboard.DataTransformerConfig(
            id_val="filterFieldsByName", options={"include": {"names": list(columns)}}
        )
    )
    panel.with_transformation(
        dashboard.DataTransformerConfig(
            id_val="organize",
            options={"indexByName": {name: place for place, name in enumerate(columns)}},
        )
    )
    for name, column in columns.items():
        panel.override_by_name(name, column.properties(name))
    return _finished(panel, words, [prometheus_target(query, instant=True)], size)


def prometheus_target(
    query: PromQuery, ref_id: str = "A", instant: bool = False
) -> builders.Dataquery:
    """The query of a panel or alert.

    Args:
        query: The question.
        ref_id: Its name in the panel.
        instant: Whether it is asked for this moment alone.
    """
    target = (
        builders.Dataquery()
        .ref_id(ref_id)
        .datasource(look.PROMETHEUS)
        .editor_mode(prometheus.QueryEditorMode.CODE)
        .expr(query.expression)
        .format(
            prometheus.PromQueryFormat.TABLE if instant else prometheus.PromQueryFormat.TIME_SERIES
        )
    )
    target = target.instant() if instant else target.range()
    if query.legend:
        target.legend_format(query.legend)
    return target


def _finished(panel: Any, words: Words, targets: list[builders.Dataquery], size: Size) -> AnyPanel:
    finished = (
        panel.title(words.title)
        .description(words.description)
        .no_value(words.nothing)
        .datasource(look.PROMETHEUS)
        .span(size.width)
        .height(size.height)
    )
    for target in targets:
        finished.with_target(target)
    built: AnyPanel = finished
    return built
