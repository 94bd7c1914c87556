"""The project's tables and charts as outputs of notebook cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.html.blocks import Block
from pipeline.html.page import Section, render_part, style

SCOPE = "trial"
"""Class of an output's element, to which the style sheet is limited."""

STYLE_MARK = "style"
"""Key in an output's metadata that marks the style sheet: documents with their own omit it."""


@dataclass(frozen=True)
class Shown:
    """Tables, charts and texts as a cell's output.

    Attributes:
        blocks: Shown first.
        sections: Shown after the blocks, each under its heading.
    """

    blocks: Sequence[Block] = ()
    sections: Sequence[Section] = ()

    def _repr_html_(self) -> str:
        part = Section("", self.blocks, self.sections)
        return f'<div class="{SCOPE}">{render_part(part)}</div>'

    def __repr__(self) -> str:
        return "<shown as HTML>"


def show(*blocks: Block) -> Shown:
    """Blocks as a cell's output: the value of the cell's last line."""
    return Shown(blocks)


def show_sections(*sections: Section) -> Shown:
    """Sections as a cell's output."""
    return Shown(sections=sections)


class Look:
    """The style sheet of all outputs, itself an output: the value of a notebook's first cell."""

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        return (
            {"text/html": f"<style>{_scoped(style())}</style>", "text/plain": "The style sheet."},
            {"text/html": {STYLE_MARK: True}},
        )


LOOK = Look()


def _scoped(sheet: str) -> str:
    """The pages' style sheet, limited to the scope; dark if JupyterLab is dark."""
    inner = (
        sheet.replace(
            "@media screen and (prefers-color-scheme: dark)", '[data-jp-theme-light="false"] &'
        )
        .replace(":root", "&")
        .replace("body {", "& {")
    )
    # Twice the class: JupyterLab's own rules for tables are as specific as one.
    return f".{SCOPE}.{SCOPE} {{ padding: 0.25rem 0.75rem; {inner} }}"
