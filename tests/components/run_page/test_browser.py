"""The page of a run in a real browser without network."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.html.page import render
from pipeline.pages.evaluation.page import run_page
from tests.components.run_page.hand_made_run import AUC_AT_LEAST, AUC_EVERYWHERE, failure, result

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_of_a_refused_run_opens_without_complaint_and_fits(
    browse: Any, tmp_path: Path, width: Any
) -> None:
    failures = [failure(AUC_AT_LEAST), failure(AUC_EVERYWHERE, group={"sex": "M"})]
    path = tmp_path / "page.html"
    path.write_text(
        render(run_page(result(AUC_AT_LEAST, AUC_EVERYWHERE, failures=failures, champion=True)))
    )

    visit = browse(path, width)

    assert visit.complaints == []
    assert visit.requests == []
    assert visit.overflow == 0
    assert visit.page.locator("h1").inner_text() == "A demonstration trial"
    assert visit.page.locator("svg[role=img]").count() == 12
