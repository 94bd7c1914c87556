"""Metrics of intervals and prediction sets of four hand-made subjects."""

from __future__ import annotations

import math

import numpy as np
import pytest

from components.evaluator.fold_scores import FoldScores
from components.evaluator.uncertainty import measure_uncertainty
from pipeline.metrics import OF_UNCERTAINTY
from pipeline.names import CHALLENGER
from pipeline.results.uncertainty import LOWER, PARTS, SET_NEGATIVE, SET_POSITIVE, UPPER
from tests.each import each

COLUMNS = {
    CHALLENGER: [0.1, 0.4, 0.6, 0.9],
    LOWER: [0.0, 0.2, 0.5, 0.8],
    UPPER: [0.2, 0.6, 0.7, 1.0],
    # One level, both, none, one level.
    SET_NEGATIVE: [1, 1, 0, 0],
    SET_POSITIVE: [0, 1, 0, 1],
}


def scores(weights: tuple[float, ...] = (1, 1, 1, 1), without: str = "") -> FoldScores:
    """The first two subjects have not the outcome, the others have it."""
    return FoldScores.of_rows(
        np.arange(4),
        np.array([0.0, 0.0, 1.0, 1.0]),
        np.array(weights),
        np.zeros((4, 1), np.int16),
        {
            name: np.array(values, np.float32)[:, None]
            for name, values in COLUMNS.items()
            if name != without
        },
    )


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("coverage_negative", 2 / 2),
        ("coverage_positive", 1 / 2),
        ("single_sets", 2 / 4),
        ("full_sets", 1 / 4),
        ("empty_sets", 1 / 4),
        ("interval_width", (0.2 + 0.4 + 0.2 + 0.2) / 4),
        # .2 / 1.2, .6 / 1.4, .7 / 1.2 and 1 / 1.2 stand for the intervals, each in a bin.
        ("interval_calibration_error", (0.2 / 1.2 + 0.6 / 1.4 + 0.5 / 1.2 + 0.2 / 1.2) / 4),
    ],
)
def test_metric_by_hand(metric: str, expected: float) -> None:
    assert measure_uncertainty(metric, scores()) == pytest.approx(expected, abs=1e-6)


def test_subjects_count_by_their_weight() -> None:
    # Of 3 + 1 with the outcome, the one of weight 3 has an empty set.
    assert measure_uncertainty("coverage_positive", scores((1, 1, 3, 1))) == pytest.approx(1 / 4)
    assert measure_uncertainty("empty_sets", scores((1, 1, 3, 1))) == pytest.approx(3 / 6)


def test_unknown_outcomes_do_not_count() -> None:
    assert measure_uncertainty("coverage_positive", scores((1, 1, 0, 1))) == 1.0


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_measured_where_a_part_is_missing(part: str) -> None:
    for metric in each(OF_UNCERTAINTY):
        assert math.isnan(measure_uncertainty(metric, scores(without=part)))


def test_coverage_without_a_subject_of_the_level_is_no_number() -> None:
    assert math.isnan(measure_uncertainty("coverage_positive", scores((1, 1, 0, 0))))
