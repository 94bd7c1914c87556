"""Heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.html.blocks import Figure
from pipeline.html.charts.drawing import SMALL_TEXT, axes_at, drawn, text_width
from pipeline.html.charts.terms import Measure, listed
from pipeline.html.numbers import Suppressed
from pipeline.html.palette import INK, MUTED

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_ONE_COLOUR = ("#eef4f8", "#7fb2d0", "#0b4f78")
_TWO_COLOURS = ("#0b4f78", "#9cc3da", "#f4f4f2", "#eeb98c", "#a8480a")
_LEAST_CELL = 62.0
_LINE = 28.0
_TOP = 34.0
_MARGIN = 8.0

_Cell = float | Suppressed | None


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[_Cell]],
    measure: Measure,
    caption: str = "",
    centre: float | None = None,
) -> Figure:
    """Draws a number for each pair of row and column, in a cell coloured by it.

    Args:
        rows: Names; [n].
        columns: Names; [m].
        values: [n, m]; where there is no number, the cell has no colour.
        measure: What is measured.
        caption: Below the figure.
        centre: The value in the middle of a scale of two colours; without it there is one.
    """
    left = text_width(rows) + 14
    cell = max(_LEAST_CELL, text_width(columns) + 12)
    width = left + cell * max(len(columns), 1) + _MARGIN
    height = _TOP + _LINE * max(len(rows), 1) + _MARGIN

    def draw(canvas: Canvas) -> None:
        import numpy as np
        from matplotlib.colors import LinearSegmentedColormap, Normalize

        axes = axes_at(canvas, left, _MARGIN, _TOP, _MARGIN)
        known = np.array(
            [[np.nan if (n := _number(value)) is None else n for value in row] for row in values],
            np.float64,
        ).reshape(len(rows), len(columns))
        spread = Normalize(*_range(known[np.isfinite(known)].tolist(), centre))
        colours = LinearSegmentedColormap.from_list(
            "scale", _ONE_COLOUR if centre is None else _TWO_COLOURS
        )
        axes.pcolormesh(np.ma.masked_invalid(known), cmap=colours, norm=spread, edgecolors="white")
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                number = _number(value)
                colour = MUTED if number is None else _readable_on(colours(spread(number)))
                axes.text(
                    j + 0.5,
                    i + 0.5,
                    measure.text(value),
                    ha="center",
                    va="center",
                    color=colour,
                    fontsize=SMALL_TEXT,
                )
        axes.set_ylim(max(len(rows), 1), 0)
        axes.set_yticks([i + 0.5 for i in range(len(rows))], rows, color=INK)
        axes.set_xticks([j + 0.5 for j in range(len(columns))], columns, color=INK)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    descriptions = [
        f"{row}: "
        + ", ".join(
            f"{column} {measure.text(value)}" for column, value in zip(columns, cells, strict=True)
        )
        for row, cells in zip(rows, values, strict=True)
    ]
    return Figure(drawn(width, height, draw), f"{measure.title}. {listed(descriptions)}", caption)


def _number(value: _Cell) -> float | None:
    return float(value) if isinstance(value, float | int) else None


def _range(numbers: Sequence[float], centre: float | None) -> tuple[float, float]:
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    if centre is not None:
        reach = max(centre - low, high - centre)
        low, high = centre - reach, centre + reach
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _readable_on(colour: Sequence[float]) -> str:
    """Black or white, whichever has the greater contrast (WCAG 2.2: at least 4.5 on any colour).

    Neither is a colour of the page: on a coloured cell text must not follow a dark screen.
    """
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "#000000"
