"""The fairness notebook, executed on a real run and opened in a real browser."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.each import each
from tests.notebooks.named_subjects import subjects_named

pytestmark = pytest.mark.slow

BARS = "fairness-bounded-value-bar-chart rect"
SECTIONS = (
    "The run",
    "Performance by group",
    "Gaps and ratios between groups",
    "Calibration in each group",
    "Pairs of slicings",
    "Choice of a decision threshold",
    "Limits in small groups",
    "TFMA's fairness indicators",
)


@pytest.fixture(scope="module")
def fairness(executed: Any) -> Any:
    return executed("fairness")


@pytest.fixture(scope="module", params=[1280, 400])
def visit(browse: Any, fairness: Any, request: pytest.FixtureRequest) -> Any:
    return browse(fairness.page, request.param)


def test_the_files_are_with_the_runs_records(fairness: Any, finished_run: Any) -> None:
    assert fairness.page == finished_run.records / "notebooks" / "fairness.html"


def test_every_cell_ran_and_said_nothing_but_its_result(fairness: Any) -> None:
    outputs = [output for cell in fairness.notebook.cells for output in cell.get("outputs", [])]

    assert {output.output_type for output in outputs} == {"execute_result"}


def test_no_subject_is_in_what_was_written(fairness: Any, finished_run: Any) -> None:
    """Neither an identifier of the data nor the pseudonym that examples have in its place."""
    assert subjects_named(fairness.text, finished_run) == set()


def test_the_widget_has_the_groups_that_the_run_shows_and_no_others(
    fairness: Any, finished_run: Any
) -> None:
    numbers = re.search(r"const tasks = (\{.*\});\n", html.unescape(fairness.page.read_text()))
    assert numbers

    for title, slices in each(json.loads(numbers[1]).items()):
        shown = {
            tuple(record["slice"].items())
            for record in finished_run.metrics
            if finished_run.file["study_file"]["tasks"][record["task"]]["title"] == title
        }
        assert {item["sliceValue"] for item in slices} == {
            "_X_".join(value for _, value in group) or "Overall" for group in shown
        }


def test_the_browser_has_nothing_to_complain_of(visit: Any) -> None:
    assert visit.complaints == []


def test_nothing_is_fetched(visit: Any) -> None:
    fetched = {address.partition(":")[0] for address in visit.requests}
    assert fetched <= {"about"}


def test_the_page_is_no_wider_than_its_window(visit: Any) -> None:
    assert visit.overflow == 0


def test_every_section_is_there(visit: Any) -> None:
    headings = visit.page.locator("h2").all_inner_texts()

    assert tuple(heading.removesuffix("¶") for heading in headings) == SECTIONS


def test_charts_are_drawn_in_the_pages_colours(visit: Any) -> None:
    charts = visit.page.locator("figure svg")

    assert charts.count() > 20
    assert visit.colours > 200


def test_text_in_charts_stays_readable(visit: Any) -> None:
    smallest = visit.page.evaluate(
        "Math.min(...[...document.querySelectorAll('main figure svg text')]"
        ".filter(text => text.checkVisibility())"
        ".map(text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))"
    )

    assert smallest >= 8.5


def test_tfmas_widget_draws_its_bars(visit: Any) -> None:
    visit.page.locator("iframe").scroll_into_view_if_needed()
    frame = visit.page.frame_locator("iframe")

    frame.locator(BARS).first.wait_for(timeout=30_000)
    assert frame.locator(BARS).count() > 3
    assert visit.complaints == []


def test_the_widget_shows_the_task_that_is_chosen(visit: Any) -> None:
    visit.page.locator("iframe").scroll_into_view_if_needed()
    frame = visit.page.frame_locator("iframe")
    choice = frame.locator("#task")

    tasks = choice.locator("option").all_inner_texts()
    choice.select_option(tasks[-1])
    frame.locator(BARS).first.wait_for(timeout=30_000)

    assert len(tasks) == 3
    assert visit.complaints == []


def test_the_page_fits_into_a_mail(fairness: Any) -> None:
    assert Path(fairness.page).stat().st_size < 5 * 2**20
