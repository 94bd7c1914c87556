"""The model on the subjects that it keeps, by the share that is left to people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.html.blocks import Figure
from pipeline.html.charts.drawing import DASHED, Heading, axes_at, drawn, scale
from pipeline.html.charts.terms import listed
from pipeline.html.numbers import count, number
from pipeline.html.palette import MUTED, SERIES

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from pipeline.results.referral import ReferralPoint

_PLOT = 340.0
_LEFT, _RIGHT, _BOTTOM = 62.0, 18.0, 48.0
_WIDTH = _LEFT + _PLOT + _RIGHT
_ROOM = 1.1
_UNINFORMED = "predicting their rate"


def referral_chart(points: Sequence[ReferralPoint]) -> Figure:
    """Draws the Brier score of the subjects kept.

    Args:
        points: At least one, shares rising.
    """
    names = ("the model", _UNINFORMED)
    heading = Heading("Brier score of the subjects kept", names, _PLOT)
    uninformed = [point.observed_rate * (1 - point.observed_rate) for point in points]

    def draw(canvas: Canvas) -> None:
        axes = axes_at(canvas, _LEFT, _RIGHT, heading.height, _BOTTOM)
        x = [point.referred for point in points]
        brier = [point.brier for point in points]
        axes.plot(x, brier, color=SERIES[0], marker="o", markersize=4, label=names[0])
        axes.plot(x, uninformed, color=MUTED, linewidth=1.2, linestyle=DASHED, label=names[1])
        axes.set(xlim=(0, max(x[-1], 0.1) * 1.02), ylim=(0, max(*brier, *uninformed) * _ROOM))
        axes.grid()
        axes.set_xlabel("share of subjects left to people")
        heading.draw(axes)
        scale(axes.xaxis, percent=True)
        scale(axes.yaxis, percent=False)

    texts = listed([_describe(point) for point in points])
    description = f"Brier score of the subjects kept by the share left to people. {texts}"
    canvas = drawn(_WIDTH, heading.height + _PLOT + _BOTTOM, draw)
    return Figure(canvas, description, _caption(points))


def _caption(points: Sequence[ReferralPoint]) -> str:
    first, last = points[0], points[-1]
    return (
        "What is gained by leaving the subjects with the widest intervals to people: with "
        f"{number(last.referred, 0, percent=True)} of them left, the Brier score of the others is "
        f"{number(last.brier, 3)} instead of {number(first.brier, 3)}{_gain(points)} The outcome "
        "may be rarer or more frequent among them; predicting the rate of those kept for each of "
        "them reaches the dashed line."
    )


def _gain(points: Sequence[ReferralPoint]) -> str:
    """What the scores say, as they are shown: to three decimals."""
    first, *_, last = scores = [round(point.brier, 3) for point in points]
    if last < first:
        return ", less error."
    lowest = min(scores)
    if lowest == first:
        return ": nothing, here the model errs no less on the subjects that it keeps."
    best = points[scores.index(lowest)]
    left = number(best.referred, 0, percent=True)
    return f": nothing. It is lowest, {number(best.brier, 3)}, with {left} left."


def _describe(point: ReferralPoint) -> str:
    return (
        f"{number(point.referred, 0, percent=True)} left to people: {number(point.brier, 3)} of "
        f"{count(point.subjects)} subjects"
    )
