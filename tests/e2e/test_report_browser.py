"""The report and the card of a whole run, in a real browser without network."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.pages.write_report import write_report
from pipeline.runs.run_file import read_run_file
from tests.contrasts import CONTRASTS
from tests.each import each
from tests.whole_runs import Run

pytestmark = pytest.mark.slow

MEGABYTE = 1_000_000
PAPER_WIDTH = 718
"""Pixels between margins of 1 cm on A4."""

BEYOND_THE_PAPER = """width => [...document.querySelectorAll("body *")]
  .filter(element => element.checkVisibility())
  .filter(element => element.getBoundingClientRect().right > width + 1)
  .map(element => `${element.tagName}: ${element.textContent.trim().slice(0, 60)}`)"""

REGIONS = """() => [...document.querySelectorAll(".scroll")].map(
  region => [region.scrollWidth, region.clientWidth, region.textContent.slice(0, 60)])"""

INTERACTIVE = "a[href], summary, [tabindex='0']"


@pytest.fixture(scope="module", params=["report", "card"])
def file(finished_run: Run, request: pytest.FixtureRequest) -> Path:
    if request.param == "report":
        return write_report(finished_run.records, read_run_file(finished_run.records))
    return finished_run.output("ModelCard", "card") / "card.html"


@pytest.fixture(scope="module", params=[400, 1280])
def visit(browse: Any, file: Any, request: pytest.FixtureRequest) -> Any:
    return browse(file, request.param)


def test_it_opens_without_complaint_and_asks_for_nothing(visit: Any) -> None:
    assert visit.complaints == []
    assert visit.requests == []


def test_at_1280_pixels_no_table_has_to_be_scrolled(browse: Any, file: Any) -> None:
    page = browse(file, 1280).page
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    regions = page.evaluate(REGIONS)
    assert len(regions) > 4
    assert [region for region in regions if region[0] > region[1]] == []


def test_it_is_no_wider_than_its_window(visit: Any) -> None:
    assert visit.overflow == 0


def test_something_is_to_be_seen(visit: Any) -> None:
    assert visit.colours > 200


def test_it_is_a_file_that_can_be_mailed(file: Any) -> None:
    assert file.stat().st_size <= 5 * MEGABYTE


def test_headings_start_at_the_title_and_skip_no_level(visit: Any) -> None:
    levels = visit.page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => Number(h.localName[1]))"
    )

    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(deeper - level <= 1 for level, deeper in each(itertools.pairwise(levels)))


def test_landmarks_are_there_once_and_parts_have_names(visit: Any) -> None:
    for landmark in ("body > header", "nav", "main", "footer"):
        assert visit.page.locator(landmark).count() == 1, landmark

    names = visit.page.evaluate(
        "[...document.querySelectorAll('section, [role=region]')].map("
        "part => document.getElementById(part.getAttribute('aria-labelledby'))?.textContent)"
    )
    assert names
    assert all(names)


def test_every_link_of_the_contents_leads_to_a_heading(visit: Any) -> None:
    targets = visit.page.evaluate(
        "[...document.querySelectorAll('nav a')].map("
        "link => document.querySelector(link.getAttribute('href'))?.localName)"
    )

    assert len(targets) > 10
    assert all(re.fullmatch("h[2-6]", target or "") for target in targets)


def test_every_chart_is_described_in_words(visit: Any) -> None:
    told = visit.page.evaluate(
        "[...document.querySelectorAll('svg')].map(svg => svg.getAttribute('role') === 'img' && "
        "document.getElementById(svg.getAttribute('aria-labelledby')).textContent)"
    )

    assert told
    assert all(text and re.search(r"\d", text) for text in told)


def test_all_that_can_be_used_is_reached_with_the_tabulator_key(visit: Any) -> None:
    page = visit.page
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    page.evaluate(
        "selector => document.querySelectorAll(selector).forEach("
        "(element, place) => element.dataset.place = place)",
        INTERACTIVE,
    )
    expected = page.evaluate(
        "selector => [...document.querySelectorAll(selector)].filter("
        "element => element.checkVisibility({contentVisibilityAuto: true})).map("
        "element => element.dataset.place)",
        INTERACTIVE,
    )

    reached = []
    for _ in expected:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.place"))

    assert reached == expected


def test_details_of_the_report_open_and_close_with_the_keyboard(
    browse: Any, finished_run: Run
) -> None:
    page = browse(write_report(finished_run.records, read_run_file(finished_run.records)), 400).page
    summary = page.locator("summary").first
    is_open = "element => element.parentElement.open"

    summary.focus()
    page.keyboard.press("Enter")
    assert summary.evaluate(is_open)
    page.keyboard.press("Enter")
    assert not summary.evaluate(is_open)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(visit: Any, scheme: Any) -> None:
    """WCAG 2.2, success criterion 1.4.3, level AA: 4.5 to 1, large text 3 to 1."""
    visit.page.emulate_media(color_scheme=scheme)
    found = visit.page.evaluate(CONTRASTS)
    visit.page.emulate_media(color_scheme="light")

    assert len(found) > 100
    assert [item for item in found if item["ratio"] < item["least"]] == []


def test_nothing_is_cut_off_on_paper(browse: Any, file: Any) -> None:
    page = browse(file, PAPER_WIDTH).page
    page.emulate_media(media="print")

    assert page.evaluate(BEYOND_THE_PAPER, PAPER_WIDTH) == []
    closed = page.evaluate(
        "[...document.querySelectorAll('details > :not(summary)')].filter("
        "part => part.getBoundingClientRect().height === 0).length"
    )
    assert closed == 0


def test_it_prints_on_several_pages(browse: Any, file: Any) -> None:
    printed = browse(file, 1280).page.pdf(format="A4")

    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 3
