"""The page of the boards in a real browser, without network."""

from typing import Any

import pytest

from grafana.page.write_boards import write_boards
from tests.pipeline.store.hand_made_store import fill

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("boards")
    address = f"sqlite:///{folder / 'store.sqlite'}"
    fill(address)
    write_boards(address, folder / "boards.html")
    return folder / "boards.html"


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


def test_charts_have_a_size(visit: Any) -> None:
    sizes = visit.page.evaluate(
        "[...document.querySelectorAll('main figure svg')].filter(svg => svg.checkVisibility())"
        ".map(svg => svg.getBoundingClientRect()).map(box => Math.min(box.width, box.height))"
    )

    assert len(sizes) > 8
    assert min(sizes) > 50
