"""The elements of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.html.numbers import Value
from pipeline.html.palette import Tone


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of plain texts."""

    items: Sequence[str]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its heading.
        align: `end` for numbers.
        decimals: Digits after the point of floats and estimates.
        percent: Whether floats and estimates are shares to be shown in percent.
    """

    title: str
    align: Literal["start", "end"] = "start"
    decimals: int = 3
    percent: bool = False


@dataclass(frozen=True)
class Cell:
    """A value with a tone."""

    value: Value
    tone: Tone


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row is its heading.

    Attributes:
        caption: What it shows; also its name for a screen reader.
        columns: Its columns.
        rows: A value for each column; `pipeline.html.numbers` formats it.
        notes: Notes for the reader, below.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value | Cell]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Figure:
    """A chart, as `pipeline.html.charts` draws it.

    Attributes:
        svg: A whole `<svg>` element, sized in pixels.
        alternative: Text alternative for screen readers.
        caption: Its caption, below.
    """

    svg: str
    alternative: str
    caption: str = ""


@dataclass(frozen=True)
class KeyFigure:
    """A number that a reader should see first.

    Attributes:
        label: What it is.
        value: The number.
        detail: Its interval or unit, smaller.
        tone: Its tone.
        decimals: Digits after the point of floats.
        percent: Whether floats are shares to be shown in percent.
    """

    label: str
    value: Value
    detail: str = ""
    tone: Tone = "neutral"
    decimals: int = 3
    percent: bool = False


@dataclass(frozen=True)
class KeyFigures:
    """Key figures side by side."""

    figures: Sequence[KeyFigure]


@dataclass(frozen=True)
class Facts:
    """Names with their values: a list of descriptions."""

    items: Sequence[tuple[str, Value]]


@dataclass(frozen=True)
class Notice:
    """A message that must not be missed.

    Attributes:
        kind: Its tone.
        title: In a few words.
        text: In a sentence or two; may be empty.
        items: Its reasons, a list.
    """

    kind: Tone
    title: str
    text: str = ""
    items: Sequence[str] = ()


@dataclass(frozen=True)
class Details:
    """Details for some readers: collapsed until opened, open in print.

    Attributes:
        summary: Title of the content.
        blocks: The content.
    """

    summary: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Grid:
    """Blocks side by side where there is room, one below the other where there is not."""

    blocks: Sequence[Block]


Block = Paragraph | Bullets | Table | Figure | KeyFigures | Facts | Notice | Details | Grid
