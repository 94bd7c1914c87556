"""Distributions of a column side by side, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from notebooks.data.feature_statistics import Bars
from pipeline.html.blocks import Figure
from pipeline.html.charts.drawing import (
    CHARACTER,
    SMALL_TEXT,
    Heading,
    axes_at,
    coloured,
    drawn,
    scale,
)
from pipeline.html.charts.terms import listed
from pipeline.html.numbers import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_BARS_PLOT = 366.0
_BARS_HEIGHT = 116.0
_BAR_SHARE = 0.84
_LEFT, _RIGHT, _BOTTOM = 52.0, 12.0, 30.0
_LEVEL_CHARACTERS = 6
_LOWERED = 62.0
_TURNED = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}


def distribution_chart(title: str, distributions: Sequence[str], bars: Bars) -> Figure:
    """Draws distributions of one column side by side.

    Args:
        title: The column.
        distributions: Names of the distributions, at most five.
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

    texts = [
        f"{name}: {_share_texts(bars.names, shares)}"
        for name, shares in zip(distributions, bars.shares, strict=True)
    ]
    svg = drawn(_LEFT + _BARS_PLOT + _RIGHT, heading.height + _BARS_HEIGHT + bottom, draw)
    return Figure(svg, f"Distribution of {title}. {listed(texts)}")


def _share_texts(names: Sequence[str], shares: Sequence[float]) -> str:
    pairs = zip(names, shares, strict=True)
    return ", ".join(f"{name} {number(share, 0, percent=True)}" for name, share in pairs)


def _short(name: str) -> str:
    most = _LEVEL_CHARACTERS * 2
    return name if len(name) <= most else f"{name[: most - 1]}…"
