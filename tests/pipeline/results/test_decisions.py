"""What follows for a group from a threshold."""

from __future__ import annotations

from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from pipeline.metrics import METRICS
from pipeline.results.decisions import (
    Decisions,
    decision_records,
    decisions_at,
    evaluated_thresholds,
)
from pipeline.results.documents import Curves, GroupCurves

# Of 100 with the outcome 60 are flagged, of 300 without it 30.
AT = {
    "decision_threshold": 0.3,
    "true_positives": 60,
    "false_positives": 30,
    "true_negatives": 270,
    "false_negatives": 40,
}
ENDS = [(1.0, 0.0, 0.0), (0.0, 1.0, 1.0)]


def curves(points: list[tuple[float, float, float]], **changes: Any) -> GroupCurves:
    content = {
        "task": "death",
        "slice": {"sex": "F"},
        "model": "challenger",
        "subjects": 400,
        "positives": 100,
        "calibration": [],
        "roc": [
            {"threshold": at, "false_positive_rate": false, "true_positive_rate": true}
            for at, false, true in (ENDS[0], *points, ENDS[1])
        ],
        "confusion": [AT],
    }
    return GroupCurves.model_validate(content | changes)


def test_shares_are_of_those_they_concern() -> None:
    at = decisions_at(curves([]), 0.3)

    assert at is not None
    assert at.predicted_positive_rate.value == pytest.approx(90 / 400)
    assert at.sensitivity.value == pytest.approx(60 / 100)
    assert at.false_positive_rate.value == pytest.approx(30 / 300)
    assert at.positive_predictive_value.value == pytest.approx(60 / 90)
    assert at.negative_predictive_value.value == pytest.approx(270 / 310)


@pytest.mark.parametrize(
    ("metric", "numerator"),
    [
        ("predicted_positive_rate", 60 + 30),
        ("sensitivity", 60),
        ("false_positive_rate", 30),
        ("positive_predictive_value", 60),
        ("negative_predictive_value", 270),
    ],
)
def test_the_registry_names_the_denominator_of_each_share(metric: str, numerator: int) -> None:
    numbers = {
        "subjects": 400,
        "positives": 100,
        "negatives": 300,
        "predicted_positives": 90,
        "predicted_negatives": 310,
    }
    at = decisions_at(curves([]), 0.3)

    denominator = numbers[METRICS[metric].trials or ""]
    assert getattr(at, metric).value == pytest.approx(numerator / denominator)


def test_intervals_are_wilsons() -> None:
    at = decisions_at(curves([]), 0.3)

    assert at is not None
    expected = proportion_confint(60, 100, method="wilson")
    assert (at.sensitivity.lower, at.sensitivity.upper) == pytest.approx(expected)


def test_a_share_of_no_subjects_is_undefined() -> None:
    none_flagged = Decisions(0.9, found=0, false_alarms=0, missed=10, spared=90)

    assert none_flagged.positive_predictive_value.value is None
    assert none_flagged.sensitivity.value == 0


def test_a_point_of_the_curve_becomes_counts() -> None:
    # 0.9 of 100 and 0.5 of 300.
    at = decisions_at(curves([(0.1, 0.5, 0.9)]), 0.12)

    assert at == Decisions(0.1, found=90, false_alarms=150, missed=10, spared=150)


def test_between_two_points_the_nearer_one_is_taken() -> None:
    at = decisions_at(curves([(0.1, 0.5, 0.9)]), 0.21)

    assert at is not None
    assert at.threshold == 0.3


def test_the_ends_of_a_curve_are_no_choice() -> None:
    assert evaluated_thresholds([curves([(0.1, 0.5, 0.9)])]) == [0.1, 0.3]


def test_a_group_without_any_point_has_no_decisions() -> None:
    assert decisions_at(curves([], confusion=[], roc=[]), 0.3) is None


def test_records_add_what_the_metrics_lack() -> None:
    found = decision_records(Curves(curves=(curves([]),)))

    assert [(record.metric, record.value) for record in found] == [
        ("predicted_positive_rate", pytest.approx(0.225)),
        ("negative_predictive_value", pytest.approx(270 / 310)),
    ]
    assert {(record.subjects, record.positives) for record in found} == {(400, 100)}


def test_a_champions_decisions_are_its_own() -> None:
    assert decision_records(Curves(curves=(curves([], model="champion"),))) == []


WEIGHTED = {"observed_rate": 0.2, "effective_subjects": 300.0}


def test_shares_of_weighted_subjects_are_of_their_rates_and_not_of_their_numbers() -> None:
    """Of 100 per hundred weighted subjects 20 have the outcome, of whom 70 % are flagged."""
    at = AT | {"true_positive_rate": 0.7, "false_positive_rate": 0.1}

    found = decisions_at(curves([], confusion=[at], weighted=WEIGHTED), 0.3)

    assert found is not None
    assert found.predicted_positive_rate.value == pytest.approx(0.2 * 0.7 + 0.8 * 0.1)
    assert found.negative_predictive_value.value == pytest.approx(0.72 / (0.72 + 0.06))
    assert found.subjects == pytest.approx(300)
    lower, upper = proportion_confint(66, 300, method="wilson")
    share = found.predicted_positive_rate
    assert (share.lower, share.upper) == pytest.approx((lower, upper))


def test_points_between_are_weighted_as_well() -> None:
    found = decisions_at(curves([(0.5, 0.05, 0.4)], confusion=[], weighted=WEIGHTED), 0.5)

    assert found is not None
    assert found.positive_predictive_value.value == pytest.approx(0.08 / (0.08 + 0.04))


def test_the_observed_rate_of_a_group_is_weighted_where_its_subjects_are() -> None:
    assert curves([]).observed_rate == 0.25
    assert curves([], weighted=WEIGHTED).observed_rate == 0.2
