"""Metrics of all repeats at once are those of each repeat's score table alone."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluator import performance
from components.evaluator.repeat_tables import RepeatTables
from components.evaluator.score_table import ScoreTable

OUTCOME = np.array([True, False, True, False, False, True])
# The highest prediction of the first repeat is the lowest of the second; the third repeat separates
# the outcomes.
SCORES = np.array(
    [
        [0.7, 0.9, 0.8],
        [0.4, 0.8, 0.1],
        [0.2, 0.8, 0.9],
        [0.1, 0.9, 0.2],
        [0.7, 0.8, 0.2],
        [0.8, 0.9, 0.9],
    ],
    np.float32,
)
WEIGHTS = [None, np.array([1.0, 1.0, 2.5, 1.0, 1.25, 1.0])]


def alone(weight: NDArray[np.float64] | None) -> list[ScoreTable]:
    every = np.ones(len(OUTCOME)) if weight is None else weight
    return [ScoreTable.of_rows(column, OUTCOME, every) for column in SCORES.T]


@pytest.mark.parametrize("weight", WEIGHTS)
def test_each_repeat_has_the_slope_of_its_own_table(weight: NDArray[np.float64] | None) -> None:
    slopes = RepeatTables.of(OUTCOME, SCORES, weight).calibration_slopes()

    own = [performance.calibration_slope(table) for table in alone(weight)]
    assert slopes == pytest.approx(own, rel=1e-9, nan_ok=True)
    assert [math.isnan(slope) for slope in slopes] == [False, False, True]


@pytest.mark.parametrize("weight", WEIGHTS)
def test_each_repeat_has_the_calibration_error_of_its_own_table(
    weight: NDArray[np.float64] | None,
) -> None:
    errors = RepeatTables.of(OUTCOME, SCORES, weight).expected_calibration_errors()

    own = [performance.expected_calibration_error(table) for table in alone(weight)]
    assert errors == pytest.approx(own, rel=1e-12)


def test_subjects_who_all_have_the_outcome_have_no_slope() -> None:
    tables = RepeatTables.of(np.ones(6, np.bool_), SCORES, None)

    assert np.isnan(tables.calibration_slopes()).tolist() == [True, True, True]
