"""The project's tables and charts as outputs of cells."""

from __future__ import annotations

import re

from notebooks.shown import LOOK, show, show_sections
from pipeline.html.blocks import Column, Paragraph, Table
from pipeline.html.page import Section
from tests.html_reading import read_html


def table(caption: str) -> Table:
    return Table(caption, (Column("Group"),), [("F",)])


def test_blocks_are_in_the_scope_of_the_style_sheet() -> None:
    root = read_html(show(Paragraph("No subject."))._repr_html_())

    assert root.one("div", **{"class": "trial"}).text == "No subject."


def test_sections_have_headings_below_those_of_the_notebook() -> None:
    root = read_html(show_sections(Section("Death", (Paragraph("No subject."),)))._repr_html_())

    assert root.one("h3").text == "Death"


def test_the_same_content_gives_the_same_text() -> None:
    assert show(table("Sizes"))._repr_html_() == show(table("Sizes"))._repr_html_()


def test_two_outputs_of_one_notebook_share_no_name() -> None:
    names = [
        set(re.findall(r'id="([^"]+)"', show(table(caption))._repr_html_()))
        for caption in ("Sizes", "Rates")
    ]

    assert names[0]
    assert not names[0] & names[1]


def test_the_style_touches_nothing_outside_of_the_outputs() -> None:
    bundle, _ = LOOK._repr_mimebundle_()
    sheet = bundle["text/html"]

    assert sheet.startswith("<style>.trial.trial {")
    assert ":root" not in sheet
    assert sheet.count("{") == sheet.count("}")


def test_dark_colours_follow_jupyter_and_not_the_screen() -> None:
    bundle, _ = LOOK._repr_mimebundle_()

    assert "prefers-color-scheme" not in bundle["text/html"]
    assert '[data-jp-theme-light="false"] &' in bundle["text/html"]


def test_the_style_is_marked_for_documents_that_have_their_own() -> None:
    _, marks = LOOK._repr_mimebundle_()

    assert marks == {"text/html": {"style": True}}
