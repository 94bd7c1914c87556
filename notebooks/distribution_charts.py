"""Charts of distributions: bars side by side, and quartiles of groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from notebooks.attributions import Box
from notebooks.feature_statistics import Bars
from pipeline.html.blocks import Figure
from pipeline.html.charts import Measure
from pipeline.html.charts.drawing import (
    CHARACTER,
    SMALL_TEXT,
    Heading,
    axes_at,
    coloured,
    drawn,
    note,
    scale,
)
from pipeline.html.charts.terms import listed
from pipeline.html.numbers import count, number
from pipeline.html.palette import INK, MUTED, PAPER, SERIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_BARS_PLOT = 366.0
_BARS_HEIGHT = 116.0
_BAR_SHARE = 0.84
_LEFT, _RIGHT, _BOTTOM = 52.0, 12.0, 30.0
_LEVEL_CHARACTERS = 6
_LOWERED = 62.0
_TURNED = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}

_BOX_PLOT = 300.0
_BOX_LINE = 24.0
_BOX_TOP, _BOX_BOTTOM = 34.0, 46.0
_NUMBERS_WIDTH = 196.0
_SIZES_WIDTH = 66.0


def distribution_chart(title: str, distributions: Sequence[str], bars: Bars) -> Figure:
    """Draws distributions of one column beside each other.

    Args:
        title: The column.
        distributions: What is compared, at most five.
        bars: Shares of each.
    """
    heading = Heading(f"{title}: share of subjects", distributions, _BARS_PLOT)
    slanted = len(bars.names) * max(map(len, bars.names)) * CHARACTER > _BARS_PLOT
    bottom = _LOWERED if slanted else _BOTTOM
    width = _BAR_SHARE / len(distributions)

    def draw(canvas: Canvas) -> None:
        axes = axes_at(canvas, _LEFT, _RIGHT, heading.height, bottom)
        named = zip(distributions, bars.shares, strict=True)
        for place, ((name, shares), colour, layer) in enumerate(coloured(list(named))):
            left = [bar - _BAR_SHARE / 2 + width * (place + 0.5) for bar in range(len(shares))]
            axes.bar(left, shares, width=width, color=colour, label=name, zorder=layer)
        axes.grid(axis="y")
        axes.tick_params(axis="x", length=0)
        turned: dict[str, Any] = _TURNED if slanted else {}
        shortened = [_short(name) for name in bars.names]
        axes.set_xticks(range(len(bars.names)), shortened, fontsize=SMALL_TEXT, **turned)
        scale(axes.yaxis, percent=True)
        heading.draw(axes)

    spoken = [
        f"{name}: {_said(bars.names, shares)}"
        for name, shares in zip(distributions, bars.shares, strict=True)
    ]
    svg = drawn(_LEFT + _BARS_PLOT + _RIGHT, heading.height + _BARS_HEIGHT + bottom, draw)
    return Figure(svg, f"Distribution of {title}. {listed(spoken)}")


def quartile_chart(rows: Sequence[Box | str], measure: Measure, caption: str = "") -> Figure:
    """Draws the quartiles of groups, a line a group; nothing beyond the quartiles.

    Args:
        rows: Groups from top to bottom; a text is a heading.
        measure: What is measured.
        caption: Below the figure.
    """
    boxes = [row for row in rows if isinstance(row, Box)]
    names = [row if isinstance(row, str) else row.group for row in rows]
    left = CHARACTER * max(map(len, names), default=0) + 12
    right = _NUMBERS_WIDTH + _SIZES_WIDTH
    height = _BOX_TOP + _BOX_BOTTOM + _BOX_LINE * max(len(rows), 1)

    def draw(canvas: Canvas) -> None:
        axes = axes_at(canvas, left, right, _BOX_TOP, _BOX_BOTTOM)
        axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.axvline(0, color=MUTED, linewidth=1)
        for title, end in (("median (quartiles)", _NUMBERS_WIDTH), ("subjects", right)):
            note(axes, title, (1, 1), (end - 4, 10), align="right", colour=MUTED, size=SMALL_TEXT)
        for place, row in enumerate(rows):
            if isinstance(row, str):
                note(axes, row, (0, place), (8 - left, 0), up="data", bold=True)
                continue
            spread = row.upper_quartile - row.lower_quartile
            axes.barh(
                place, spread, left=row.lower_quartile, height=0.5, color=SERIES[0], alpha=0.45
            )
            axes.plot([row.median], [place], marker="s", color=SERIES[0], markeredgecolor=PAPER)
            for text, end, colour in (
                (_quartiles(row, measure), _NUMBERS_WIDTH, INK),
                (count(row.subjects), right, MUTED),
            ):
                note(axes, text, (1, place), (end - 4, 0), up="data", align="right", colour=colour)
        ticks = {place: row.group for place, row in enumerate(rows) if isinstance(row, Box)}
        axes.set_yticks(list(ticks), list(ticks.values()), color=INK)
        axes.set_xlabel(measure.title)
        scale(axes.xaxis, measure.percent)

    spoken = listed(
        [f"{box.group} {_quartiles(box, measure)}, {count(box.subjects)} subjects" for box in boxes]
    )
    svg = drawn(left + _BOX_PLOT + right, height, draw)
    return Figure(svg, f"Median and quartiles of {measure.title}. {spoken}", caption)


def _quartiles(box: Box, measure: Measure) -> str:
    ends = (
        number(end * (100 if measure.percent else 1), measure.decimals)
        for end in (box.lower_quartile, box.upper_quartile)
    )
    return f"{measure.text(box.median)} ({' to '.join(ends)})"


def _said(names: Sequence[str], shares: Sequence[float]) -> str:
    pairs = zip(names, shares, strict=True)
    return ", ".join(f"{name} {number(share, 0, percent=True)}" for name, share in pairs)


def _short(name: str) -> str:
    most = _LEVEL_CHARACTERS * 2
    return name if len(name) <= most else f"{name[: most - 1]}…"
