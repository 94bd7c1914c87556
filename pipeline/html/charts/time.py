"""Numbers over runs or time: lines with bands, and curves that go in steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.estimates import Estimate
from pipeline.html.blocks import Figure
from pipeline.html.charts.drawing import (
    CHARACTER,
    SMALL_TEXT,
    Heading,
    axes_at,
    coloured,
    drawn,
    limit_along,
    note,
    scale,
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
from pipeline.html.numbers import Suppressed, round_text, text_of
from pipeline.html.palette import MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_WIDTH = 660.0
_LEFT, _RIGHT, _BOTTOM = 62.0, 20.0, 46.0
_PLOT = 220.0
_MOST_TICKS = 8
_RISK_TITLE, _RISK_LINE = 22.0, 18.0
_SHADE = 0.15


@dataclass(frozen=True)
class Line:
    """A line over runs or time.

    Attributes:
        name: What it stands for.
        points: A number with interval for each place of the axis; None where there is none.
    """

    name: str
    points: Sequence[Estimate | None]


@dataclass(frozen=True)
class StepCurve:
    """A curve that goes in steps, such as Kaplan and Meier's.

    Attributes:
        name: What it stands for.
        times: Where it steps, rising; [n].
        values: Its value from each of these times on; [n].
        at_risk: Some times, each with the subjects still under observation; may be empty.
        ends: End of its follow-up, up to which it keeps its last value; None ends it at its
            last step.
    """

    name: str
    times: Sequence[float]
    values: Sequence[Estimate]
    at_risk: Sequence[tuple[float, int | Suppressed]] = ()
    ends: float | None = None

    def to_its_end(self) -> StepCurve:
        """The same curve with its last value repeated where it ends."""
        if self.ends is None or not self.times or self.ends <= self.times[-1]:
            return self
        return replace(self, times=[*self.times, self.ends], values=[*self.values, self.values[-1]])


def line_chart(
    lines: Sequence[Line],
    places: Sequence[str],
    measure: Measure,
    caption: str = "",
    limit: Limit | None = None,
) -> Figure:
    """Draws numbers over runs or time, with bands for their intervals.

    Args:
        lines: At most five.
        places: What stands at each place of the axis; [n].
        measure: What is measured.
        caption: Below the figure.
        limit: The threshold's limit.
    """
    heading = Heading(measure.title, [line.name for line in lines], _WIDTH - _LEFT - _RIGHT)

    def draw(canvas: Canvas) -> None:
        axes = axes_at(canvas, _LEFT, _RIGHT, heading.height, _BOTTOM)
        for line, colour, layer in coloured(lines):
            _line(axes, line, colour, layer)
        limit_along(axes, limit, measure.percent)
        shown = range(0, len(places), max(1, -(-len(places) // _MOST_TICKS)))
        axes.set_xticks(list(shown), [places[place] for place in shown])
        axes.set_xlim(-0.5, max(len(places), 1) - 0.5)
        axes.grid(axis="y")
        scale(axes.yaxis, measure.percent)
        heading.draw(axes)

    last = [
        f"{line.name}, last: {measure.text(found[-1])}"
        for line in lines
        if (found := [item for item in line.points if known(item)])
    ]
    description = f"{measure.title} at {len(places)} points. {listed(last)}"
    svg = drawn(_WIDTH, heading.height + _PLOT + _BOTTOM, draw)
    return Figure(svg, with_limit(description, limit, measure.percent), caption)


def step_curves(
    curves: Sequence[StepCurve], measure: Measure, time: str, caption: str = ""
) -> Figure:
    """Draws curves that go in steps, bands for their intervals, and numbers at risk below.

    Each curve is drawn to its end. Where there are numbers at risk, the horizontal axis is
    labelled at their times.

    Args:
        curves: At most five.
        measure: What is measured: the vertical axis.
        time: Title of the horizontal axis, with its unit.
        caption: Below the figure.
    """
    curves = [curve.to_its_end() for curve in curves]
    at_risk = [curve for curve in curves if curve.at_risk]
    labelled = sorted({time for curve in at_risk for time, _ in curve.at_risk})
    left = max([_LEFT, *map(_risk_width, at_risk)])
    below = _BOTTOM + (_RISK_TITLE + _RISK_LINE * len(at_risk) if at_risk else 0.0)
    heading = Heading(measure.title, [curve.name for curve in curves], _WIDTH - left - _RIGHT)

    def draw(canvas: Canvas) -> None:
        axes = axes_at(canvas, left, _RIGHT, heading.height, below)
        for curve, colour, layer in coloured(curves):
            _steps(axes, curve, colour, layer)
        axes.set_xlim(left=0)
        axes.grid(axis="y")
        axes.set_xlabel(time)
        heading.draw(axes)
        scale(axes.xaxis, percent=False)
        scale(axes.yaxis, measure.percent)
        if at_risk:
            axes.set_xticks(labelled)
            _risk_table(axes, at_risk, left)

    last = [
        f"{curve.name}: {measure.text(curve.values[-1])} at {round_text(curve.times[-1], False)}"
        for curve in curves
        if curve.values
    ]
    description = f"{measure.title} by {time}. {listed(last)}"
    return Figure(drawn(_WIDTH, heading.height + _PLOT + below, draw), description, caption)


def _line(axes: Axes, line: Line, colour: str, layer: float) -> None:
    # A place without a number interrupts line and band.
    found = [item or Estimate(None) for item in line.points]
    at = range(len(found))
    axes.plot(
        at,
        [point(item) for item in found],
        color=colour,
        marker="o",
        markersize=5,
        label=line.name,
        zorder=layer,
    )
    low, high = _band(found)
    axes.fill_between(at, low, high, color=colour, alpha=_SHADE, linewidth=0)


def _steps(axes: Axes, curve: StepCurve, colour: str, layer: float) -> None:
    values = [point(found) for found in curve.values]
    axes.step(curve.times, values, where="post", color=colour, label=curve.name, zorder=layer)
    low, high = _band(curve.values)
    axes.fill_between(curve.times, low, high, step="post", color=colour, alpha=_SHADE, linewidth=0)


def _band(found: Sequence[Estimate]) -> tuple[list[float], list[float]]:
    intervals = [ends(item) for item in found]
    return [low for low, _ in intervals], [high for _, high in intervals]


def _risk_width(curve: StepCurve) -> float:
    """Room left of the axis for a curve's name and half of the number at its start, in pixels."""
    first = text_of(curve.at_risk[0][1])
    return 16 + CHARACTER * (len(curve.name) + len(first) / 2)


def _risk_table(axes: Axes, curves: Sequence[StepCurve], left: float) -> None:
    down = -_BOTTOM - 4
    note(axes, "at risk", (0, 0), (4 - left, down), colour=MUTED, size=SMALL_TEXT)
    for place, curve in enumerate(curves, start=1):
        line = down - _RISK_LINE * place
        note(axes, curve.name, (0, 0), (4 - left, line), size=SMALL_TEXT)
        for time, subjects in curve.at_risk:
            note(
                axes,
                text_of(subjects),
                (time, 0),
                (0, line),
                across="data",
                align="center",
                size=SMALL_TEXT,
            )
