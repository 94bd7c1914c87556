"""What the fairness notebook shows of groups."""

from __future__ import annotations

import math
from typing import Any

import pytest

from notebooks.fairness import groups
from notebooks.fairness.group_results import task_groups
from notebooks.shown import Shown
from pipeline.estimates import Estimate
from tests.html_reading import Element, read_html
from tests.notebooks.hand_made_groups import hand_made_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return hand_made_run(tmp_path_factory.mktemp("run"))


def read(shown: Shown) -> Element:
    """What is shown, with plain spaces."""
    return read_html(shown._repr_html_().replace("\N{NARROW NO-BREAK SPACE}", " "))


def table(root: Element, caption: str) -> list[list[str]]:
    """Rows of the table under a caption."""
    name = next(p for p in root.all("p", **{"class": "caption"}) if p.text.startswith(caption))
    found = root.one("table", **{"aria-labelledby": name.attributes["id"]})
    return [
        [cell.text for cell in row.content if isinstance(cell, Element)]
        for row in found.one("tbody").all("tr")
    ]


@pytest.fixture(scope="module")
def rates(run: Any) -> Any:
    return read(groups.rates(run))


@pytest.fixture(scope="module")
def between(run: Any) -> Any:
    return read(groups.between_groups(run))


@pytest.fixture(scope="module")
def crossed(run: Any) -> Any:
    return read(groups.intersections(run))


def test_overall_and_each_group_have_sizes_and_rates_with_intervals(rates: Any) -> None:
    rows = table(rates, "Rates where a prediction of 0.3")

    assert [row[0] for row in rows] == ["overall", "sex F", "sex M", "age <50", "age >=50"]
    assert rows[1][1:4] == ["240", "60", "70.0 % (57.1 to 82.9)"]


def test_rates_that_the_metrics_lack_are_there_too(rates: Any) -> None:
    overall = table(rates, "Rates where a prediction of 0.3")[0]

    # Of 400, 60 are rightly flagged and 60 of 300 are not.
    assert overall[7].startswith("30.0 %")
    assert overall[6].startswith("85.7 %")


def test_a_forest_plot_says_in_words_what_it_shows(rates: Any) -> None:
    said = [title.text for title in rates.all("title")]

    assert any("Sensitivity at 0.3" in text and "M 50.0 %" in text for text in said)


def test_the_widest_gap_has_difference_and_ratio_with_intervals(between: Any) -> None:
    rows = {(row[0], row[1]): row for row in table(between, "Largest gap")}

    sensitivity = rows["sex", "Sensitivity at 0.3"]
    assert sensitivity[2:4] == ["M: 50.0 %", "F: 70.0 %"]
    # 1/sqrt(60) and 1/sqrt(40) in quadrature: 20.4 points either way.
    assert sensitivity[4] == "20.0 % (−0.4 to 40.4)"
    assert sensitivity[5].startswith("1.40 (")


def test_what_is_no_share_has_no_ratio(between: Any) -> None:
    rows = {(row[0], row[1]): row for row in table(between, "Largest gap")}

    assert rows["sex", "AUC"][5] == "–"


def test_every_group_stands_beside_the_largest_of_its_characteristic(between: Any) -> None:
    rows = table(between, "Differences and ratios")

    assert ["Sensitivity", "sex M", "F"] in [row[:3] for row in rows]
    assert ["Sensitivity", "age <50", ">=50"] in [row[:3] for row in rows]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Estimate(1.4, 0.98, 2.1), "1.40 (0.98 to 2.10)"),
        (Estimate(3.0, 1.5, math.inf), "3.00 (1.50 to ∞)"),
        (Estimate(None), "by 0: undefined"),
        (Estimate(1.4), "1.40 (no interval)"),
    ],
)
def test_a_ratio_says_where_its_interval_ends(found: Any, text: Any) -> None:
    assert groups.ratio_text(found) == text


def test_each_characteristic_has_its_calibration_curves(run: Any) -> None:
    root = read(groups.calibration(run))

    captions = [caption.text for caption in root.all("figcaption")]
    assert [text.split(":")[0] for text in captions[1:]] == [
        "Calibration by sex",
        "Calibration by age",
    ]


def test_groups_that_are_not_shown_keep_their_place_without_a_number(crossed: Any) -> None:
    said = next(text.text for text in crossed.all("title") if text.text.startswith("Sensitivity"))

    assert "F: <50 suppressed, >=50 60.0 %" in said
    assert "M: <50 <50, >=50 60.0 %" in said


def test_the_table_of_pairs_has_only_groups_that_are_shown(crossed: Any) -> None:
    rows = table(crossed, "Groups by pairs of slicings, at the threshold")

    assert [row[0] for row in rows] == ["sex F, age >=50", "sex M, age >=50"]


def test_the_page_says_how_many_groups_are_not_shown(crossed: Any) -> None:
    assert (
        "Not shown: 1 group with too few subjects or none, 1 group from which a smaller one would "
        "follow by subtraction." in crossed.text
    )


def test_tasks_come_in_the_order_of_the_study(run: Any) -> None:
    assert [groups.task for groups in task_groups(run)] == ["death"]
