from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from patsy import dmatrix

from components.evaluator.curves import curves_of
from components.evaluator.score_table import ScoreTable
from tests.each import each


def table(score: Any, outcome: Any) -> ScoreTable:
    return ScoreTable.of_rows(score.astype(np.float32), outcome, np.ones(len(score), bool))


def trial(subjects: Any, steepness: Any = 1.0, seed: Any = 1) -> Any:
    """Predictions, and outcomes whose logits are `steepness` times as extreme."""
    generator = np.random.default_rng(seed)
    logit = generator.normal(-0.5, 1.0, subjects)
    outcome = generator.random(subjects) < 1 / (1 + np.exp(-steepness * logit))
    return 1 / (1 + np.exp(-logit)), outcome


def logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)


@pytest.mark.parametrize(
    ("subjects", "quantiles"), [(180, (0.1, 0.5, 0.9)), (900, (0.05, 0.35, 0.65, 0.95))]
)
def test_the_curve_is_a_spline_fitted_by_statsmodels(subjects: Any, quantiles: Any) -> None:
    score, outcome = trial(subjects)
    curves = curves_of(table(score, outcome), [], smallest=10)
    # By hand, from the rows instead of a histogram.
    means = logit(np.array([item.mean_prediction for item in curves.calibration]))
    middles = (np.arange(len(means)) + 0.5) / len(means)
    low, *inner, high = np.interp(quantiles, middles, means)

    def spline(x: Any) -> Any:
        formula = "cr(x, knots=inner, lower_bound=low, upper_bound=high) - 1"
        return dmatrix(formula, {"x": x, "inner": inner, "low": low, "high": high})

    by_hand = sm.GLM(outcome, spline(logit(score)), family=sm.families.Binomial()).fit()
    grid = spline(logit(np.array([point.prediction for point in curves.smooth])))
    expected = by_hand.get_prediction(grid).summary_frame()

    found = [(point.observed_rate, point.lower, point.upper) for point in each(curves.smooth)]
    columns = expected[["mean", "mean_ci_lower", "mean_ci_upper"]].to_numpy()
    np.testing.assert_allclose(np.array(found), columns, atol=0.002)


def test_the_curve_bends_where_predictions_are_too_extreme() -> None:
    score, outcome = trial(4000, steepness=0.4)

    smooth = curves_of(table(score, outcome), [], smallest=20).smooth

    assert smooth[0].lower > smooth[0].prediction
    assert smooth[-1].upper < smooth[-1].prediction


def test_calibrated_predictions_lie_in_the_band() -> None:
    score, outcome = trial(4000)

    smooth = curves_of(table(score, outcome), [], smallest=20).smooth

    assert all(point.lower < point.prediction < point.upper for point in each(smooth))


def test_the_curve_ends_at_means_of_the_smallest_group() -> None:
    score, outcome = trial(300)

    curves = curves_of(table(score, outcome), [], smallest=30)

    ends = [curves.smooth[0].prediction, curves.smooth[-1].prediction]
    assert ends == pytest.approx([curves.calibration[i].mean_prediction for i in (0, -1)])


@pytest.mark.parametrize(
    ("score", "outcome"),
    [
        (np.linspace(0.1, 0.9, 100), np.zeros(100)),
        (np.linspace(0.1, 0.9, 100), np.linspace(0.1, 0.9, 100) > 0.5),
        (np.full(100, 0.3), np.arange(100) % 2),
    ],
    ids=["no events", "separated outcomes", "equal predictions"],
)
def test_without_a_finite_fit_there_is_no_curve(score: Any, outcome: Any) -> None:
    curves = curves_of(table(score, outcome), [], smallest=10)

    assert curves.calibration
    assert curves.smooth == ()


def test_nine_events_are_too_few_for_a_curve() -> None:
    score, outcome = trial(400)
    nine = outcome & (np.cumsum(outcome) <= 9)

    curves = curves_of(table(score, nine), [], smallest=10)

    assert curves.calibration
    assert curves.smooth == ()


def test_two_bins_are_too_few_for_a_curve() -> None:
    score, outcome = trial(100)

    curves = curves_of(table(score, outcome), [], smallest=40)

    assert (len(curves.calibration), curves.smooth) == (2, ())
