"""Pages as one self-contained HTML file each, and parts of pages for other documents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count as counter

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pipeline.html import numbers
from pipeline.html.blocks import Block, Cell, Column, Figure, Table
from pipeline.html.palette import DARK, VARIABLES
from pipeline.html.svg import embedded

_DEEPEST_HEADING = 6
_CODE = re.compile(r"`([^`]+)`")
_COMFORTABLE_CHARACTERS = 20
_SENTENCE = 80
_SENTENCE_CHARACTERS = 36
_CHARACTER_WIDTH = 0.55
_COLOURS = {"light": {name: colour for colour, name in VARIABLES.items()}, "dark": DARK}


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        title: Its heading.
        blocks: What is in it.
        sections: Its own parts, one heading deeper.
        id: Its address in the page; by default it is made of the title.
    """

    title: str
    blocks: Sequence[Block] = ()
    sections: Sequence[Section] = ()
    id: str = ""


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        title: Its heading and the browser's title.
        lead: Its summary, in a sentence or two.
        sections: Its parts; listed on top when there are several.
        kicker: What kind of page it is, above the title.
        blocks: What comes before the first part.
        footer: Its origin, at the bottom.
        banner: A warning that stays visible while scrolling.
    """

    title: str
    lead: str
    sections: Sequence[Section]
    kicker: str = ""
    blocks: Sequence[Block] = ()
    footer: str = ""
    banner: str = ""


@dataclass(frozen=True)
class _Placed:
    """A section with its place in the page."""

    id: str
    title: str
    level: int
    blocks: Sequence[Block]
    sections: tuple[_Placed, ...]


def render(page: Page) -> str:
    """Renders a page.

    Args:
        page: The page; all its texts are plain text.

    Returns:
        A self-contained HTML document. The same page always gives the same text.
    """
    used: set[str] = {"main", "contents"}
    figures, tables = counter(1), counter(1)
    sections = tuple(_placed(section, 2, used) for section in page.sections)
    return (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            sections=sections,
            figure=lambda figure: _figure(figure, f"figure-{next(figures)}"),
            next_name=lambda: f"table-{next(tables)}",
            **_COLOURS,
        )
    )


def render_part(part: Section) -> str:
    """Renders a section as a part of another document, which must include `style`.

    Args:
        part: The section; all texts are plain text. With a title its heading is of the third
            level, without one the headings of its own parts are.

    Returns:
        HTML elements. Their ids come from their content, so that several parts can stand in one
        document, and the same part always gives the same text.
    """
    name = f"part-{hashlib.sha256(repr(part).encode()).hexdigest()[:8]}"
    figures, tables = counter(1), counter(1)
    return (
        _environment()
        .get_template("part.html")
        .render(
            section=_named(_placed(part, 3 if part.title else 2, set()), name),
            figure=lambda figure: _figure(figure, f"{name}-figure-{next(figures)}"),
            next_name=lambda: f"{name}-table-{next(tables)}",
        )
    )


def style() -> str:
    """The style sheet of all pages."""
    return _environment().get_template("style.css").render(**_COLOURS)


def _placed(section: Section, level: int, used: set[str]) -> _Placed:
    name = _unused(section.id or _slug(section.title), used)
    return _Placed(
        id=name,
        title=section.title,
        level=min(level, _DEEPEST_HEADING),
        blocks=section.blocks,
        sections=tuple(_placed(part, level + 1, used) for part in section.sections),
    )


def _named(section: _Placed, name: str) -> _Placed:
    """The section with ids that begin with a name."""
    inner = tuple(_named(part, name) for part in section.sections)
    return replace(section, id=f"{name}-{section.id}", sections=inner)


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"


def _unused(name: str, used: set[str]) -> str:
    candidates: Iterator[str] = (name if n == 1 else f"{name}-{n}" for n in counter(1))
    found = next(candidate for candidate in candidates if candidate not in used)
    used.add(found)
    return found


def _figure(figure: Figure, name: str) -> Markup:
    return Markup(embedded(figure.svg, name, str(escape(figure.alternative))))


def _format_value(value: numbers.Value | Cell, column: Column) -> str:
    plain = value.value if isinstance(value, Cell) else value
    return numbers.text_of(plain, column.decimals, column.percent)


def _cell(value: numbers.Value | Cell, column: Column) -> str | Markup:
    """A cell's text; it may only wrap between a number and its brackets."""
    text = _format_value(value, column)
    if "`" in text:
        return _coded(text)
    first, bracket, rest = text.partition(" (")
    if column.align != "end" or not bracket:
        return text
    return Markup('<span class="pair"><span>{}</span> <span>({}</span></span>').format(first, rest)


def _coded(text: str) -> Markup:
    """A plain text as HTML; what stands between backticks becomes code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def _least_width(table: Table, place: int) -> float:
    """Width of a column below which its texts would break too often, in em."""
    column = table.columns[place]
    if column.align == "end":
        return 0.0
    longest = max((len(_format_value(row[place], column)) for row in table.rows), default=0)
    comfortable = _SENTENCE_CHARACTERS if longest > _SENTENCE else _COMFORTABLE_CHARACTERS
    return min(longest, comfortable) * _CHARACTER_WIDTH


def templates_of(package: str) -> Environment:
    """The templates of a package: text is escaped, and a name that is not given is an error.

    Args:
        package: Name of the package whose folder `templates` holds them.
    """
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = templates_of("pipeline.html")
    environment.filters["shown"] = _cell
    environment.filters["coded"] = _coded
    environment.filters["least_width"] = _least_width
    environment.filters["text_of"] = numbers.text_of
    environment.tests["a"] = lambda value, name: type(value).__name__ == name
    return environment
