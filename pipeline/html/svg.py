"""A chart inside a page: its names must not clash, its colours follow the page."""

from __future__ import annotations

import re

from pipeline.html.palette import VARIABLES

_DEFINED = re.compile(r'\bid="([^"]+)"')
_REFERENCES = re.compile(r'(url\(#|href="#)([^")]+)')
_COLOURS = re.compile("|".join(map(re.escape, VARIABLES)), re.IGNORECASE)
_WIDTH = re.compile(r'<svg\b[^>]*?\bwidth="([0-9.]+)')
_MOST_SHRUNK = 0.8


def embedded(svg: str, prefix: str, alternative: str) -> str:
    """Prepares a chart for its place in a page.

    Args:
        svg: A whole `<svg>` element with a width in pixels.
        prefix: Differs for each chart of the page.
        alternative: Text alternative; already escaped for HTML.

    Returns:
        The element with ids of its own, colours as CSS variables and an alternative text. On a
        narrow screen it shrinks only as far as its text stays readable.

    Raises:
        ValueError: It is not an `<svg>` element with a width.
    """
    sized = _WIDTH.match(svg)
    if not sized:
        raise ValueError("a chart is one <svg> element with a width")
    svg = _DEFINED.sub(lambda found: f'id="{prefix}-{found[1]}"', svg)
    svg = _REFERENCES.sub(lambda found: f"{found[1]}{prefix}-{found[2]}", svg)
    svg = _COLOURS.sub(lambda found: f"var({VARIABLES[found[0].lower()]})", svg)
    start, end = svg.split(">", 1)
    least = round(float(sized[1]) * _MOST_SHRUNK)
    named = f'role="img" aria-labelledby="{prefix}-says" style="min-width: {least}px"'
    return f'{start} {named}><title id="{prefix}-says">{alternative}</title>{end}'
