"""How far predictions spread between training samples, by predicted probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.estimates import NORMAL_95
from pipeline.html.blocks import Figure
from pipeline.html.charts.drawing import DOTTED, Heading, axes_at, drawn, scale
from pipeline.html.charts.terms import listed
from pipeline.html.numbers import count, number
from pipeline.html.palette import MUTED, SERIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from pipeline.results.stability import SpreadBin

_PLOT = 340.0
_LEFT, _RIGHT, _BOTTOM = 62.0, 18.0, 48.0
_WIDTH = _LEFT + _PLOT + _RIGHT
_ROOM = 1.08


def stability_chart(bins: Sequence[SpreadBin], caption: str = "") -> Figure:
    """Draws where 95 % of a subject's predictions by other training samples lie.

    Args:
        bins: At least one, predictions rising.
        caption: Below the figure.
    """
    heading = Heading("prediction with another training sample", (), _PLOT)
    ranges = [_range(item) for item in bins]
    reach = min(1.0, _ROOM * max(high for _, high in ranges))

    def draw(canvas: Canvas) -> None:
        axes = axes_at(canvas, _LEFT, _RIGHT, heading.height, _BOTTOM)
        axes.plot([0, reach], [0, reach], color=MUTED, linewidth=1, linestyle=DOTTED)
        x = [item.mean_prediction for item in bins]
        low, high = zip(*ranges, strict=True)
        axes.fill_between(x, low, high, color=SERIES[0], alpha=0.15, linewidth=0)
        axes.vlines(x, low, high, color=SERIES[0], linewidth=1.5)
        axes.plot(x, x, color=SERIES[0], marker="o", markersize=4, linewidth=0)
        axes.set(xlim=(0, reach), ylim=(0, reach))
        axes.grid()
        axes.set_xlabel("predicted probability")
        scale(axes.xaxis, percent=True)
        scale(axes.yaxis, percent=True)
        heading.draw(axes)

    texts = listed([_describe(item) for item in bins])
    description = f"Prediction with another training sample by predicted probability. {texts}"
    return Figure(drawn(_WIDTH, heading.height + _PLOT + _BOTTOM, draw), description, caption)


def _range(item: SpreadBin) -> tuple[float, float]:
    reach = NORMAL_95 * item.spread
    return max(0.0, item.mean_prediction - reach), min(1.0, item.mean_prediction + reach)


def _describe(item: SpreadBin) -> str:
    low, high = _range(item)
    return (
        f"{number(item.mean_prediction, 1, percent=True)}: between "
        f"{number(low, 1, percent=True)} and {number(high, 1, percent=True)}, "
        f"{count(item.subjects)} subjects"
    )
