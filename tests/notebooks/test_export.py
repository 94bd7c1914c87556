"""An executed notebook as one HTML file."""

from __future__ import annotations

import re
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from notebooks.export import to_html
from notebooks.shown import LOOK, show
from pipeline.html.blocks import Paragraph
from tests.html_reading import read_html


def output(shown: Any, kind: Any = "execute_result") -> Any:
    data, metadata = {"text/html": shown}, {}
    if shown is LOOK:
        data, metadata = LOOK._repr_mimebundle_()
    number = {"execution_count": 1} if kind == "execute_result" else {}
    return new_output(kind, data=data, metadata=metadata, **number)


@pytest.fixture(scope="module")
def page() -> Any:
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Who dies\n\nIn *both* arms."),
            new_code_cell("LOOK", outputs=[output(LOOK)]),
            new_markdown_cell("## By sex & arm"),
            new_code_cell(
                "secret_code()",
                outputs=[
                    output(show(Paragraph("Women less."))._repr_html_()),
                    output("<p>Men more.</p>", "display_data"),
                ],
            ),
        ]
    )
    return to_html(notebook, "deaths")


def test_prose_and_outputs_are_there(page: Any) -> None:
    root = read_html(page)

    assert root.one("h1").text.startswith("Who dies")
    assert "Women less." in root.one("main").text
    assert "Men more." in root.one("main").text


def test_the_title_is_the_notebooks(page: Any) -> None:
    assert read_html(page).one("title").text == "Who dies"


def test_sections_can_be_jumped_to(page: Any) -> None:
    root = read_html(page)
    (link,) = root.one("nav").all("a")

    assert link.text == "By sex & arm"
    assert link.attributes["href"].removeprefix("#") == root.one("h2").attributes["id"]


def test_code_stays_in_the_notebook(page: Any) -> None:
    assert "secret_code" not in page


def test_it_has_one_style_sheet_and_not_the_notebooks_own(page: Any) -> None:
    assert page.count("<style>") == 1
    assert ".trial.trial" not in page


def test_no_other_address_is_named(page: Any) -> None:
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page) == []


def test_a_browser_is_forbidden_to_fetch_anything(page: Any) -> None:
    (policy,) = read_html(page).all("meta", **{"http-equiv": "Content-Security-Policy"})

    assert policy.attributes["content"].startswith("default-src 'none'")
