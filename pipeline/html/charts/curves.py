"""Curves of predictions: calibration, ROC, positive predictive value by sensitivity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.html.blocks import Figure
from pipeline.html.charts.drawing import DOTTED, Heading, axes_at, coloured, drawn, scale
from pipeline.html.charts.terms import ends, listed, point
from pipeline.html.numbers import count, estimate, number
from pipeline.html.palette import MUTED, SERIES
from pipeline.results.clinical_curves import SmoothPoint
from pipeline.results.curve_points import CalibrationBin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_PLOT = 340.0
_LEFT, _RIGHT, _BOTTOM = 62.0, 18.0, 48.0
_WIDTH = _LEFT + _PLOT + _RIGHT
_SIZES_HEIGHT = 40.0
_GAP = 16.0
_REACHES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class CalibrationCurve:
    """Calibration of one model or group, predictions rising.

    Attributes:
        name: What it is of.
        bins: Its bins; joined by a line where there is no smoothed curve.
        smooth: The smoothed curve; may be empty.
    """

    name: str
    bins: Sequence[CalibrationBin]
    smooth: Sequence[SmoothPoint] = ()


@dataclass(frozen=True)
class Curve:
    """A curve in the unit square, named with its summary metric.

    Attributes:
        name: What it stands for, such as `challenger, AUC 0.79`.
        x: [n].
        y: [n].
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]


def calibration_curve(curves: Sequence[CalibrationCurve], caption: str = "") -> Figure:
    """Draws observed rates by prediction, the ideal, and the number of subjects below.

    Args:
        curves: At most five; the bars below count the subjects of the first.
        caption: Below the figure.
    """
    reach = _reach(curves)
    heading = Heading("observed rate", [curve.name for curve in curves], _PLOT)
    below = _GAP + _SIZES_HEIGHT + _BOTTOM

    def draw(canvas: Canvas) -> None:
        axes = axes_at(canvas, _LEFT, _RIGHT, heading.height, below)
        axes.plot([0, reach], [0, reach], color=MUTED, linewidth=1, linestyle=DOTTED)
        for curve, colour, layer in coloured(curves):
            _bins(axes, curve, colour, layer)
            _smooth(axes, curve, colour, layer)
        axes.set(xlim=(0, reach), ylim=(0, reach))
        axes.grid()
        axes.tick_params(labelbottom=False)
        scale(axes.xaxis, percent=True)
        scale(axes.yaxis, percent=True)
        heading.draw(axes)
        sizes = axes_at(canvas, _LEFT, _RIGHT, heading.height + _PLOT + _GAP, _BOTTOM)
        _sizes(sizes, curves[0].bins if curves else (), reach)

    texts = " ".join(
        f"{curve.name}: {listed([_describe_bin(item) for item in curve.bins])}" for curve in curves
    )
    description = f"Observed rate by predicted probability; ideally they are equal. {texts}"
    return Figure(drawn(_WIDTH, heading.height + _PLOT + below, draw), description, caption)


def roc_curve(curves: Sequence[Curve], caption: str = "") -> Figure:
    """Draws ROC curves.

    Args:
        curves: At most five: x false positive rate, y true positive rate.
        caption: Below the figure.
    """
    return _unit_square(
        curves,
        ("false positive rate", "true positive rate"),
        ((0, 1), (0, 1)),
        "ROC curve; the diagonal is guessing.",
        caption,
    )


def predictive_value_curve(curves: Sequence[Curve], prevalence: float, caption: str = "") -> Figure:
    """Draws positive predictive value by sensitivity.

    Args:
        curves: At most five: x sensitivity, y positive predictive value.
        prevalence: Share of subjects with the outcome: the positive predictive value of guessing.
        caption: Below the figure.
    """
    return _unit_square(
        curves,
        ("sensitivity", "positive predictive value"),
        ((0, 1), (prevalence, prevalence)),
        f"Positive predictive value by sensitivity; guessing has {number(prevalence)}.",
        caption,
    )


def _unit_square(
    curves: Sequence[Curve],
    titles: tuple[str, str],
    guessing: tuple[tuple[float, float], tuple[float, float]],
    description: str,
    caption: str,
) -> Figure:
    heading = Heading(titles[1], [curve.name for curve in curves], _PLOT)

    def draw(canvas: Canvas) -> None:
        axes = axes_at(canvas, _LEFT, _RIGHT, heading.height, _BOTTOM)
        axes.plot(*guessing, color=MUTED, linewidth=1, linestyle=DOTTED)
        for curve, colour, layer in coloured(curves):
            axes.plot(curve.x, curve.y, color=colour, label=curve.name, zorder=layer)
        axes.set(xlim=(0, 1), ylim=(0, 1.01))
        axes.grid()
        axes.set_xlabel(titles[0])
        heading.draw(axes)
        scale(axes.xaxis, percent=True)
        scale(axes.yaxis, percent=True)

    names = listed([curve.name for curve in curves])
    return Figure(
        drawn(_WIDTH, heading.height + _PLOT + _BOTTOM, draw),
        f"{description} Shown: {names}",
        caption,
    )


def _bins(axes: Axes, curve: CalibrationCurve, colour: str, layer: float) -> None:
    x = [item.mean_prediction for item in curve.bins]
    low = [ends(item.observed)[0] for item in curve.bins]
    high = [ends(item.observed)[1] for item in curve.bins]
    axes.vlines(x, low, high, color=colour, linewidth=1.5, zorder=layer)
    observed = [point(item.observed) for item in curve.bins]
    axes.plot(
        x,
        observed,
        color=colour,
        marker="o",
        markersize=4,
        linewidth=0 if curve.smooth else 1.2,
        label=curve.name,
        zorder=layer,
    )


def _smooth(axes: Axes, curve: CalibrationCurve, colour: str, layer: float) -> None:
    if not curve.smooth:
        return
    x = [point.prediction for point in curve.smooth]
    low, high = [point.lower for point in curve.smooth], [point.upper for point in curve.smooth]
    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0, zorder=layer - 1)
    rate = [point.observed_rate for point in curve.smooth]
    axes.plot(x, rate, color=colour, linewidth=1.6, zorder=layer)


def _sizes(axes: Axes, bins: Sequence[CalibrationBin], reach: float) -> None:
    subjects = [item.subjects for item in bins]
    axes.bar(
        [item.mean_prediction for item in bins],
        subjects,
        width=reach / 70,
        color=SERIES[0],
        alpha=0.6,
    )
    axes.set_xlim(0, reach)
    axes.set_xlabel("predicted probability; bars: subjects")
    scale(axes.xaxis, percent=True)
    axes.set_yticks([0, max(subjects)] if subjects else [0])
    axes.yaxis.set_major_formatter(lambda value, _: count(round(value)))


def _reach(curves: Sequence[CalibrationCurve]) -> float:
    """The first round number above all values."""
    highest = max(
        (
            max(item.mean_prediction, ends(item.observed)[1])
            for curve in curves
            for item in curve.bins
        ),
        default=1.0,
    )
    return next((reach for reach in _REACHES if highest <= reach), 1.0)


def _describe_bin(item: CalibrationBin) -> str:
    return (
        f"predicted {number(item.mean_prediction, 1, percent=True)}, observed "
        f"{estimate(item.observed, 1, percent=True)}, {count(item.subjects)} subjects"
    )
