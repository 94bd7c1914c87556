"""Decision curve: net benefit by threshold, beside treating all subjects and none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.html.blocks import Figure
from pipeline.html.charts.drawing import DASHED, DOTTED, Heading, axes_at, coloured, drawn, scale
from pipeline.html.charts.terms import ends, listed
from pipeline.html.numbers import estimate, number
from pipeline.html.palette import INK, MUTED
from pipeline.results.clinical_curves import DecisionPoint

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

TREAT_ALL = "treat all"
TREAT_NONE = "treat none"
_PLOT = 340.0
_LEFT, _RIGHT, _BOTTOM = 62.0, 18.0, 48.0
_WIDTH = _LEFT + _PLOT + _RIGHT
_STEPS = 200
_BELOW = 0.25
"""How far the axis reaches below 0, as a share of the highest net benefit."""


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit of one model.

    Attributes:
        name: The model.
        points: Thresholds rising.
    """

    name: str
    points: Sequence[DecisionPoint]


def decision_curve(curves: Sequence[DecisionCurve], prevalence: float, caption: str = "") -> Figure:
    """Draws net benefit by threshold; the interval is drawn of the first curve.

    Args:
        curves: At most five, each with a point.
        prevalence: Share of subjects with the outcome: the highest possible net benefit.
        caption: Below the figure.
    """
    names = [*(curve.name for curve in curves), TREAT_ALL, TREAT_NONE]
    heading = Heading("net benefit per subject", names, _PLOT)
    reach = max(point.threshold for curve in curves for point in curve.points)

    def draw(canvas: Canvas) -> None:
        axes = axes_at(canvas, _LEFT, _RIGHT, heading.height, _BOTTOM)
        for curve, colour, layer in coloured(curves):
            at = [point.threshold for point in curve.points]
            value = [point.net_benefit for point in curve.points]
            axes.plot(
                at, value, color=colour, marker="o", markersize=3, label=curve.name, zorder=layer
            )
        first, colour, layer = coloured(curves)[0]
        intervals = [ends(point.estimate) for point in first.points]
        axes.vlines(
            [point.threshold for point in first.points],
            *zip(*intervals, strict=True),
            color=colour,
            linewidth=1.2,
            alpha=0.6,
            zorder=layer,
        )
        steps = [reach * step / _STEPS for step in range(_STEPS + 1)]
        all_treated = [prevalence - (1 - prevalence) * t / (1 - t) for t in steps]
        axes.plot(steps, all_treated, color=MUTED, linewidth=1.2, linestyle=DASHED, label=TREAT_ALL)
        axes.axhline(0, color=INK, linewidth=1, linestyle=DOTTED, label=TREAT_NONE)
        highest = max(prevalence, *(high for _, high in intervals))
        lowest = min(0.0, *(low for low, _ in intervals))
        axes.set(
            xlim=(0, reach * 1.02), ylim=(min(lowest, -_BELOW * highest) * 1.05, highest * 1.05)
        )
        axes.grid()
        axes.set_xlabel("threshold: probability from which a subject is treated")
        heading.draw(axes)
        scale(axes.xaxis, percent=True)
        scale(axes.yaxis, percent=False)

    texts = " ".join(
        f"{curve.name}: {listed([_describe(point) for point in curve.points])}" for curve in curves
    )
    description = f"Net benefit by threshold; treating none has 0. {texts}"
    return Figure(drawn(_WIDTH, heading.height + _PLOT + _BOTTOM, draw), description, caption)


def _describe(point: DecisionPoint) -> str:
    return (
        f"from {number(point.threshold, 1, percent=True)} on {estimate(point.estimate, 3)}, "
        f"treating all {number(point.treat_all, 3)}"
    )
