"""Differences after adjustment for baseline characteristics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from components.trial_analysis.adjusted import adjusted_effect, standardised
from components.trial_analysis.design import covariate_columns
from components.trial_analysis.subjects import sampled
from pipeline.estimates import Estimate
from tests.components.trial_analysis.hand_made_subjects import repeated, trial

NOTHING = np.empty((400, 0))


def reach(found: Estimate) -> float:
    assert found.upper is not None
    assert found.lower is not None
    return (found.upper - found.lower) / 2


def test_without_covariates_it_is_the_plain_difference_with_its_plain_error() -> None:
    # 80 of 200 against 50 of 200.
    positive = np.array(repeated((1.0, 80), (0.0, 120), (1.0, 50), (0.0, 150)))
    treated = np.array(repeated((True, 200), (False, 200)))
    found = standardised(positive, treated, NOTHING)
    assert found is not None
    difference, ratio, p_value = found
    error = math.sqrt(0.4 * 0.6 / 200 + 0.25 * 0.75 / 200)
    assert difference.value == pytest.approx(0.15)
    assert reach(difference) == pytest.approx(1.96 * error, rel=1e-4)
    assert p_value == pytest.approx(math.erfc(0.15 / error / math.sqrt(2)))
    # Katz' error of the logarithm.
    logarithm = math.sqrt(1 / 80 - 1 / 200 + 1 / 50 - 1 / 200)
    assert ratio.value == pytest.approx(1.6)
    assert ratio.upper == pytest.approx(1.6 * math.exp(1.96 * logarithm), rel=1e-4)


def test_a_difference_that_only_the_mixture_makes_vanishes() -> None:
    # Men: 30 of 60 in either group; women: 10 of 100 in either. More men are treated.
    men = [*repeated(("men", 120), ("women", 20)), *repeated(("men", 60), ("women", 100))]
    outcomes = [
        *repeated((True, 60), (False, 60), (True, 2), (False, 18)),
        *repeated((True, 30), (False, 30), (True, 10), (False, 90)),
    ]
    subjects = trial(
        repeated(("Active", 140), ("Placebo", 160)),
        characteristics={"SEX": men},
        outcomes={"death": outcomes},
    )
    found = adjusted_effect(subjects, "death", subjects.factors[0], "Active", ["SEX"])
    assert found.risk_difference.value == pytest.approx(0, abs=1e-6)
    assert found.risk_ratio.value == pytest.approx(1, abs=1e-6)
    assert found.subjects == 300


def test_its_error_is_that_which_leaving_out_each_subject_in_turn_gives() -> None:
    rng = np.random.default_rng(7)
    treated = np.arange(240) % 2 == 0
    severity = rng.normal(size=240)
    risk = 1 / (1 + np.exp(-(severity + 0.5 * treated)))
    positive = (rng.random(240) < risk).astype(float)

    def value(keep: NDArray[np.bool_]) -> float:
        found = standardised(positive[keep], treated[keep], severity[keep, None])
        assert found is not None
        assert found[0].value is not None
        return found[0].value

    all_subjects = np.ones(240, bool)
    found = standardised(positive, treated, severity[:, None])
    assert found is not None
    left_out = []
    for place in range(240):
        keep = all_subjects.copy()
        keep[place] = False
        left_out.append(value(keep))
    jackknife = math.sqrt(239 / 240 * float(((left_out - np.mean(left_out)) ** 2).sum()))  # type: ignore[call-overload]
    assert reach(found[0]) / 1.96 == pytest.approx(jackknife, rel=0.05)


def test_adjustment_for_what_predicts_the_outcome_is_more_precise() -> None:
    severity = np.tile([-2.0, -1.0, 1.0, 2.0], 100)
    treated = np.repeat([True, False], 200)
    positive = np.where(np.arange(400) % 10 == 0, severity < 0, severity > 0).astype(float)
    plain = standardised(positive, treated, NOTHING)
    adjusted = standardised(positive, treated, severity[:, None])
    assert plain is not None
    assert adjusted is not None
    assert reach(adjusted[0]) < 0.8 * reach(plain[0])


def test_with_too_few_events_for_its_coefficients_there_is_no_adjusted_difference() -> None:
    outcomes = [*repeated((True, 9), (False, 41)), *repeated((True, 9), (False, 41))]
    subjects = trial(
        repeated(("Active", 50), ("Placebo", 50)),
        numbers={"AGE": list(range(100))},
        outcomes={"death": outcomes},
    )
    found = adjusted_effect(subjects, "death", subjects.factors[0], "Active", ["AGE"])
    assert "need 20 subjects with and as many without the event" in str(found.absent)
    assert found.risk_difference == Estimate()


def test_covariates_that_separate_the_outcome_have_no_finite_solution() -> None:
    severity = np.arange(400.0)
    treated = np.arange(400) % 2 == 0
    assert standardised((severity >= 200).astype(float), treated, severity[:, None]) is None


def test_a_missing_number_becomes_the_mean_and_a_column_of_its_own() -> None:
    subjects = trial(["A"] * 4, control="A", numbers={"AGE": [40, 60, math.nan, 50]})
    design = covariate_columns(subjects, ["AGE"], np.arange(4))[0].columns
    assert design[:, 1].tolist() == [0, 0, 1, 0]
    assert design[2, 0] == 0
    assert design[:, 0].mean() == pytest.approx(0)


def test_values_of_few_subjects_share_a_column() -> None:
    races = repeated(("A", 60), ("B", 30), ("C", 5), ("D", 6), (None, 25))
    subjects = trial(["X"] * 126, control="X", characteristics={"RACE": races})
    design = covariate_columns(subjects, ["RACE"], np.arange(126))[0].columns
    assert sorted(design.sum(axis=0).tolist()) == [11, 25, 30]


def test_models_are_fitted_on_a_sample_where_subjects_are_very_many() -> None:
    chosen = np.arange(1000) % 2 == 0
    places = sampled(chosen, most=100)
    assert len(places) == 100
    assert chosen[places].all()
    assert places.tolist() == sampled(chosen, most=100).tolist()
