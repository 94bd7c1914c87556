"""Gaps between groups."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.results.documents import MetricRecord
from pipeline.results.fairness import contrasts, gaps


def record(group: dict[str, str], value: float | None, **changes: Any) -> MetricRecord:
    content = {
        "task": "death",
        "slice": group,
        "metric": "sensitivity",
        "decision_threshold": 0.5,
        "model": "challenger",
        "value": value,
        "lower": None if value is None else value - 0.03,
        "upper": None if value is None else value + 0.04,
        "subjects": 100,
        "positives": 20,
    }
    return MetricRecord.model_validate(content | changes)


def test_the_gap_is_between_the_lowest_and_the_highest_group() -> None:
    (gap,) = gaps([record({"age": a}, v) for a, v in (("<65", 0.7), ("65+", 0.5), ("85+", 0.6))])

    assert (gap.lowest, gap.highest) == ("age 65+", "age <65")
    assert gap.value == pytest.approx(0.2)
    assert gap.groups == 3


def test_the_intervals_of_two_groups_add_in_quadrature() -> None:
    # 0.70 (0.67 to 0.74) and 0.50 (0.46 to 0.54): .03 and .04 down, .04 and .03 up.
    high = record({"sex": "F"}, 0.7, lower=0.67, upper=0.73)
    low = record({"sex": "M"}, 0.5, lower=0.46, upper=0.54)

    (gap,) = gaps([high, low])

    assert (gap.lower, gap.upper) == (pytest.approx(0.15), pytest.approx(0.25))


def test_all_subjects_are_no_group_and_one_group_has_no_gap() -> None:
    assert gaps([record({}, 0.6), record({"sex": "F"}, 0.7)]) == []


def test_groups_without_a_value_are_not_compared() -> None:
    assert gaps([record({"sex": "F"}, 0.7), record({"sex": "M"}, None)]) == []


def test_a_group_without_an_interval_leaves_the_gap_without_one() -> None:
    without = record({"sex": "M"}, 0.5, lower=None, upper=None)

    (gap,) = gaps([record({"sex": "F"}, 0.7), without])

    assert gap.value == pytest.approx(0.2)
    assert gap.lower is None


def test_slicings_thresholds_and_tasks_are_compared_among_themselves() -> None:
    found = gaps(
        [
            record({"sex": "F"}, 0.7),
            record({"sex": "M"}, 0.5),
            record({"arm": "A"}, 0.9),
            record({"sex": "M"}, 0.1, decision_threshold=0.2),
            record({"sex": "M"}, 0.1, task="relapse"),
        ]
    )

    assert [(gap.slicing, gap.decision_threshold) for gap in found] == [(("sex",), 0.5)]


def test_a_champions_records_are_its_own() -> None:
    assert gaps([record({"sex": "F"}, 0.7), record({"sex": "M"}, 0.5, model="champion")]) == []


def test_other_metrics_can_be_compared() -> None:
    records = [
        record({"sex": sex}, v, metric="positive_predictive_value")
        for sex, v in (("F", 0.7), ("M", 0.5))
    ]

    assert gaps(records) == []
    assert [gap.metric for gap in gaps(records, ["positive_predictive_value"])] == [
        "positive_predictive_value"
    ]


def test_groups_are_held_against_the_largest_of_their_slicing() -> None:
    found = contrasts(
        [
            record({"age": "<65"}, 0.7, subjects=100),
            record({"age": "65+"}, 0.5, subjects=300),
            record({"age": "85+"}, 0.6, subjects=50),
            record({"sex": "F"}, 0.6, subjects=10),
            record({}, 0.6, subjects=450),
        ]
    )

    assert [(item.group.group_text, item.reference.group_text) for item in found] == [
        ("age <65", "age 65+"),
        ("age 85+", "age 65+"),
    ]
    assert [item.difference.value for item in found] == [pytest.approx(0.2), pytest.approx(0.1)]
