"""What a threshold would mean for each group."""

from __future__ import annotations

from typing import Any

import pytest

from notebooks.fairness.threshold_choice import consequences
from pipeline.errors import UserError
from tests.html_reading import Element, read_html
from tests.notebooks.hand_made_groups import hand_made_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return hand_made_run(tmp_path_factory.mktemp("run"))


def rows(run: Any, thresholds: Any = None) -> dict[str, list[str]]:
    root = read_html(consequences(run, thresholds)._repr_html_())
    first = root.all("tbody")[0]
    cells = [
        [cell.text for cell in row.content if isinstance(cell, Element)] for row in first.all("tr")
    ]
    return {row[0]: row[1:] for row in cells}


def test_the_first_decision_threshold_is_taken_by_default(run: Any) -> None:
    # Of 240 women 42 of 60 are found and 36 of 180 flagged in vain.
    assert rows(run)["sex F"][:6] == ["240", "0.3", "325", "175", "75", "150"]


def test_another_threshold_gives_the_nearest_that_was_evaluated(run: Any) -> None:
    assert rows(run, {"death": 0.12})["sex F"][:2] == ["240", "0.1"]


def test_groups_that_are_not_shown_have_no_line(run: Any) -> None:
    assert "sex M, age <50" not in rows(run)
    assert "sex F, age <50" not in rows(run)


def test_an_unknown_task_is_an_error(run: Any) -> None:
    with pytest.raises(UserError, match=r"unknown task 'relapse'\. This run has: death"):
        consequences(run, {"relapse": 0.3})


@pytest.mark.parametrize("threshold", [0, 1, 30])
def test_a_threshold_is_a_probability(run: Any, threshold: Any) -> None:
    with pytest.raises(UserError, match="expected a probability between 0 and 1"):
        consequences(run, {"death": threshold})
