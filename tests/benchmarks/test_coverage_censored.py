import numpy as np
import pytest

from benchmarks.coverage_censored import RATES, censored, simulate_coverage
from tests.each import each


def test_subjects_who_are_observed_stand_for_all_of_their_arm() -> None:
    """Weights add up to the subjects of an arm where the last of them was not lost."""
    rng = np.random.default_rng(1)
    active, outcome = np.arange(4000) % 2 == 0, rng.random(4000) < 0.4

    weight = censored(outcome, active, rng)

    for arm in each(RATES):
        known = weight[active == arm]
        assert known.sum() == pytest.approx(2000, rel=1e-9)
    lost = (weight == 0)[active].mean(), (weight == 0)[~active].mean()
    assert lost[0] > 2 * lost[1] > 0.2


def test_the_weighted_rate_is_that_of_all_and_the_plain_one_is_too_high() -> None:
    rng = np.random.default_rng(2)
    active, outcome = np.arange(20_000) % 2 == 0, rng.random(20_000) < 0.4

    weight = censored(outcome, active, rng)

    assert np.average(outcome, weights=weight) == pytest.approx(outcome.mean(), abs=0.01)
    assert outcome[weight > 0].mean() > outcome.mean() + 0.03


def test_both_ways_of_counting_are_measured_on_the_same_trials() -> None:
    rows = simulate_coverage(200, trials=2, repeats=1, seed=5)

    assert {(row.scheme, row.metric) for row in each(rows)} == {
        (kind, metric) for kind in ("weighted", "unweighted") for metric in ("auc", "brier")
    }
    assert {row.trials for row in rows} == {2}
