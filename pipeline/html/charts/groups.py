"""A line a group: forest plots and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.estimates import Estimate
from pipeline.html.blocks import Figure
from pipeline.html.charts.drawing import (
    SMALL_TEXT,
    axes_at,
    drawn,
    limit_across,
    note,
    scale,
    text_width,
)
from pipeline.html.charts.terms import (
    Limit,
    Measure,
    ends,
    known,
    listed,
    point,
    with_limit,
)
from pipeline.html.numbers import Suppressed, has_interval, round_text, text_of
from pipeline.html.palette import INK, LIMIT, MUTED, PAPER, SERIES, Tone

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_LEAST_PLOT = 300.0
_LEAST_WIDTH = 740.0
_LINE = 24.0
_TOP, _BOTTOM = 34.0, 46.0
_SIZES_WIDTH = 66.0


@dataclass(frozen=True)
class ForestRow:
    """A group in a forest plot.

    Attributes:
        label: The group.
        found: Its number with interval.
        subjects: How many subjects stand behind it; None to leave that out.
        tone: `bad` where it fails a threshold.
    """

    label: str
    found: Estimate
    subjects: int | Suppressed | None = None
    tone: Tone = "neutral"


@dataclass(frozen=True)
class Bar:
    """A bar with what it stands for; `bad` where it is over the limit."""

    label: str
    found: Estimate
    tone: Tone = "neutral"


def forest_plot(
    rows: Sequence[ForestRow | str],
    measure: Measure,
    caption: str = "",
    reference: float | None = None,
    limit: Limit | None = None,
    logarithmic: bool = False,
) -> Figure:
    """Draws numbers with their 95 % intervals, a line a group.

    Args:
        rows: Groups from top to bottom; a text is a heading.
        measure: What is measured.
        caption: Below the figure.
        reference: Position of a thin line: no effect, or the value of all subjects.
        limit: The threshold's limit.
        logarithmic: Whether the axis is one of ratios.
    """
    groups = [row for row in rows if isinstance(row, ForestRow)]
    left = text_width([row if isinstance(row, str) else row.label for row in rows]) + 12
    texts = text_width([measure.text(row.found) for row in groups] + [_NUMBERS]) + 14
    sizes = _SIZES_WIDTH if any(row.subjects is not None for row in groups) else 0.0

    def draw(canvas: Canvas) -> None:
        axes = _axes(canvas, len(rows), left, texts + sizes)
        if logarithmic:
            axes.set_xscale("log")
        if reference is not None:
            axes.axvline(reference, color=MUTED, linewidth=1)
        limit_across(axes, limit, measure.percent)
        _heading(axes, _NUMBERS, texts)
        if sizes:
            _heading(axes, "subjects", texts + sizes)
        for place, row in enumerate(rows):
            if isinstance(row, str):
                note(axes, row, (0, place), (8 - left, 0), up="data", bold=True)
            else:
                _group(axes, place, row, measure, (texts, texts + sizes))
        names = {place: row.label for place, row in enumerate(rows) if isinstance(row, ForestRow)}
        axes.set_yticks(list(names), list(names.values()), color=INK)
        axes.set_xlabel(measure.title)
        if logarithmic:
            axes.xaxis.set_major_formatter(lambda value, _: round_text(value, measure.percent))
            axes.xaxis.set_minor_formatter(lambda value, _: round_text(value, measure.percent))
        else:
            scale(axes.xaxis, measure.percent)

    descriptions = listed([_describe_row(row, measure) for row in groups])
    description = f"Forest plot of {measure.title} with 95 % intervals. {descriptions}"
    svg = drawn(*_size(len(rows), left, texts + sizes), draw)
    return Figure(svg, with_limit(description, limit, measure.percent), caption)


def bar_chart(
    bars: Sequence[Bar], measure: Measure, caption: str = "", limit: Limit | None = None
) -> Figure:
    """Draws horizontal bars from zero, with intervals where there are some.

    Args:
        bars: From top to bottom.
        measure: What is measured.
        caption: Below the figure.
        limit: The threshold's limit.
    """
    texts = [
        measure.text(bar.found if has_interval(bar.found) else bar.found.value) for bar in bars
    ]
    left = text_width([bar.label for bar in bars]) + 12
    right = text_width(texts) + 14

    def draw(canvas: Canvas) -> None:
        axes = _axes(canvas, len(bars), left, right)
        for place, (bar, text) in enumerate(zip(bars, texts, strict=True)):
            if known(bar.found):
                colour = LIMIT if bar.tone == "bad" else SERIES[0]
                axes.barh(place, point(bar.found), height=0.6, color=colour, alpha=0.75)
            if has_interval(bar.found):
                axes.hlines(place, *ends(bar.found), color=INK, linewidth=1.2)
            _beside(axes, place, right, text, INK)
        axes.axvline(0, color=MUTED, linewidth=1)
        limit_across(axes, limit, measure.percent)
        axes.set_yticks(range(len(bars)), [bar.label for bar in bars], color=INK)
        axes.set_xlabel(measure.title)
        scale(axes.xaxis, measure.percent)

    descriptions = listed([f"{bar.label} {text}" for bar, text in zip(bars, texts, strict=True)])
    description = with_limit(f"Bars of {measure.title}. {descriptions}", limit, measure.percent)
    return Figure(drawn(*_size(len(bars), left, right), draw), description, caption)


_NUMBERS = "95 % interval"


def _size(lines: int, left: float, right: float) -> tuple[float, float]:
    width = max(_LEAST_WIDTH, left + _LEAST_PLOT + right)
    return width, _TOP + _BOTTOM + _LINE * max(lines, 1)


def _axes(canvas: Canvas, lines: int, left: float, right: float) -> Axes:
    axes = axes_at(canvas, left, right, _TOP, _BOTTOM)
    axes.set_ylim(max(lines, 1) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    return axes


def _group(
    axes: Axes, place: int, row: ForestRow, measure: Measure, columns: tuple[float, float]
) -> None:
    colour = LIMIT if row.tone == "bad" else SERIES[0]
    if known(row.found):
        if has_interval(row.found):
            axes.hlines(place, *ends(row.found), color=colour, linewidth=2)
        axes.plot(
            [point(row.found)],
            [place],
            marker="s",
            markersize=7,
            color=colour,
            markeredgecolor=PAPER,
        )
    _beside(axes, place, columns[0], measure.text(row.found), LIMIT if row.tone == "bad" else INK)
    if row.subjects is not None:
        _beside(axes, place, columns[1], text_of(row.subjects), MUTED)


def _heading(axes: Axes, text: str, right: float) -> None:
    note(axes, text, (1, 1), (right - 4, 10), align="right", colour=MUTED, size=SMALL_TEXT)


def _beside(axes: Axes, place: int, right: float, text: str, colour: str) -> None:
    note(axes, text, (1, place), (right - 4, 0), up="data", align="right", colour=colour)


def _describe_row(row: ForestRow, measure: Measure) -> str:
    subjects = "" if row.subjects is None else f", {text_of(row.subjects)} subjects"
    failing = ", fails" if row.tone == "bad" else ""
    return f"{row.label} {measure.text(row.found)}{subjects}{failing}"
