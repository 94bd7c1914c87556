"""Boundaries: one look, independent looks, looks at what grows, against simulated paths."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from pipeline.monitoring.alarms.boundary import boundaries
from tests.each import each


def test_one_look_has_the_quantile_of_its_error() -> None:
    for two_sided, expected in each(((True, norm.isf(0.025)), (False, norm.isf(0.05)))):
        assert boundaries([0.0], [0.05], two_sided)[0] == pytest.approx(expected, abs=1e-3)


def test_independent_looks_spend_what_is_left() -> None:
    # Of the years that did not fire at the first look, .02 / .98 are to fire at the second.
    second = boundaries([0.0, 0.0], [0.02, 0.02], True)[1]
    assert second == pytest.approx(norm.isf(0.01 / 0.98), abs=2e-3)


def test_the_same_look_again_spends_nothing_more_and_needs_no_boundary_above() -> None:
    first, again = boundaries([0.0, 1.0], [0.01, 0.01], True)
    # Together 2 % lie beyond the second.
    assert first == pytest.approx(norm.isf(0.005), abs=2e-3)
    assert again == pytest.approx(norm.isf(0.01), abs=0.02)


def test_where_nothing_may_be_spent_nothing_fires() -> None:
    found = boundaries([0.0, 0.9, 0.9], [0.0, 0.01, 0.0], False)
    assert np.isinf(found[0])
    assert np.isfinite(found[1])
    assert np.isinf(found[2])


def test_later_looks_change_no_earlier_boundary() -> None:
    correlations, errors = [0.0, *[0.95] * 9], [0.002] * 10
    assert (
        boundaries(correlations[:4], errors[:4], True) == boundaries(correlations, errors, True)[:4]
    )


@pytest.mark.parametrize("two_sided", [True, False])
def test_paths_that_grow_fire_as_often_as_they_may(two_sided: bool) -> None:
    weeks = np.arange(1, 27)
    information = 1 / (1 / 1000 + 1 / (60 * weeks))
    correlations = np.sqrt(information[:-1] / information[1:])
    limits = boundaries([0.0, *correlations], [0.1 / 26] * 26, two_sided)

    rng = np.random.default_rng(5)
    steps = np.sqrt(np.diff([0, *information]))
    evidence = np.cumsum(rng.normal(size=(20_000, 26)) * steps, axis=1) / np.sqrt(information)
    beyond = (np.abs(evidence) if two_sided else evidence) >= limits
    # The standard error of 20,000 paths is .0021.
    assert beyond.any(axis=1).mean() == pytest.approx(0.1, abs=0.008)
