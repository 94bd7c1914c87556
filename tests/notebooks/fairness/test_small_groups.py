"""Limits of the results in small groups."""

from __future__ import annotations

from typing import Any

import pytest

from notebooks.fairness.small_groups import detectable, excluding_zero, limits, wide
from pipeline.results.documents import MetricRecord
from pipeline.results.fairness import contrasts
from tests.notebooks.hand_made_groups import hand_made_run


def sensitivity(group: dict[str, str], value: float, reach: float, **changes: Any) -> MetricRecord:
    content = {
        "task": "death",
        "slice": group,
        "metric": "sensitivity",
        "decision_threshold": 0.3,
        "model": "challenger",
        "value": value,
        "lower": value - reach,
        "upper": value + reach,
        "subjects": 100,
        "positives": 20,
    }
    return MetricRecord.model_validate(content | changes)


def test_an_interval_over_half_of_what_is_possible_is_not_informative() -> None:
    known, unknown = sensitivity({"sex": "F"}, 0.5, 0.24), sensitivity({"sex": "M"}, 0.5, 0.25)

    assert wide([known, unknown]) == [unknown]


def test_a_missing_interval_is_not_informative_either() -> None:
    lacking = sensitivity({"sex": "M"}, 1.0, 0, lower=None, upper=None)

    assert wide([lacking]) == [lacking]


def test_the_best_and_the_least_known_pair_of_a_characteristic_are_named() -> None:
    found = detectable(
        contrasts(
            [
                sensitivity({"age": "<50"}, 0.5, 0.1, subjects=300),
                sensitivity({"age": "50+"}, 0.5, 0.05),
                sensitivity({"age": "85+"}, 0.5, 0.3),
            ]
        )
    )

    assert [(f.slicing, f.best.group.group_text, f.worst.group.group_text) for f in found] == [
        ("age", "age 50+", "age 85+")
    ]


def test_differences_whose_interval_holds_no_nought_are_counted() -> None:
    found = contrasts(
        [
            sensitivity({"age": "<50"}, 0.5, 0.05, subjects=300),
            sensitivity({"age": "50+"}, 0.8, 0.05),
            sensitivity({"age": "85+"}, 0.52, 0.05),
            sensitivity({"age": "95+"}, 0.1, 0.05),
        ]
    )

    assert excluding_zero(found) == 2


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return limits(hand_made_run(tmp_path_factory.mktemp("run")))._repr_html_()


def test_groups_without_an_informative_interval_are_named_with_their_counts(shown: Any) -> None:
    # Ten events: 40 % within 31.6 points.
    assert "1 of 6 groups have no informative interval" in shown
    assert "age &lt;50 (10 with the outcome): 8 % to 72 %".replace(" %", "\u202f%") in shown


def test_a_metric_that_is_precise_in_every_group_is_named(shown: Any) -> None:
    assert (
        "False positive rate at the threshold 0.3: every group has an informative interval" in shown
    )


def test_the_number_of_differences_expected_by_chance_is_stated(shown: Any) -> None:
    # Two measures; by sex one contrast, by age one, by both one.
    assert "6 differences are shown here" in shown
