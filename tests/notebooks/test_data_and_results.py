"""The notebooks on data and results, executed by the command that a person types."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks.named_subjects import subjects_named
from tests.whole_runs import Run

pytestmark = pytest.mark.slow

NAMES = ("data", "results")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_opens_without_network_at_any_width(
    executed: Callable[[str], Any], browse: Callable[[Path, int], Any], name: str, width: int
) -> None:
    visit = browse(executed(name).page, width)
    assert visit.complaints == []
    assert visit.requests == []
    assert visit.overflow <= 0
    assert visit.page.locator("svg[role=img]").count() >= 5
    assert visit.page.locator("table").count() >= 3


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_was_written_names_a_subject(
    executed: Callable[[str], Any], finished_run: Run, name: str
) -> None:
    assert subjects_named(executed(name).text, finished_run) == set()


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_has_an_error_or_writes_to_a_stream(
    executed: Callable[[str], Any], name: str
) -> None:
    outputs = [
        output for cell in executed(name).notebook.cells for output in cell.get("outputs", ())
    ]
    assert {output["output_type"] for output in outputs} <= {"display_data", "execute_result"}


def test_what_leaving_subjects_to_people_gains_stands_there_in_the_pages_words(
    executed: Callable[[str], Any], finished_run: Run
) -> None:
    pages = (executed("results").page, finished_run.records / "page.html")

    found, expected = (re.findall(r"What is gained by [^<]+", page.read_text()) for page in pages)

    assert expected
    assert found == expected
