"""Tables of the analysis in a real browser: with several arms nothing has to be scrolled for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.html.page import Page, render
from pipeline.pages.analysis import analysis_sections
from tests.components.trial_analysis.hand_made_subjects import repeated, times, trial
from tests.components.trial_analysis.test_document import document
from tests.conftest import Visit

pytestmark = pytest.mark.slow

ARMS = (
    "Placebo",
    "Xanomeline High Dose with Donepezil",
    "Zidovudine and Didanosine",
    "Zidovudine and Zalcitabine",
)
EACH = 600
REGIONS = """() => [...document.querySelectorAll(".scroll")].map(
  region => [region.scrollWidth, region.clientWidth, region.textContent.slice(0, 60)])"""


def write_page(folder: Path, arms: int) -> Path:
    """An analysis of some arms, with values as wide as they get, all details open."""
    count = EACH * arms
    sexes = repeated(("Female", 300), ("Male", 300)) * arms
    subjects = trial(
        repeated(*((arm, EACH) for arm in ARMS[:arms])),
        numbers={"LDH_AT_BASELINE": [100_000 + 1_000 * (place % 97) for place in range(count)]},
        characteristics={"SEX": sexes},
        slicings={"sex": sexes},
        outcomes={"death": [place % 7 < 3 for place in range(count)]},
        times={
            "death": times(
                [place * 37 % 700 + 1 for place in range(count)],
                [place % 2 for place in range(count)],
            )
        },
    )
    file = folder / "analysis.html"
    html = render(Page("A trial", "What it says.", analysis_sections(document(subjects))))
    file.write_text(html.replace("<details", "<details open"), encoding="utf-8")
    return file


@pytest.mark.parametrize("arms", [2, 3, 4])
def test_at_1280_pixels_no_table_has_to_be_scrolled(
    browse: Callable[[Path, int], Visit], tmp_path: Path, arms: int
) -> None:
    visit = browse(write_page(tmp_path, arms), 1280)
    regions = visit.page.evaluate(REGIONS)
    assert len(regions) > 4
    assert [region for region in regions if region[0] > region[1]] == []
    assert visit.overflow == 0


def test_on_a_telephone_a_wide_table_scrolls_and_the_page_does_not(
    browse: Callable[[Path, int], Visit], tmp_path: Path
) -> None:
    visit = browse(write_page(tmp_path, 4), 400)
    assert any(region[0] > region[1] for region in visit.page.evaluate(REGIONS))
    assert visit.overflow == 0


def test_a_wide_screen_is_used(browse: Callable[[Path, int], Visit], tmp_path: Path) -> None:
    visit = browse(write_page(tmp_path, 4), 1920)
    width = visit.page.evaluate("document.querySelector('main').clientWidth")
    assert width > 1280
