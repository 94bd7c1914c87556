"""Canvas of a chart: matplotlib without pyplot, and its result as a small SVG.

Sizes are in pixels; a point of matplotlib is made one pixel.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pipeline.html.charts.terms import Limit
from pipeline.html.numbers import round_text
from pipeline.html.palette import INK, LIMIT, MUTED, RULE, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

TEXT = 12.0
"""Size of text."""

SMALL_TEXT = TEXT - 1

DASHED = (0, (4, 3))
"""Colour of a threshold's line."""

DOTTED = (0, (2, 2))
"""The line of a reference: the ideal, or what guessing reaches."""

CHARACTER = 6.6
"""Width of an average character, generously."""

_CAPITAL = 1.6
"""By how much a capital is wider: codes of trials often have capitals only."""

_PIXELS_PER_INCH = 72
_TITLE_HEIGHT = 42.0
_LEGEND_LINE = 20.0
_LEGEND_SIGN = 40.0
_TOP_LAYER = 3.0

_Item = TypeVar("_Item")
_STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "text.color": INK,
    # A dollar sign in a label is a dollar sign.
    "text.parse_math": False,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 1.0,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.borderaxespad": 0.0,
    "lines.linewidth": 2.0,
    # Text stays text: it can be selected, searched and read aloud.
    "svg.fonttype": "none",
    # The same chart always gets the same names inside.
    "svg.hashsalt": "clinical-trial-pipeline",
}
_PROLOGUE = re.compile(r"^.*?(?=<svg\b)|<metadata>.*?</metadata>|<style\b.*?</style>", re.DOTALL)
_SIZE = re.compile(r'(?<=\s)(width|height)="([0-9.]+)pt"')
_NAME = re.compile(r' id="([^"]+)"')
_REFERENCE = re.compile(r'(?:url\(#|href="#)([^")]+)')
_EMPTY = re.compile(r"\s*<defs>\s*</defs>")


@contextmanager
def styled() -> Iterator[None]:
    """Everything that is drawn inside has the look of the project."""
    from matplotlib import rc_context

    with rc_context(_STYLE):
        yield


def drawn(width: float, height: float, draw: Callable[[Figure], None]) -> str:
    """Draws a chart.

    Args:
        width: In pixels.
        height: In pixels.
        draw: Draws it on a figure of this size.

    Returns:
        An `<svg>` element; the same drawing always gives the same text.
    """
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(
            figsize=(width / _PIXELS_PER_INCH, height / _PIXELS_PER_INCH), dpi=_PIXELS_PER_INCH
        )
        figure.patch.set_visible(False)
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _slim(buffer.getvalue())


def text_width(texts: Iterable[str]) -> float:
    """Room that the longest of some texts needs, in pixels."""
    return max(
        (CHARACTER * len(text) + _CAPITAL * sum(map(str.isupper, text)) for text in texts),
        default=0.0,
    )


def axes_at(
    figure: Figure, left: float, right: float, top: float, bottom: float, **options: Any
) -> Axes:
    """Axes with margins in pixels."""
    width, height = figure.get_size_inches() * _PIXELS_PER_INCH
    axes = figure.add_axes(
        (
            left / width,
            bottom / height,
            (width - left - right) / width,
            (height - top - bottom) / height,
        ),
        **options,
    )
    axes.patch.set_visible(False)
    axes.set_axisbelow(True)
    axes.tick_params(length=4)
    return axes


def note(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    offset: tuple[float, float] = (0, 0),
    across: Literal["data", "axes fraction"] = "axes fraction",
    up: Literal["data", "axes fraction"] = "axes fraction",
    align: Literal["left", "center", "right"] = "left",
    vertical: Literal["bottom", "center", "top"] = "center",
    colour: str = INK,
    size: float = TEXT,
    bold: bool = False,
) -> None:
    """Writes a text beside or inside axes.

    Args:
        axes: The axes.
        text: What to write.
        at: Its position, in the units `across` and `up`.
        offset: How far from there, in pixels.
        across: Unit of the first coordinate.
        up: Unit of the second one.
        align: Which part of the text lies there.
        vertical: Likewise.
        colour: Its colour.
        size: Its size.
        bold: Whether it stands out.
    """
    axes.annotate(
        text,
        at,
        xycoords=(across, up),
        xytext=offset,
        textcoords="offset points",
        ha=align,
        va=vertical,
        color=colour,
        fontsize=size,
        weight="bold" if bold else "normal",
        annotation_clip=False,
    )


def coloured(items: Sequence[_Item]) -> list[tuple[_Item, str, float]]:
    """Things that are compared, each with its colour and its layer; the first lies on top.

    Raises:
        ValueError: There are more of them than distinct colours.
    """
    if len(items) > len(SERIES):
        raise ValueError(f"a chart compares at most {len(SERIES)} things, not {len(items)}")
    return [
        (item, colour, _TOP_LAYER - place / 10)
        for place, (item, colour) in enumerate(zip(items, SERIES, strict=False))
    ]


@dataclass(frozen=True)
class Heading:
    """Title of the vertical axis, where it can be read without turning the head, and a legend.

    Attributes:
        title: What the axis measures.
        names: What is compared; a legend is drawn where there is more than one.
        width: Width of the axes, in pixels.
    """

    title: str
    names: Sequence[str]
    width: float

    @property
    def height(self) -> float:
        """Room that it needs above the axes, in pixels."""
        return _TITLE_HEIGHT + _LEGEND_LINE * self._lines

    def draw(self, axes: Axes) -> None:
        """Draws it; what is compared must be drawn before, with labels."""
        note(axes, self.title, (0, 1), (-52, 12 + _LEGEND_LINE * self._lines), vertical="bottom")
        if self._lines:
            axes.legend(
                loc="lower left",
                bbox_to_anchor=(0, 1.01),
                ncols=self._columns,
                fontsize=SMALL_TEXT,
                handlelength=1.4,
                columnspacing=1.2,
                labelspacing=0.3,
            )

    @property
    def _columns(self) -> int:
        longest = max(map(len, self.names), default=0)
        fitting = int(self.width // (CHARACTER * longest + _LEGEND_SIGN))
        return max(1, min(fitting, len(self.names)))

    @property
    def _lines(self) -> int:
        return -(-len(self.names) // self._columns) if len(self.names) > 1 else 0


def limit_across(axes: Axes, limit: Limit | None, percent: bool) -> None:
    """The vertical dashed line of a threshold, labelled above the axes."""
    if limit is None:
        return
    axes.axvline(limit.value, color=LIMIT, linestyle=DASHED, linewidth=1.5)
    note(
        axes,
        limit.describe(percent),
        (limit.value, 1),
        (0, 4),
        across="data",
        align="center",
        vertical="bottom",
        colour=LIMIT,
        size=SMALL_TEXT,
    )


def limit_along(axes: Axes, limit: Limit | None, percent: bool) -> None:
    """The horizontal dashed line of a threshold, labelled at its right end."""
    if limit is None:
        return
    axes.axhline(limit.value, color=LIMIT, linestyle=DASHED, linewidth=1.5)
    note(
        axes,
        limit.describe(percent),
        (1, limit.value),
        (0, 3),
        up="data",
        align="right",
        vertical="bottom",
        colour=LIMIT,
        size=SMALL_TEXT,
    )


def scale(axis: Axis, percent: bool) -> None:
    """A few round ticks, in percent if they are shares."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(6))
    if percent:
        axis.set_major_formatter(lambda value, _: round_text(value, percent))


def _slim(svg: str) -> str:
    """Removes what a browser does not need, and names that nothing refers to."""
    svg = _PROLOGUE.sub("", svg, count=0)
    svg = _SIZE.sub(lambda found: f'{found[1]}="{float(found[2]):g}"', svg, count=2)
    referred = set(_REFERENCE.findall(svg))
    svg = _NAME.sub(lambda found: found[0] if found[1] in referred else "", svg)
    return _EMPTY.sub("", svg).strip() + "\n"
