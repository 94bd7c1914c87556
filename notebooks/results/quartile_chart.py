"""Quartiles of groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from notebooks.results.attributions import Box
from pipeline.html.blocks import Figure
from pipeline.html.charts import Measure
from pipeline.html.charts.drawing import CHARACTER, SMALL_TEXT, axes_at, drawn, note, scale
from pipeline.html.charts.terms import listed
from pipeline.html.numbers import count, number
from pipeline.html.palette import INK, MUTED, PAPER, SERIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_BOX_PLOT = 300.0
_BOX_LINE = 24.0
_BOX_TOP, _BOX_BOTTOM = 34.0, 46.0
_NUMBERS_WIDTH = 196.0
_SIZES_WIDTH = 66.0


def quartile_chart(rows: Sequence[Box | str], measure: Measure, caption: str = "") -> Figure:
    """Draws the quartiles of groups, one line per group; nothing beyond the quartiles.

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

    texts = listed(
        [f"{box.group} {_quartiles(box, measure)}, {count(box.subjects)} subjects" for box in boxes]
    )
    svg = drawn(left + _BOX_PLOT + right, height, draw)
    return Figure(svg, f"Median and quartiles of {measure.title}. {texts}", caption)


def _quartiles(box: Box, measure: Measure) -> str:
    ends = (
        number(end * (100 if measure.percent else 1), measure.decimals)
        for end in (box.lower_quartile, box.upper_quartile)
    )
    return f"{measure.text(box.median)} ({' to '.join(ends)})"
