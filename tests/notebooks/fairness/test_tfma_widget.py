"""TFMA's fairness widget, as it is fed."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from notebooks.fairness.tfma_widget import Widget, slicing_metrics, widget
from tests.each import each
from tests.notebooks.hand_made_groups import hand_made_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return hand_made_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def slices(run: Any) -> Any:
    return {item["slice"]: item for item in slicing_metrics(run.metrics.records)}


def test_overall_comes_first(run: Any) -> None:
    assert slicing_metrics(run.metrics.records)[0]["slice"] == "Overall"


def test_a_metric_has_the_ends_of_its_interval(slices: Any) -> None:
    found = slices["sex:M"]["metrics"]["fairness_indicators_metrics/true_negative_rate@0.3"]

    assert found == {"boundedValue": {"value": 0.8, "lowerBound": 0.75, "upperBound": 0.85}}


def test_a_metric_without_an_interval_is_a_number(run: Any) -> None:
    record = run.metrics.records[-1].model_copy(update={"metric": "sensitivity", "lower": None})

    (found,) = slicing_metrics([record])

    assert found["metrics"]["fairness_indicators_metrics/true_positive_rate@0.3"] == {
        "doubleValue": record.value
    }


def test_groups_by_two_characteristics_have_both_in_their_name(slices: Any) -> None:
    assert slices["sex_X_age:F_X_>=50"]["sliceValue"] == "F_X_>=50"


def test_groups_that_may_not_be_shown_are_not_in_it(slices: Any) -> None:
    assert not any("<50" in name and "sex" in name for name in each(slices))


def test_a_champions_records_are_passed_over(run: Any) -> None:
    of_champion = [
        record.model_copy(update={"model": "champion"}) for record in run.metrics.records
    ]

    assert slicing_metrics(of_champion) == []


def frame(shown: Widget) -> str:
    """The frame's document."""
    found = re.fullmatch(r'<iframe .* srcdoc="([^"]*)"></iframe>', shown._repr_html_(), re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_the_frame_holds_script_and_numbers_and_nothing_ends_them_early(run: Any) -> None:
    document = frame(widget(run))

    assert document.count("</script>") == 3
    assert "fairness-nb-container" in document
    numbers = re.search(r"const tasks = (\{.*\});\n", document)
    assert numbers
    assert list(json.loads(numbers[1])) == ["Death"]


def test_a_text_of_the_study_can_not_end_the_script() -> None:
    document = frame(Widget({"</script><script>alert(1)</script>": []}))

    assert document.count("</script>") == 3


def test_nothing_in_the_frame_asks_google_or_for_the_focus(run: Any) -> None:
    document = frame(widget(run))

    assert "window.polymerSkipLoadingFontRoboto = true" in document
    assert ' autofocus=""' not in document
