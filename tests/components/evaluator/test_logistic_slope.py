"""Slopes of logistic regressions, fitted many at a time."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from components.evaluator.logistic_slope import logistic_slopes


@pytest.mark.parametrize("seed", [99, 121, 246])
def test_a_slope_is_found_where_rounding_keeps_the_last_steps_apart(seed: int) -> None:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(1, 3700))
    label = (generator.random((1, 3700)) < 1 / (1 + np.exp(-x))).astype(float)

    assert logistic_slopes(x, np.ones((1, 3700)), label) == pytest.approx(1.0, abs=0.15)


def test_each_fit_is_the_exact_one_whatever_is_fitted_beside_it() -> None:
    generator = np.random.default_rng(5)
    x = generator.normal(size=(3, 400)) * [[0.1], [1.0], [30.0]]
    label = (generator.random((3, 400)) < 1 / (1 + np.exp(-x))).astype(float)
    exact = [
        LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
        .fit(row.reshape(-1, 1), outcome)
        .coef_[0, 0]
        for row, outcome in zip(x, label, strict=True)
    ]

    assert logistic_slopes(x, np.ones((3, 400)), label) == pytest.approx(exact, rel=1e-3)


def test_one_single_number_has_no_slope() -> None:
    assert np.isnan(logistic_slopes(np.ones((1, 3)), np.ones((1, 3)), np.array([[0.0, 1.0, 0.0]])))
