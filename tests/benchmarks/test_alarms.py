"""Simulated years: what they are drawn from, and how often alarms fire in a thousand of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from benchmarks.alarms import (
    CHANGED,
    CLAIMED,
    LEAST_FOUND,
    MOST_FALSE,
    STABLE,
    simulate,
)
from benchmarks.simulated_years import Risk, Year, reference_of

FEATURES = 1
"""Instead of the ten in the table of docs/monitoring.md: they share the same error."""


def test_risks_have_the_rate_and_the_auc_that_they_are_named_by() -> None:
    intercept, slope = Risk(0.25, 0.80).line()
    rng = np.random.default_rng(1)
    risk = expit(intercept + slope * rng.normal(size=200_000))
    outcome = rng.random(200_000) < risk
    assert outcome.mean() == pytest.approx(0.25, abs=0.004)
    assert roc_auc_score(outcome, risk) == pytest.approx(0.80, abs=0.004)


def test_a_reference_is_summed_up_as_by_hand() -> None:
    predictions = np.array([0.1, 0.4, 0.35, 0.8, 0.9])
    outcomes = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    found = reference_of(predictions, outcomes, np.array([1.0, 1.0, 1.0, 1.0, 0.0]))
    assert (found.subjects, found.events) == (4, 2)
    # Errors .1, .4, -.65, -.2.
    assert found.mean_error == pytest.approx(-0.0875)
    assert found.error_variance == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4 - 0.0875**2)
    # 3 of 4 pairs; events stand above .5 and 1 of the others, others below 1 and .5 of the events.
    assert found.auc == 0.75
    assert found.auc_error == pytest.approx((2 * 0.0625 / 2) ** 0.5)


def test_the_same_year_is_simulated_again() -> None:
    year = dataclasses.replace(CHANGED[0], features=1)
    assert simulate(year, 2) == simulate(year, 2)


@pytest.mark.slow
def test_alarms_can_be_left_on() -> None:
    found = simulate(dataclasses.replace(STABLE[0], features=FEATURES))
    assert len(found) == 1000
    assert sum(year.any_fired for year in found) <= MOST_FALSE * 1000


def change(name: str) -> Year:
    [year] = [year for year in CHANGED if year.name == name]
    return year


@pytest.mark.slow
@pytest.mark.parametrize("name", CLAIMED)
def test_a_change_is_found_within_three_months(name: str) -> None:
    found = simulate(dataclasses.replace(change(name), features=0))
    assert len(found) == 1000
    assert sum(year.in_time for year in found) >= LEAST_FOUND * 1000
