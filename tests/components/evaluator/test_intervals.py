import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluator.intervals import information_of, of_mean, of_ranking


def logit(p: Any) -> Any:
    return math.log(p / (1 - p))


def test_a_mean_varies_by_the_test_part_relative_to_its_training_part() -> None:
    # Four folds: a third of the variance more.
    lower, upper = of_mean(0.1, 0.3, 4)

    assert (lower + upper) / 2 == pytest.approx(0.2)
    assert (upper - lower) ** 2 == pytest.approx(0.2**2 * (1 + 1 / 3))


def test_ranking_varies_more_the_fewer_events_there_are() -> None:
    # 20 events of 200 subjects carry an information of 18: the factor is 1 + 1/4 + 10/18.
    information = information_of(200, 20)
    lower, upper = of_ranking(0.6, 0.8, 5, information, information)

    assert information == pytest.approx(18)
    reach = 0.1 / (0.7 * 0.3) * math.sqrt(1.25 + 10 / 18)
    assert logit(lower) == pytest.approx(logit(0.7) - reach)
    assert logit(upper) == pytest.approx(logit(0.7) + reach)


def test_a_slice_does_not_vary_more_by_the_training_than_all_subjects() -> None:
    # A tenth of the information: a tenth of what is added, of a variance that is ten times as high.
    lower, upper = of_ranking(-0.1, 0.1, 5, 5, 50, is_difference=True)

    assert upper**2 == pytest.approx(0.1**2 * (1.25 + 10 / 50 / 10))
    assert lower == -upper


def test_a_difference_of_areas_has_the_factor_of_an_area() -> None:
    lower, upper = of_ranking(-0.05, 0.15, 5, 40, 40, is_difference=True)

    assert (lower + upper) / 2 == pytest.approx(0.05)
    assert upper - lower == pytest.approx(0.2 * math.sqrt(1.25 + 10 / 40))


@given(
    area=st.floats(0.01, 0.99),
    reach=st.floats(0.001, 0.6),
    folds=st.integers(2, 20),
    information=st.floats(1, 1e5),
)
def test_an_area_lies_in_its_interval_and_the_interval_in_0_to_1(
    area: Any, reach: Any, folds: Any, information: Any
) -> None:
    lower, upper = of_ranking(area - reach, area + reach, folds, information, information)

    assert 0 <= lower < area < upper <= 1


@pytest.mark.parametrize("bound", [1.0, 0.0, math.nan])
def test_an_area_at_its_edge_or_undefined_has_no_interval(bound: Any) -> None:
    assert np.isnan(of_ranking(bound, bound, 5, 10, 10)).all()


def test_without_an_event_there_is_no_interval() -> None:
    assert information_of(40, 0) == 0
    assert np.isnan(of_ranking(0.4, 0.6, 5, 0, 0)).all()
