"""A page with everything that pages can hold, in a real browser without network."""

from typing import Any

import pytest

from pipeline.estimates import Estimate
from pipeline.html.blocks import (
    Bullets,
    Cell,
    Column,
    Details,
    Facts,
    Grid,
    KeyFigure,
    KeyFigures,
    Notice,
    Paragraph,
    Table,
)
from pipeline.html.page import Page, Section, render
from tests.pipeline.html.hand_made_charts import ALL

pytestmark = pytest.mark.slow

LONG = "a_name_without_any_blank_that_is_far_too_long_for_a_telephone_and_goes_on_and_on"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Any:
    wide = Table(
        "A wide table",
        [Column("Group"), *(Column(f"Measure {n}", "end") for n in range(12))],
        [("F", *([Estimate(0.7, 0.6, 0.8)] * 11), Cell("fails", "bad"))],
        ("A note.",),
    )
    blocks = (
        Notice("bad", "Refused", "Two demands failed.", [LONG]),
        KeyFigures([KeyFigure(f"AUC of {LONG}", 0.7, "0.6 to 0.8") for _ in range(5)]),
        Facts(((LONG, LONG),)),
        wide,
        Bullets((LONG,)),
        Details("More", (Paragraph(LONG), wide)),
    )
    figures = [draw() for draw in ALL]
    page = Page(
        LONG,
        "What it says.",
        (Section(LONG, blocks), Section("Charts", (Grid(figures[:4]), *figures)), Section("End")),
    )
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(render(page))
    return path


@pytest.fixture(scope="module", params=[400, 1280])
def visit(browse: Any, file: Any, request: pytest.FixtureRequest) -> Any:
    return browse(file, request.param)


def test_the_browser_has_nothing_to_complain_of(visit: Any) -> None:
    assert visit.complaints == []


def test_nothing_is_fetched(visit: Any) -> None:
    assert visit.requests == []


def test_the_page_is_no_wider_than_its_window(visit: Any) -> None:
    assert visit.overflow == 0


def test_something_is_to_be_seen(visit: Any) -> None:
    assert visit.colours > 200


def test_wide_tables_can_be_scrolled_inside_their_region(visit: Any) -> None:
    region = visit.page.locator(".scroll:has(table)").first

    assert region.evaluate("element => element.scrollWidth > element.clientWidth")


def test_text_in_charts_stays_readable(visit: Any) -> None:
    """8.5 pixels and more, also on a telephone."""
    smallest = visit.page.evaluate(
        "Math.min(...[...document.querySelectorAll('main svg text')].map("
        "text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))"
    )

    assert smallest >= 8.5


def test_the_first_press_of_tab_offers_to_skip_to_the_content(visit: Any) -> None:
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the content"

    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "main"


def test_printing_shows_what_was_closed(visit: Any) -> None:
    visit.page.emulate_media(media="print")

    shown = visit.page.locator("details table").first.evaluate(
        "element => element.getBoundingClientRect().height > 0 && element.checkVisibility()"
    )
    visit.page.emulate_media(media="screen")
    assert shown
